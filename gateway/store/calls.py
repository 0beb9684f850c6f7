"""Rows of calls and their turns."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store import log
from gateway.store.schema import calls, conversations, turns
from signaling.protocol import SpeechBody

RECENT = 200
"""Events, newest first, among which the last words of a running call are."""


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    await connection.execute(insert(calls).values(dict(row)))


async def change(connection: AsyncConnection, call: str, **values: Any) -> None:
    await connection.execute(update(calls).where(calls.c.id == call).values(**values))


async def find(connection: AsyncConnection, call: str) -> RowMapping | None:
    return (await connection.execute(select(calls).where(calls.c.id == call))).mappings().first()


async def unfinished(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Calls no gateway has ended, with their customer: what a crash or a restart has left."""
    query = (
        select(calls, conversations.c.customer, conversations.c.store)
        .join(conversations, conversations.c.id == calls.c.conversation)
        .where(calls.c.ended_at.is_(None))
        .order_by(calls.c.started_at)
    )
    return (await connection.execute(query)).mappings().all()


async def stranded(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Conversations (`id`, `call`) said to be in a call that has ended, or never was."""
    runs = exists().where(calls.c.id == conversations.c.call, calls.c.ended_at.is_(None))
    query = select(conversations.c.id, conversations.c.call).where(conversations.c.call.is_not(None), ~runs)
    return (await connection.execute(query)).mappings().all()


async def finish(
    connection: AsyncConnection, call: str, reason: str, at: str, steps: Mapping[str, float], lines: Mapping[str, Any]
) -> None:
    """`steps` of the join as the gateway saw them, `lines` per party and end (gateway.calls.lines)."""
    await change(connection, call, state="ended", reason=reason, ended_at=at)
    await note(connection, call, "waterfall", "gateway", steps)
    await note(connection, call, "stats", "lines", lines)


async def note(connection: AsyncConnection, call: str, column: str, part: str, values: Mapping[str, Any]) -> None:
    """Merge `{part: values}` into `waterfall` or `stats`."""
    row = await find(connection, call)
    if row is not None:
        await change(connection, call, **{column: {**row[column], part: dict(values)}})


async def add_turn(
    connection: AsyncConnection, call: str, turn: int, parts_ms: Mapping[str, float], response_ms: float, at: str
) -> None:
    """Once per turn: a second measurement of the same turn replaces the first."""
    key = (turns.c.call == call) & (turns.c.turn == turn)
    values = {"parts_ms": dict(parts_ms), "response_ms": response_ms, "at": at}
    if (await connection.execute(update(turns).where(key).values(**values))).rowcount == 0:
        await connection.execute(insert(turns).values(call=call, turn=turn, **values))


async def turns_of(connection: AsyncConnection, call: str) -> Sequence[RowMapping]:
    return (await connection.execute(select(turns).where(turns.c.call == call).order_by(turns.c.turn))).mappings().all()


async def latest_of(connection: AsyncConnection, conversation: str, most: int) -> Sequence[RowMapping]:
    """The last calls of a conversation, newest first."""
    query = select(calls).where(calls.c.conversation == conversation).order_by(calls.c.started_at.desc()).limit(most)
    return (await connection.execute(query)).mappings().all()


async def last_turn(connection: AsyncConnection, conversation: str, call: str) -> int:
    """The last that was measured, said or heard: what is said from then on must not take the place of its caption."""
    measured = [turn["turn"] for turn in await turns_of(connection, call)]
    state = await log.find(connection, conversation)
    written = await log.before(connection, conversation, state.last_seq + 1, RECENT)
    ours = [event.body for event in written if isinstance(event.body, SpeechBody) and event.role != "advisor"]
    return max((*measured, *(body.turn for body in ours if body.call == call)), default=0)
