"""Rows of alarms: a red flag somebody has to see."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.people import Person
from gateway.store.schema import alarms, conversations, people, stores

KEPT_TELLINGS = 20

customers = people.alias("alarm_customers")


async def known(connection: AsyncConnection, alarm: str) -> bool:
    return (await connection.execute(select(alarms.c.id).where(alarms.c.id == alarm))).first() is not None


async def standing(connection: AsyncConnection, conversation: str) -> list[tuple[str, str | None]]:
    """(sign, when somebody took it) of what no person has cleared, oldest first."""
    mine = (alarms.c.conversation == conversation) & alarms.c.cleared_at.is_(None)
    query = select(alarms.c.sign, alarms.c.acknowledged_at).where(mine).order_by(alarms.c.raised_at)
    return [(row.sign, row.acknowledged_at) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(insert(alarms).values({"told": [], **row}))


def _found(where: ColumnElement[bool]) -> Select[Any]:
    query = select(
        alarms,
        conversations.c.chain,
        conversations.c.store,
        conversations.c.customer,
        conversations.c.call,
        customers.c.name.label("customer_name"),
        customers.c.language,
        stores.c.name.label("store_name"),
    )
    query = query.join(conversations, conversations.c.id == alarms.c.conversation)
    query = query.join(stores, stores.c.id == conversations.c.store)
    return query.join(customers, customers.c.id == conversations.c.customer).where(where).order_by(alarms.c.raised_at)


OPEN = _found(alarms.c.acknowledged_at.is_(None) & alarms.c.cleared_at.is_(None))
"""Made once (see gateway.store.log): every advisor's page asks when it connects."""


async def find(connection: AsyncConnection, where: ColumnElement[bool]) -> Sequence[RowMapping]:
    """With the conversation's chain, store, call and its customer."""
    return (await connection.execute(_found(where))).mappings().all()


async def still_open(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Neither taken by anybody nor cleared; as `find` gives them."""
    return (await connection.execute(OPEN)).mappings().all()


async def told(connection: AsyncConnection, alarm: str, earlier: list[Any], to: Sequence[str], at: str) -> None:
    tellings = [*earlier, {"at": at, "people": list(to)}][-KEPT_TELLINGS:]
    await connection.execute(update(alarms).where(alarms.c.id == alarm).values(told=tellings))


async def acknowledge(connection: AsyncConnection, alarm: str, person: Person, at: str) -> bool:
    """False: somebody did before."""
    where = (alarms.c.id == alarm) & alarms.c.acknowledged_at.is_(None)
    values = {"acknowledged_by": person.id, "acknowledged_at": at}
    return (await connection.execute(update(alarms).where(where).values(values))).rowcount == 1


async def clear(connection: AsyncConnection, conversation: str, person: str, at: str) -> None:
    where = (alarms.c.conversation == conversation) & alarms.c.cleared_at.is_(None)
    await connection.execute(update(alarms).where(where).values(cleared_by=person, cleared_at=at))
