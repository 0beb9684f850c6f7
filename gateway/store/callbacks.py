"""Calls back that customers were promised: open until a person resolves the conversation."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.schema import callbacks, conversations

_OPEN = (callbacks.c.conversation == conversations.c.id) & (callbacks.c.state == "open")

DUE = select(func.min(callbacks.c.due_at)).where(_OPEN).correlate(conversations).scalar_subquery()
"""When the first open one of a row of `conversations` is due; null: none is promised."""

WORDS = (
    select(callbacks.c.message)
    .where(_OPEN)
    .order_by(callbacks.c.due_at)
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
)
"""What she said for it: a number, what it is about."""


async def close(connection: AsyncConnection, conversation: str) -> None:
    open_ = (callbacks.c.conversation == conversation) & (callbacks.c.state == "open")
    await connection.execute(update(callbacks).where(open_).values(state="done"))
