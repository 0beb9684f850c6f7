"""Engines, with the settings each database needs for durable, prompt writes."""

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_MS = 2_000
"""How long a locked database is waited for: below the write deadline, so that the error says what happened."""

PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a commit survives power loss, not only kill -9
    "busy_timeout": BUSY_MS,
    "foreign_keys": "ON",
    "cache_size": -16_000,
}


def engine(url: str, *, writes: bool) -> AsyncEngine:
    """`writes`: transactions take SQLite's write lock at once, so that none fails half-way."""
    if url.startswith("sqlite"):
        return sqlite(url, writes=writes)
    return create_async_engine(
        url,
        pool_size=16,
        max_overflow=0,
        pool_timeout=3,
        pool_pre_ping=True,
        connect_args={
            "timeout": 3,
            "server_settings": {"lock_timeout": "2000", "statement_timeout": "10000", "synchronous_commit": "on"},
        },
    )


def sqlite(url: str, *, writes: bool) -> AsyncEngine:
    size = 1 if writes else 4
    made = create_async_engine(
        url, pool_size=size, max_overflow=0, pool_timeout=3, connect_args={"timeout": BUSY_MS / 1000}
    )

    @event.listens_for(made.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's guess breaks savepoints
        cursor = connection.cursor()
        for name, value in PRAGMAS.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    @event.listens_for(made.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made
