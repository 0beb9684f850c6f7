"""Rows: SQLAlchemy Core tables and the queries on them. The same code for SQLite and PostgreSQL."""
