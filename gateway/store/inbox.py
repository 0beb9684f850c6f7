"""Conversations as lines of a list."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.conversation import Conversation
from gateway.domain.people import Person
from gateway.store import callbacks
from gateway.store.schema import babies, conversations, events, people, receipts, stores
from signaling.protocol import BabyView, EventKind, InboxItem

MAX_ITEMS = 300

customers = people.alias("customers")
advisors = people.alias("advisors")
readers = people.alias("readers")


def reach(person: Person) -> ColumnElement[bool]:
    """The rows of `conversations` this person may see (gateway.domain.people.may_see, as SQL)."""
    match person.role:
        case "customer":
            return conversations.c.customer == person.id
        case "advisor":
            return (conversations.c.chain == person.chain) & (conversations.c.store == person.store)
        case "manager":
            return conversations.c.chain == person.chain


def _heads(sees: ColumnElement[bool], member: ColumnElement[bool]) -> Select[tuple[str, int]]:
    among = conversations.c.id.in_(bindparam("among", expanding=True))
    return select(conversations.c.id, conversations.c.last_seq).where(sees, member | among)


# Made once (see gateway.store.log): a thousand pages that come back at the same moment all ask this, twice.
_HERS = conversations.c.customer == bindparam("person")
_CHAIN = conversations.c.chain == bindparam("chain")
_ACCEPTED = conversations.c.assignee == bindparam("person")
HEADS = {
    "customer": _heads(_HERS, _HERS),
    "advisor": _heads(_CHAIN & (conversations.c.store == bindparam("store")), _ACCEPTED),
    "manager": _heads(_CHAIN, _ACCEPTED),
}
"""By role: what `reach` says, and membership: her own thread, or what she has accepted."""


async def heads(connection: AsyncConnection, person: Person, among: Sequence[str]) -> dict[str, int]:
    """Last seq of the conversations she is a member of, and of those among the given she may see."""
    wants = {"person": person.id, "chain": person.chain, "store": person.store, "among": list(among)}
    return {row.id: row.last_seq for row in await connection.execute(HEADS[person.role], wants)}


async def ahead(connection: AsyncConnection, state: Conversation) -> int | None:
    """How many wait in this store longer than she does; None: she does not wait."""
    if state.waiting_since is None:
        return None
    waits = (conversations.c.store == state.store) & (conversations.c.state == "queued")
    query = select(func.count()).where(waits, conversations.c.waiting_since < state.waiting_since)
    return int(await connection.scalar(query) or 0)


async def items(connection: AsyncConnection, where: ColumnElement[bool]) -> list[InboxItem]:
    """Those who wait longest first, then those who are to be called back, then the newest."""
    read = (
        select(func.coalesce(func.max(receipts.c.read), 0))
        .join(readers, readers.c.id == receipts.c.party)
        .where(receipts.c.conversation == conversations.c.id, readers.c.role != "customer")
        .correlate(conversations)
        .scalar_subquery()
    )
    unread = (
        select(func.count())
        .select_from(events)
        .where(
            events.c.conversation == conversations.c.id,
            events.c.kind == EventKind.MESSAGE_SENT,
            events.c.role == "customer",
            events.c.seq > read,
        )
        .correlate(conversations)
        .scalar_subquery()
    )
    query = (
        select(
            conversations,
            customers.c.name.label("customer_name"),
            advisors.c.name.label("assignee_name"),
            stores.c.name.label("store_name"),
            unread.label("unread"),
            callbacks.DUE.label("callback_at"),
            func.coalesce(callbacks.WORDS, "").label("callback_words"),
        )
        .join(customers, customers.c.id == conversations.c.customer)
        .join(stores, stores.c.id == conversations.c.store)
        .outerjoin(advisors, advisors.c.id == conversations.c.assignee)
        .where(where)
        .order_by(
            case((conversations.c.waiting_since.is_not(None), 0), (callbacks.DUE.is_not(None), 1), else_=2),
            conversations.c.waiting_since,
            callbacks.DUE,
            conversations.c.last_at.desc(),
        )
        .limit(MAX_ITEMS)
    )
    rows = (await connection.execute(query)).mappings().all()
    children = await babies_of(connection, [row["customer"] for row in rows])
    names = set(InboxItem.model_fields) - {"conversation", "babies"}
    return [
        InboxItem(
            conversation=row["id"],
            babies=tuple(children.get(row["customer"], ())),
            **{name: row[name] for name in names},
        )
        for row in rows
    ]


async def babies_of(connection: AsyncConnection, owners: Sequence[str]) -> dict[str, list[BabyView]]:
    rows = await connection.execute(select(babies).where(babies.c.customer.in_(owners)).order_by(babies.c.born_on))
    found: dict[str, list[BabyView]] = {}
    for row in rows.mappings():
        found.setdefault(row["customer"], []).append(BabyView(name=row["name"], born_on=row["born_on"]))
    return found
