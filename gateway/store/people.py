"""Rows of people, their signed-in sessions, sign-in codes and conversations."""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.domain.conversation import Conversation
from gateway.domain.people import Person
from gateway.store import log
from gateway.store.schema import babies, conversations, people, sessions, sign_in_codes, stores
from signaling.protocol import BabyView

TOKEN_BYTES = 32
SESSION_S = 30 * 24 * 3600.0
CODE_S = 30 * 60.0

# Made once (see gateway.store.log): these are asked for with every question and every request.
GET = select(people).where(people.c.id == bindparam("person"))
BABIES = select(babies).where(babies.c.customer == bindparam("customer")).order_by(babies.c.born_on)
STORE = select(stores).where(stores.c.id == bindparam("store"))
BY_TOKEN = (
    select(people)
    .join(sessions, sessions.c.person == people.c.id)
    .where(sessions.c.token_hash == bindparam("token_hash"), sessions.c.expires_at > bindparam("at"))
)

FIELDS = ("id", "chain", "role", "name", "store", "guest", "on_duty", "language", "member")


def new_id(prefix: str) -> str:
    """`c-…`: 128 random bits, a prefix for the reader's eye."""
    return f"{prefix}-{secrets.token_hex(16)}"


def hashed(secret: str) -> str:
    """Tokens are 256 random bits: a plain hash is enough, nothing can be guessed."""
    return sha256(secret.encode()).hexdigest()


def person_of(row: RowMapping | Mapping[str, Any]) -> Person:
    return Person(**{name: row[name] for name in FIELDS})


async def get(connection: AsyncConnection, person: str) -> Person | None:
    row = (await connection.execute(GET, {"person": person})).mappings().first()
    return person_of(row) if row is not None else None


async def speaks(connection: AsyncConnection, person: str, language: str) -> None:
    """What the pages are shown in."""
    await connection.execute(update(people).where(people.c.id == person).values(language=language))


async def by_external(connection: AsyncConnection, chain: str, external: str) -> Person | None:
    query = select(people).where(people.c.chain == chain, people.c.external_id == external)
    row = (await connection.execute(query)).mappings().first()
    return person_of(row) if row is not None else None


async def staff_of(connection: AsyncConnection, chain: str, store: str) -> list[Person]:
    """Advisors of the store and managers of the chain."""
    query = select(people).where(
        people.c.chain == chain,
        (people.c.role == "manager") | ((people.c.role == "advisor") & (people.c.store == store)),
    )
    return [person_of(row) for row in (await connection.execute(query)).mappings()]


async def babies_of(connection: AsyncConnection, customer: str) -> tuple[BabyView, ...]:
    rows = await connection.execute(BABIES, {"customer": customer})
    return tuple(BabyView(name=row["name"], born_on=row["born_on"]) for row in rows.mappings())


async def store_row(connection: AsyncConnection, store: str) -> RowMapping | None:
    return (await connection.execute(STORE, {"store": store})).mappings().first()


async def stores_of(connection: AsyncConnection, chain: str) -> list[RowMapping]:
    query = select(stores).where(stores.c.chain == chain).order_by(stores.c.id)
    return list((await connection.execute(query)).mappings())


async def add(
    connection: AsyncConnection,
    *,
    chain: str,
    role: str,
    name: str,
    store: str | None,
    at: str,
    external_id: str | None = None,
    guest: bool = False,
    language: str = "zh",
) -> Person:
    row: dict[str, Any] = {
        "id": new_id("p"),
        "chain": chain,
        "role": role,
        "name": name,
        "store": store,
        "external_id": external_id,
        "guest": guest,
        "on_duty": False,
        "language": language,
        "member": {},
        "created_at": at,
    }
    await connection.execute(insert(people).values(row))
    return person_of(row)


# ---------------------------------------------------------------- conversations


async def conversation_of(connection: AsyncConnection, customer: str) -> Conversation | None:
    """Her one lasting thread."""
    query = select(*log.COLUMNS).where(conversations.c.customer == customer)
    row = (await connection.execute(query)).mappings().first()
    return log.conversation_of(row) if row is not None else None


async def open_conversation(connection: AsyncConnection, person: Person, store: str, at: str) -> str:
    """An empty thread; its first facts are the chat's to write."""
    identity = new_id("c")
    row = {"id": identity, "chain": person.chain, "store": store, "customer": person.id, "created_at": at}
    await connection.execute(insert(conversations).values(row))
    return identity


# ---------------------------------------------------------------- signed in


async def start_session(connection: AsyncConnection, person: str, at: str) -> str:
    """Gives the token; only its hash is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "token_hash": hashed(token),
        "person": person,
        "created_at": at,
        "expires_at": clock.after(at, SESSION_S),
    }
    await connection.execute(insert(sessions).values(row))
    return token


async def by_token(connection: AsyncConnection, token: str, at: str) -> Person | None:
    row = (await connection.execute(BY_TOKEN, {"token_hash": hashed(token), "at": at})).mappings().first()
    return person_of(row) if row is not None else None


async def new_code(connection: AsyncConnection, person: str, at: str) -> str:
    code = secrets.token_urlsafe(16)  # 128 bits
    row = {"code_hash": hashed(code), "person": person, "expires_at": clock.after(at, CODE_S)}
    await connection.execute(insert(sign_in_codes).values(row))
    return code


async def use_code(connection: AsyncConnection, code: str, at: str) -> Person | None:
    """None: never given out, used already, or too old. The update decides, so two clicks have one winner."""
    used = await connection.execute(
        update(sign_in_codes)
        .where(
            sign_in_codes.c.code_hash == hashed(code),
            sign_in_codes.c.used_at.is_(None),
            sign_in_codes.c.expires_at > at,
        )
        .values(used_at=at)
        .returning(sign_in_codes.c.person)
    )
    person = used.scalar()
    return await get(connection, person) if person else None


async def end_session(connection: AsyncConnection, token: str) -> None:
    await connection.execute(delete(sessions).where(sessions.c.token_hash == hashed(token)))
