"""/api/v1/stores: the chain's; …/{store}/rules: for which matters, and up to which age, a store wants a person."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.dialogue.handoff import Matter
from gateway.http.ask import Ask, answer
from gateway.store import audit, knowledge, people


class Rule(BaseModel):
    """A person in this matter; with `under_days` only for younger children, an unknown age counting as young."""

    model_config = ConfigDict(extra="forbid")

    matter: Matter
    under_days: Annotated[int, Field(gt=0, le=40_000)] | None = None


class Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_for: Annotated[tuple[Rule, ...], Field(max_length=20)] = ()


class StoreName(BaseModel):
    id: str
    name: str
    name_en: str


class Stores(BaseModel):
    items: tuple[StoreName, ...]


async def stores(ask: Ask) -> web.StreamResponse:
    async with ask.gateway.store.read() as connection:
        found = await people.stores_of(connection, ask.person.chain)
    return answer(
        Stores(items=tuple(StoreName(id=row["id"], name=row["name"], name_en=row["name_en"]) for row in found))
    )


async def read(ask: Ask) -> web.StreamResponse:
    store = ask.part("store")
    async with ask.gateway.store.read() as connection:
        await knowledge.must_be_of(connection, store, ask.person.chain)
        return answer(Rules.model_validate(await knowledge.rules_of(connection, store)))


async def write(ask: Ask) -> web.StreamResponse:
    """PUT. The assistant follows within a minute."""
    store, rules, at = ask.part("store"), await ask.read(Rules), clock.now()
    kept = rules.model_dump(exclude_none=True)
    why = ", ".join(f"{rule.matter} < {rule.under_days or '∞'}" for rule in rules.person_for)

    async def job(connection: AsyncConnection) -> None:
        await knowledge.must_be_of(connection, store, ask.person.chain)
        await knowledge.keep_rules(connection, store, kept)
        await audit.write(connection, ask.person.id, "store.rules", store, at=at, why=why)

    await ask.gateway.store.write(job)
    return answer(rules)
