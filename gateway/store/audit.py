"""Who did what to whose data: append-only, each row's hash covers the one before."""

import json
from hashlib import sha256

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.schema import audit

FIRST = "0" * 64
LOCK = 0x4E455354  # one writer of the chain at a time, on PostgreSQL


def chained(previous: str, row: dict[str, str | int]) -> str:
    return sha256((previous + json.dumps(row, sort_keys=True, ensure_ascii=False)).encode()).hexdigest()


async def write(connection: AsyncConnection, person: str, act: str, subject: str, *, at: str, why: str = "") -> None:
    """In the transaction of what it records."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    last = (await connection.execute(select(audit).order_by(audit.c.n.desc()).limit(1))).mappings().first()
    previous = last["hash"] if last is not None else FIRST
    row: dict[str, str | int] = {
        "n": last["n"] + 1 if last is not None else 1,
        "at": at,
        "person": person,
        "act": act,
        "subject": subject[:200],
        "why": why[:300],
    }
    values = {**row, "previous_hash": previous, "hash": chained(previous, row)}
    await connection.execute(insert(audit).values(values))


async def broken_at(connection: AsyncConnection) -> int | None:
    """The first row that was changed, or that follows a removed one; None when the chain is whole."""
    previous, n = FIRST, 0
    for row in (await connection.execute(select(audit).order_by(audit.c.n))).mappings():
        content = {name: row[name] for name in ("n", "at", "person", "act", "subject", "why")}
        if row["n"] != n + 1 or row["previous_hash"] != previous or row["hash"] != chained(previous, content):
            return int(row["n"])
        previous, n = row["hash"], row["n"]
    return None
