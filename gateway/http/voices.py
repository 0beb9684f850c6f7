"""/api/v1/stores/{store}/voice: how a store's assistant sounds from the next call on: voice, speed, greeting."""

import re
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.http.ask import Ask, answer
from gateway.store import audit, knowledge
from gateway.store.schema import stores
from signaling.protocol import Language

DISCLOSURE = re.compile(
    r"AI|人工智能|智能助手|智能语音|机器人|不是真人|automated|robot|not a (?:real )?person", re.IGNORECASE
)


class VoiceProfile(BaseModel):
    """What is left out is the engine's, or the usual greeting. `voice`: the synthesizer's name for it."""

    model_config = ConfigDict(extra="forbid")

    voice: dict[Language, Annotated[str, Field(min_length=1, max_length=80)]] = {}
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    greeting: dict[Language, Annotated[str, Field(min_length=4, max_length=200)]] = {}

    @field_validator("greeting")
    @classmethod
    def says_who_speaks(cls, greeting: dict[Language, str]) -> dict[Language, str]:
        """She is told with the first sound that this is no person; no store may leave that out."""
        if not all(DISCLOSURE.search(text) for text in greeting.values()):
            raise ValueError("the greeting must say that she talks to an AI assistant")
        return greeting


async def read(ask: Ask) -> web.StreamResponse:
    store = ask.part("store")
    async with ask.gateway.store.read() as connection:
        await knowledge.must_be_of(connection, store, ask.person.chain)
        kept = await connection.scalar(select(stores.c.voice).where(stores.c.id == store))
    return answer(VoiceProfile.model_validate(kept or {}))


async def write(ask: Ask) -> web.StreamResponse:
    """PUT."""
    store, profile, at = ask.part("store"), await ask.read(VoiceProfile), clock.now()

    async def job(connection: AsyncConnection) -> None:
        await knowledge.must_be_of(connection, store, ask.person.chain)
        await connection.execute(update(stores).where(stores.c.id == store).values(voice=profile.model_dump()))
        await audit.write(connection, ask.person.id, "store.voice", store, at=at, why=f"speed {profile.speed}")

    await ask.gateway.store.write(job)
    return answer(profile)
