"""The event log. `append` runs inside `Store.write`: nonce, row lock, seq, fold, outbox in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.conversation import Conversation, Refusal, decide, fold
from gateway.domain.events import Fact, body_hash
from gateway.errors import Conflict, NotYours, Refused
from gateway.store import alarms, audit, callbacks, files, search, teaching
from gateway.store.schema import EDITED, conversations, events, outbox
from signaling.protocol import ErrorCode, Event, EventKind

FOLDED = tuple(field.name for field in fields(Conversation))
COLUMNS = [conversations.c[name] for name in FOLDED]

# Made once: putting a statement together costs SQLAlchemy more than SQLite takes to run it.
_HERE = events.c.conversation == bindparam("conversation")
FIND = select(*COLUMNS).where(conversations.c.id == bindparam("conversation"))
FIND_LOCKED = FIND.with_for_update()
FOLD = update(conversations).where(conversations.c.id == bindparam("this"))
EARLIER = select(events).where(_HERE, events.c.sender == bindparam("sender"), events.c.nonce == bindparam("nonce"))
AT_SEQ = select(events).where(_HERE, events.c.seq == bindparam("seq"))
AFTER = select(events).where(_HERE, events.c.seq > bindparam("seq")).order_by(events.c.seq).limit(bindparam("most"))
BEFORE = (
    select(events).where(_HERE, events.c.seq < bindparam("seq")).order_by(events.c.seq.desc()).limit(bindparam("most"))
)
WRITE_EVENT = insert(events)
WRITE_OUTBOX = insert(outbox)


@dataclass(frozen=True, slots=True)
class Appended:
    """`events`: one for each fact asked for, old ones for nonces seen before. `fresh`: what was written now."""

    conversation: Conversation
    events: tuple[Event, ...]
    fresh: tuple[Event, ...] = ()


def conversation_of(row: RowMapping | Mapping[str, Any]) -> Conversation:
    return Conversation(**{name: row[name] for name in FOLDED})


def event_of(row: RowMapping | Mapping[str, Any]) -> Event:
    """A row as staff and its sender see it."""
    names = ("conversation", "seq", "kind", "sender", "role", "at", "epoch", "ai", "nonce", "body", "data")
    return Event.model_validate({name: row[name] for name in names})


async def find(connection: AsyncConnection, conversation: str, *, lock: bool = False) -> Conversation:
    """Raises `NotYours`."""
    found = await connection.execute(FIND_LOCKED if lock else FIND, {"conversation": conversation})
    row = found.mappings().first()
    if row is None:
        raise NotYours(ErrorCode.NOT_FOUND)
    return conversation_of(row)


async def append(
    connection: AsyncConnection,
    locked: Conversation,
    facts: Sequence[Fact],
    *,
    at: str,
    thought_in: Conversation | None = None,
) -> Appended:
    """Facts land together or not at all; `locked` was found with `lock=True` in this transaction. `thought_in`: the
    conversation as it was when they were thought of; they are stale under another owner or another red flag.

    Raises `Conflict` (nonce, epoch, state), `NotYours` or `Refused`.
    """
    state, conversation = locked, locked.id
    before = state
    answers: list[Event] = []
    fresh: list[Event] = []
    for fact in facts:
        old = await earlier(connection, conversation, fact)
        if old is not None:
            answers.append(old)
            continue
        if thought_in is not None and (before.epoch, before.red_flag) != (thought_in.epoch, thought_in.red_flag):
            raise Conflict(ErrorCode.STALE_EPOCH, "the conversation has another owner, or a red flag, now")
        for decided in await decision(connection, state, fact, at):
            state = fold(state, decided, at)
            fresh.append(await insert_event(connection, state, decided, at))
        answers.append(fresh[-1])
    if fresh:
        await announce(connection, state, fresh, at)
    return Appended(state, tuple(answers), tuple(fresh))


async def earlier(connection: AsyncConnection, conversation: str, fact: Fact) -> Event | None:
    """The event this nonce already made. Raises `Conflict` when it was for something else."""
    key = {"conversation": conversation, "sender": fact.sender, "nonce": fact.nonce}
    row = (await connection.execute(EARLIER, key)).mappings().first()
    if row is None:
        return None
    if row["body_hash"] != body_hash(fact):
        raise Conflict(ErrorCode.NONCE_CONFLICT, "this nonce was used for something else")
    return event_of(row)


async def decision(connection: AsyncConnection, state: Conversation, fact: Fact, at: str) -> tuple[Fact, ...]:
    target = await at_seq(connection, state.id, fact.data.get("target"))
    decided = decide(state, fact, at, target)
    if not isinstance(decided, Refusal):
        return decided
    if decided.code in (ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN):
        raise NotYours(decided.code, decided.why)
    if decided.code == ErrorCode.RECALL_TOO_LATE:
        raise Refused(decided.code, decided.why)
    raise Conflict(decided.code, decided.why)


async def at_seq(connection: AsyncConnection, conversation: str, seq: object) -> Event | None:
    if not isinstance(seq, int):
        return None
    row = (await connection.execute(AT_SEQ, {"conversation": conversation, "seq": seq})).mappings().first()
    return event_of(row) if row is not None else None


async def insert_event(connection: AsyncConnection, state: Conversation, fact: Fact, at: str) -> Event:
    row = {
        "conversation": state.id,
        "seq": state.last_seq,
        "kind": fact.kind,
        "sender": fact.sender,
        "role": fact.role,
        "ai": fact.role == "assistant",
        "epoch": state.epoch,
        "nonce": fact.nonce,
        "body_hash": body_hash(fact),
        "body": fact.body,
        "data": fact.data,
        "at": at,
    }
    await connection.execute(WRITE_EVENT, row)
    event = event_of(row)
    await search.follow(connection, event)
    await files.follow(connection, event)
    await consequences(connection, state, fact, at)
    return event


async def consequences(connection: AsyncConnection, state: Conversation, fact: Fact, at: str) -> None:
    """What else a fact changes, in the same transaction."""
    match fact.kind:
        case EventKind.MESSAGE_RECALLED:
            await redact(connection, state.id, fact.data["target"])
            if fact.role != "customer":
                await audit.write(connection, fact.sender, "message.recall", f"{state.id}/{fact.data['target']}", at=at)
        case EventKind.CONVERSATION_RESOLVED:
            await callbacks.close(connection, state.id)
        case EventKind.RED_FLAG_CLEARED:
            await alarms.clear(connection, state.id, fact.sender, at)
            await audit.write(connection, fact.sender, "red_flag.clear", state.id, at=at, why=fact.data.get("why", ""))
        case _:
            pass


async def redact(connection: AsyncConnection, conversation: str, seq: int) -> None:
    """What was recalled is gone, not only hidden: its row stays for the count, its content does not."""
    where = (events.c.conversation == conversation) & (events.c.seq == seq)
    gone = await at_seq(connection, conversation, seq)
    await teaching.forget(connection, conversation, seq, getattr(gone and gone.body, "text", ""))
    await connection.execute(update(events).where(where).values(body=None, data={"recalled": True}))
    edits = (events.c.conversation == conversation) & EDITED
    for row in (await connection.execute(select(events).where(edits))).mappings().all():
        if row["data"].get("target") == seq:
            same = (events.c.conversation == conversation) & (events.c.seq == row["seq"])
            await connection.execute(update(events).where(same).values(data={"target": seq, "text": ""}))


async def announce(connection: AsyncConnection, state: Conversation, fresh: Sequence[Event], at: str) -> None:
    """The list columns, and the outbox row of each event."""
    await connection.execute(FOLD, {"this": state.id, **asdict(state)})
    rows = [{"conversation": e.conversation, "seq": e.seq, "kind": e.kind, "created_at": at} for e in fresh]
    await connection.execute(WRITE_OUTBOX, rows)


async def after(connection: AsyncConnection, conversation: str, seq: int, limit: int) -> list[Event]:
    """Ascending, `seq` itself not included."""
    rows = await connection.execute(AFTER, {"conversation": conversation, "seq": seq, "most": limit})
    return [event_of(row) for row in rows.mappings()]


async def before(connection: AsyncConnection, conversation: str, seq: int, limit: int) -> list[Event]:
    """The `limit` events just before `seq`, ascending."""
    rows = await connection.execute(BEFORE, {"conversation": conversation, "seq": seq, "most": limit})
    return [event_of(row) for row in reversed(rows.mappings().all())]
