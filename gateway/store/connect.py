"""Engines, with the settings each database needs for durable, prompt writes."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_MS = 2_000
"""How long a locked database is waited for: below the write deadline, so that the error says what happened."""

READERS = 4

PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a commit survives power loss, not only kill -9
    "busy_timeout": BUSY_MS,
    "foreign_keys": "ON",
    "cache_size": -16_000,
}


def postgres(url: str) -> AsyncEngine:
    limits = {"lock_timeout": str(BUSY_MS), "statement_timeout": "10000", "synchronous_commit": "on"}
    return create_async_engine(
        url,
        pool_size=16,
        max_overflow=0,
        pool_timeout=3,
        pool_pre_ping=True,
        hide_parameters=True,  # what people write has no place in a log
        connect_args={"timeout": 3, "server_settings": limits},
    )


def sqlite(url: str, *, writes: bool) -> Engine:
    """The plain driver, for threads of our own. `writes`: transactions take the write lock at once, so that none
    fails half-way."""
    made = create_engine(
        make_url(url).set(drivername="sqlite"),
        pool_size=1 if writes else READERS,
        max_overflow=0,
        pool_timeout=3,
        hide_parameters=True,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's guess breaks savepoints
        cursor = connection.cursor()
        for name, value in PRAGMAS.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made
