"""The search index: filled in the transaction of the event, so what is stored is found and what is recalled is not."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.people import Person
from gateway.search_terms import Wanted, terms, words
from gateway.store.schema import EDITED, conversations, events, people, search_terms
from signaling.protocol import Event, EventKind

LAST_CHARACTER = "\U0010ffff"
ADD = insert(search_terms)
SAID = (EventKind.MESSAGE_SENT, EventKind.NOTE_ADDED)


@dataclass(frozen=True, slots=True)
class Found:
    """`text` is what the message says now, after edits."""

    conversation: str
    seq: int
    kind: str
    sender: str
    role: str
    at: str
    text: str
    customer_name: str


Cursor = tuple[str, str, int]
"""(at, conversation, seq) of the last result shown."""


async def follow(connection: AsyncConnection, event: Event) -> None:
    """Bring the index up with one event that is being stored; before a recalled message's content is wiped."""
    match event.kind:
        case EventKind.MESSAGE_SENT if event.body is not None:
            await _add(connection, event.conversation, event.seq, words(event.body.model_dump()))
        case EventKind.NOTE_ADDED:
            await _add(connection, event.conversation, event.seq, event.data["text"])
        case EventKind.MESSAGE_EDITED | EventKind.MESSAGE_RECALLED:
            target = int(event.data["target"])
            await _forget(connection, event.conversation, target, before=event.seq)
            await _add(connection, event.conversation, target, event.data.get("text", ""))
        case _:
            pass


async def _add(connection: AsyncConnection, conversation: str, seq: int, text: str) -> None:
    rows = [{"term": term, "conversation": conversation, "seq": seq} for term in sorted(terms(text))]
    if rows:
        await connection.execute(ADD, rows)


async def _forget(connection: AsyncConnection, conversation: str, seq: int, *, before: int) -> None:
    """By the terms the message had, since the index leads from terms to messages."""
    had = terms(await text_of(connection, conversation, seq, before=before))
    place = and_(search_terms.c.conversation == conversation, search_terms.c.seq == seq)
    for some in _batches(sorted(had)):
        await connection.execute(delete(search_terms).where(search_terms.c.term.in_(some), place))


def _batches(values: list[str], size: int = 500) -> Iterable[list[str]]:
    return (values[i : i + size] for i in range(0, len(values), size))


async def text_of(connection: AsyncConnection, conversation: str, seq: int, *, before: int | None = None) -> str:
    """The message's words after its last edit (of those with a seq below `before`)."""
    mine = events.c.conversation == conversation
    edits = (
        select(events.c.data)
        .where(mine, EDITED, events.c.data["target"].as_integer() == seq)
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    if before is not None:
        edits = edits.where(events.c.seq < before)
    edited = (await connection.execute(edits)).scalar()
    if edited is not None:
        return str(edited["text"])
    row = (await connection.execute(select(events.c.body, events.c.data).where(mine, events.c.seq == seq))).first()
    return _said(row.body, row.data) if row is not None else ""


def _said(body: dict[str, Any] | None, data: dict[str, Any]) -> str:
    return words(body) if body else str(data.get("text", ""))


def _reach(person: Person) -> ColumnElement[bool]:
    """The SQL of `domain.people.may_see`, and no staff note for a customer."""
    match person.role:
        case "customer":
            return and_(conversations.c.customer == person.id, events.c.kind == EventKind.MESSAGE_SENT)
        case "advisor":
            return and_(conversations.c.chain == person.chain, conversations.c.store == person.store)
        case "manager":
            return conversations.c.chain == person.chain


def _term(term: str) -> ColumnElement[bool]:
    return search_terms.c.term == term


def _beginning(start: str) -> ColumnElement[bool]:
    return and_(search_terms.c.term >= start, search_terms.c.term < start + LAST_CHARACTER)


def _holds(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    here = and_(search_terms.c.conversation == events.c.conversation, search_terms.c.seq == events.c.seq)
    return exists().where(here, condition)


async def find(
    connection: AsyncConnection,
    person: Person,
    want: Wanted,
    *,
    conversation: str | None = None,
    after: Cursor | None = None,
    limit: int = 20,
) -> list[Found]:
    """Newest first; at most `limit` after the cursor."""
    first, *others = [_term(term) for term in want.exact] + [_beginning(start) for start in want.beginnings]
    hits = select(search_terms.c.conversation, search_terms.c.seq).where(first).distinct()
    if conversation is not None:
        hits = hits.where(search_terms.c.conversation == conversation)
    elif person.role == "customer":
        hits = hits.where(search_terms.c.conversation.in_(_hers(person)))
    # Places first, contents of the page after: sorting thousands of bodies is what would take the time.
    places = (
        select(events.c.conversation, events.c.seq)
        .join(conversations, conversations.c.id == events.c.conversation)
        .where(_PLACE.in_(hits), _reach(person), events.c.kind.in_(SAID), *map(_holds, others))
        .order_by(*_NEWEST)
        .limit(limit)
    )
    if after is not None:
        places = places.where(_past(after))
    page = places.subquery()
    here = and_(page.c.conversation == events.c.conversation, page.c.seq == events.c.seq)
    query = (
        select(events, people.c.name.label("customer_name"))
        .join(page, here)
        .join(conversations, conversations.c.id == events.c.conversation)
        .join(people, people.c.id == conversations.c.customer)
        .order_by(*_NEWEST)
    )
    rows = (await connection.execute(query)).mappings().all()
    return [await _found(connection, dict(row)) for row in rows]


_PLACE = tuple_(events.c.conversation, events.c.seq)
_NEWEST = (events.c.at.desc(), events.c.conversation, events.c.seq.desc())


def _hers(person: Person) -> Select[tuple[str]]:
    return select(conversations.c.id).where(conversations.c.customer == person.id)


def _past(cursor: Cursor) -> ColumnElement[bool]:
    at, conversation, seq = cursor
    same_time, same_place = events.c.at == at, events.c.conversation == conversation
    return or_(
        events.c.at < at,
        and_(same_time, events.c.conversation > conversation),
        and_(same_time, same_place, events.c.seq < seq),
    )


async def _found(connection: AsyncConnection, row: dict[str, Any]) -> Found:
    text = await text_of(connection, row["conversation"], row["seq"])
    names = ("conversation", "seq", "kind", "sender", "role", "at", "customer_name")
    return Found(**{name: row[name] for name in names}, text=text)
