"""The shop over our own tables: stores, products, promotions, orders, members, appointments, callbacks."""

from datetime import UTC, datetime
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialogue.library import Database
from gateway.dialogue.tools.port import (
    Answered,
    Appointment,
    Caller,
    MemberFacts,
    OrderFacts,
    ProductFacts,
    PromotionFacts,
    StoreFacts,
    What,
)
from gateway.domain.schedule import is_open
from gateway.errors import Conflict, NotYours
from gateway.store import schema

MAX_OPEN = 5
"""Appointments a customer may hold: a loop must not fill the calendar. Of calls back she waits for one."""
MAX_ROWS = 200
MAX_MESSAGE = 1_000


def utc(moment: str) -> str:
    """As the tables keep times: UTC with microseconds and `Z`."""
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


class OwnShop:
    """Implements `port.Shop`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _rows(self, query: Any) -> list[Any]:
        async with self._database.read() as connection:
            return list((await connection.execute(query)).mappings())

    async def _store(self, caller: Caller) -> Any:
        rows = await self._rows(select(schema.stores).where(schema.stores.c.id == caller.store))
        if not rows:
            raise NotYours(detail="no such store")
        return rows[0]

    async def store(self, caller: Caller) -> Answered[StoreFacts]:
        row = await self._store(caller)
        return Answered(StoreFacts(**{name: row[name] for name in StoreFacts.__dataclass_fields__}))

    async def products(self, caller: Caller, words: str) -> Answered[tuple[ProductFacts, ...]]:  # noqa: ARG002
        """Every product of the chain; `requests.named` picks those that are meant."""
        shop = await self._store(caller)
        table = schema.products
        rows = await self._rows(
            select(table).where(table.c.chain == shop["chain"]).order_by(table.c.id).limit(MAX_ROWS)
        )
        return Answered(tuple(_product(row, caller.store) for row in rows))

    async def promotions(self, caller: Caller) -> Answered[tuple[PromotionFacts, ...]]:
        shop, table, day = await self._store(caller), schema.promotions, caller.now[:10]
        here = or_(table.c.store.is_(None), table.c.store == caller.store)
        running = (table.c.starts_on <= day) & (table.c.ends_on >= day)
        rows = await self._rows(select(table).where(table.c.chain == shop["chain"], here, running).limit(MAX_ROWS))
        return Answered(
            tuple(PromotionFacts(**{n: row[n] for n in PromotionFacts.__dataclass_fields__}) for row in rows)
        )

    async def orders(self, caller: Caller) -> Answered[tuple[OrderFacts, ...]]:
        table = schema.orders
        mine = select(table).where(table.c.customer == caller.customer).order_by(table.c.placed_at.desc()).limit(3)
        return Answered(tuple(_order(row) for row in await self._rows(mine)))

    async def member(self, caller: Caller) -> Answered[MemberFacts | None]:
        rows = await self._rows(select(schema.people.c.member).where(schema.people.c.id == caller.customer))
        member = rows[0]["member"] if rows else {}
        facts = MemberFacts(str(member.get("level", "")), int(member.get("points", 0))) if member else None
        return Answered(facts)

    async def appointments(self, caller: Caller) -> Answered[tuple[Appointment, ...]]:
        zone = ZoneInfo((await self._store(caller))["zone"])
        async with self._database.read() as connection:
            return Answered(tuple(_appointment(row, zone) for row in await _open(connection, caller)))

    async def book(self, caller: Caller, what: What, starts_at: str) -> Appointment:
        shop = await self._store(caller)
        _bookable(shop, caller, starts_at)
        values = {
            "id": f"apt-{token_hex(6)}",
            "customer": caller.customer,
            "store": caller.store,
            "advisor": None,
            "what": what,
            "starts_at": utc(starts_at),
            "state": "booked",
            "created_at": utc(caller.now),
        }

        async def job(connection: AsyncConnection) -> None:
            held = await _open(connection, caller)
            if any(row["starts_at"] == values["starts_at"] and row["what"] == what for row in held):
                raise Conflict(detail="booked already")
            if len(held) >= MAX_OPEN:
                raise Conflict(detail="too many appointments")
            await connection.execute(insert(schema.appointments).values(values))

        await self._database.write(job)
        return _appointment(values, ZoneInfo(shop["zone"]))

    async def change(self, caller: Caller, appointment: str, starts_at: str) -> Appointment:
        _bookable(await self._store(caller), caller, starts_at)
        return await self._turn(caller, appointment, {"starts_at": utc(starts_at), "state": "changed"})

    async def cancel(self, caller: Caller, appointment: str) -> Appointment:
        return await self._turn(caller, appointment, {"state": "cancelled"})

    async def _turn(self, caller: Caller, appointment: str, values: dict[str, str]) -> Appointment:
        zone = ZoneInfo((await self._store(caller))["zone"])
        table = schema.appointments

        async def job(connection: AsyncConnection) -> Any:
            mine = [row for row in await _open(connection, caller) if row["id"] == appointment]
            if not mine:
                raise NotYours(detail="no such appointment")
            await connection.execute(update(table).where(table.c.id == appointment).values(values))
            return dict(mine[0]) | values

        return _appointment(await self._database.write(job), zone)

    async def promised(self, caller: Caller) -> str | None:
        table = schema.callbacks
        coming = table.c.due_at > utc(caller.now)
        rows = await self._rows(select(table.c.due_at).where(_hers(caller), coming).order_by(table.c.due_at).limit(1))
        return str(rows[0]["due_at"]) if rows else None

    async def call_back(self, caller: Caller, due_at: str, message: str) -> None:
        """She waits for one call: another wish moves it, and what she said for it is kept."""
        table, due = schema.callbacks, utc(due_at)
        values = {
            "id": f"call-{token_hex(6)}",
            "conversation": caller.conversation,
            "customer": caller.customer,
            "store": caller.store,
            "due_at": due,
            "message": message[-MAX_MESSAGE:],
            "state": "open",
            "created_at": utc(caller.now),
        }

        async def job(connection: AsyncConnection) -> None:
            said = await connection.scalar(select(table.c.message).where(_hers(caller)).limit(1))
            if said is None:
                await connection.execute(insert(table).values(values))
                return
            moved = {"due_at": due, "message": _with(said, message)}
            await connection.execute(update(table).where(_hers(caller)).values(moved))

        await self._database.write(job)


def _hers(caller: Caller) -> ColumnElement[bool]:
    return (schema.callbacks.c.customer == caller.customer) & (schema.callbacks.c.state == "open")


def _with(said: str, more: str) -> str:
    """Both, each line once; the newest where there is no room for all."""
    lines = dict.fromkeys(line for line in (*said.split("\n"), *more.split("\n")) if line)
    return "\n".join(lines)[-MAX_MESSAGE:]


async def _open(connection: AsyncConnection, caller: Caller) -> list[Any]:
    """Her coming appointments, soonest first."""
    table = schema.appointments
    mine = (table.c.customer == caller.customer) & table.c.state.in_(("booked", "changed"))
    coming = table.c.starts_at >= utc(caller.now)
    return list((await connection.execute(select(table).where(mine, coming).order_by(table.c.starts_at))).mappings())


def _bookable(shop: Any, caller: Caller, starts_at: str) -> None:
    at = datetime.fromisoformat(starts_at)
    if at <= datetime.fromisoformat(caller.now):
        raise Conflict(detail="in the past")
    if not is_open(shop["hours"], at):
        raise Conflict(detail="closed then")


def _product(row: Any, store: str) -> ProductFacts:
    facts = row["facts"] or {}
    return ProductFacts(
        name=row["name"],
        name_en=row["name_en"],
        category=row["category"],
        stage=row["stage"],
        price_fen=row["price_fen"],
        stock=int((row["stock"] or {}).get(store, 0)),
        label=str(facts.get("zh", "")),
        label_en=str(facts.get("en", "")),
    )


def _order(row: Any) -> OrderFacts:
    names = ("id", "state", "carrier", "tracking", "eta")
    return OrderFacts(**{name: str(row[name]) for name in names}, placed_on=str(row["placed_at"])[:10])


def _appointment(row: Any, zone: ZoneInfo) -> Appointment:
    at = datetime.fromisoformat(row["starts_at"]).astimezone(zone)
    return Appointment(row["id"], row["what"], at.isoformat(timespec="minutes"), row["state"])
