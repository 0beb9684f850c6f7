"""Watermarks: delivered and read up to a seq, per party. They only grow."""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.schema import receipts


async def of(connection: AsyncConnection, conversation: str) -> dict[str, tuple[int, int]]:
    """{party: (delivered, read)}"""
    rows = await connection.execute(select(receipts).where(receipts.c.conversation == conversation))
    return {row["party"]: (row["delivered"], row["read"]) for row in rows.mappings()}


async def grow(
    connection: AsyncConnection, conversation: str, party: str, *, delivered: int, read: int
) -> tuple[int, int] | None:
    """The new watermarks, or None where nothing grew. The conversation's row is locked by the caller."""
    key = (receipts.c.conversation == conversation) & (receipts.c.party == party)
    row = (await connection.execute(select(receipts).where(key))).mappings().first()
    was = (row["delivered"], row["read"]) if row is not None else (0, 0)
    grown = (max(was[0], delivered, read), max(was[1], read))
    if grown == was:
        return None
    values = {"delivered": grown[0], "read": grown[1]}
    if row is not None:
        await connection.execute(update(receipts).where(key).values(values))
    else:
        await connection.execute(insert(receipts).values(conversation=conversation, party=party, **values))
    return grown
