"""What a customer sent that may have been left: unanswered, or not yet looked at for danger."""

from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store import log
from gateway.store.schema import EDITED, conversations, events
from signaling.protocol import Event, EventKind

RECENT = 100
"""Events of a conversation that are looked through."""
MOST = 200
"""Answered in one sweep; the next takes the rest."""
ASKED = ("text", "image", "file", "voice")

_recent = (events.c.conversation == conversations.c.id) & (events.c.seq > conversations.c.last_seq - RECENT)
_sent = events.c.kind == EventKind.MESSAGE_SENT
_kind = events.c.body["kind"].as_string()
_answered = events.c.data["answers"].as_integer()


def _hers(*kinds: str) -> ColumnElement[bool]:
    """What was recalled has no body any more, and so no kind."""
    return and_(events.c.role == "customer", _sent, _kind.in_(kinds))


def _until(seq: ColumnElement[Any], where: ColumnElement[bool]) -> Subquery:
    """The highest `seq` of each conversation."""
    query = select(events.c.conversation, func.max(seq).label("seq")).join(conversations, _recent).where(where)
    return query.group_by(events.c.conversation).subquery()


async def unanswered(connection: AsyncConnection, since: str) -> list[Event]:
    """In conversations of the assistant used `since`: her messages after the last one answered, after a person's last
    words, after the assistant's in a call and after an answer somebody recalled. Oldest first."""
    mine = (conversations.c.owner == "assistant") & conversations.c.call.is_(None) & (conversations.c.last_at >= since)
    person = events.c.role.in_(("advisor", "manager")) & _sent
    gone = (events.c.role == "assistant") & _sent & func.coalesce(_kind, "speech").in_(("speech",))
    settled = _until(case((person | gone, events.c.seq), else_=_answered), mine)
    query = (
        select(events)
        .join(conversations, _recent)
        .outerjoin(settled, settled.c.conversation == events.c.conversation)
        .where(mine, _hers(*ASKED), or_(settled.c.seq.is_(None), events.c.seq > settled.c.seq))
        .order_by(events.c.at, events.c.seq)
        .limit(MOST)
    )
    return [log.event_of(row) for row in (await connection.execute(query)).mappings()]


async def not_looked_at(connection: AsyncConnection, since: str) -> list[Event]:
    """What she wrote, said or put right since then and nobody answers for: the assistant looks before it answers, and
    who clears a flag has read what came before. Oldest first."""
    used = conversations.c.last_at >= since
    seen = _until(case((events.c.kind == EventKind.RED_FLAG_CLEARED, events.c.seq), else_=_answered), used)
    query = (
        select(events)
        .join(conversations, _recent)
        .outerjoin(seen, seen.c.conversation == events.c.conversation)
        .where(used, events.c.at >= since, _hers("text", "voice", "speech"))
        .where(or_(seen.c.seq.is_(None), events.c.seq > seen.c.seq))
    )
    later = events.alias()
    read = exists().where(
        later.c.conversation == events.c.conversation,
        later.c.kind == EventKind.RED_FLAG_CLEARED,
        later.c.seq > events.c.seq,
    )
    edits = select(events).where(EDITED, events.c.role == "customer", events.c.at >= since, ~read)
    rows = [*(await connection.execute(query)).mappings(), *(await connection.execute(edits)).mappings()]
    return [log.event_of(row) for row in sorted(rows, key=lambda row: (row["at"], row["seq"]))]
