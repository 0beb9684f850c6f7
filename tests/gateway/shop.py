"""A small shop in a fresh database: two stores, two customers, an advisor each, a manager."""

from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.chat import Chat
from gateway.domain.people import Person
from gateway.hub import Hub
from gateway.store import people
from gateway.store.engine import Store
from gateway.store.schema import chains, stores

AT = "2026-11-22T09:00:00.000000Z"


@dataclass(frozen=True)
class Shop:
    store: Store
    chat: Chat
    anna: Person
    bella: Person
    advisor: Person
    stranger: Person
    manager: Person
    anna_chat: str
    bella_chat: str


async def furnished(store: Store, chat: Chat | None = None) -> Shop:
    """Anna and the advisor belong to store `s1`, Bella and the stranger (an advisor) to `s2`."""

    async def job(connection: AsyncConnection) -> list[Person]:
        await connection.execute(insert(chains).values(id="shop", name="Shop"))
        for name in ("s1", "s2"):
            await connection.execute(insert(stores).values(id=name, chain="shop", name=name, hours={}))
        wanted = (("customer", "Anna", "s1"), ("customer", "Bella", "s2"), ("advisor", "Wang", "s1"))
        wanted += (("advisor", "Stranger", "s2"), ("manager", "Boss", None))
        return [
            await people.add(connection, chain="shop", role=role, name=name, store=where, at=AT)
            for role, name, where in wanted
        ]

    anna, bella, advisor, stranger, manager = await store.write(job)
    chat = chat or Chat(store, Hub())
    anna_chat = (await chat.conversation_for(anna, "s1")).id
    bella_chat = (await chat.conversation_for(bella, "s2")).id
    return Shop(store, chat, anna, bella, advisor, stranger, manager, anna_chat, bella_chat)
