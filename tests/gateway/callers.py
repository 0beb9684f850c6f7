"""A customer or advisor on the line: the gateway's real wire, a real aiortc peer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiortc import MediaStreamTrack
from sqlalchemy import select

from gateway.store.schema import conversations, events, people
from tests.gateway.served import Client, Served
from tests.media.browser import Browser, Tone

WAIT_S = 30.0


@dataclass
class OnLine:
    client: Client
    browser: Browser
    conversation: str
    call: str = ""
    read: set[int] = field(default_factory=set)

    async def standby(self, peer: str = "p1") -> None:
        await self.client.say("peer.offer", peer=peer, sdp=await self.browser.offer())
        answered = await self.message("peer.answered", peer=peer)
        await self.browser.accept(answered["sdp"])
        await self.browser.connected()

    async def start(self, peer: str = "p1", media: str = "voice") -> dict[str, str]:
        answer = await self.client.ask("call.start", conversation=self.conversation, media=media, peer=peer)
        self.call = answer.get("call", "")
        return answer

    async def frame(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame that fits, also among those that came while something else was waited for; each once."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for n, frame in enumerate(self.client.got):
                    if n not in self.read and fits(frame):
                        self.read.add(n)
                        return frame
                await self.client.next()

    async def state(self, state: str) -> dict[str, Any]:
        """The call in this state."""
        found = await self.frame(lambda f: f["type"] == "call.changed" and f["call"]["state"] == state)
        return found["call"]  # type: ignore[no-any-return]

    async def event(self, kind: str, **fits: Any) -> dict[str, Any]:
        found = await self.frame(
            lambda f: (
                f["type"] == "event.appended"
                and f["event"]["kind"] == kind
                and all(f["event"].get(name) == value for name, value in fits.items())
            )
        )
        return found["event"]  # type: ignore[no-any-return]

    async def message(self, type_: str, **fits: Any) -> dict[str, Any]:
        return await self.frame(
            lambda f: f["type"] == type_ and all(f.get(name) == value for name, value in fits.items())
        )


@asynccontextmanager
async def on_line(
    house: Served,
    person: str,
    hz: float = 600,
    conversation: str = "",
    audio: MediaStreamTrack | None = None,
    language: str | None = None,
) -> AsyncIterator[OnLine]:
    browser = Browser(audio=audio or Tone(hz))
    thread = conversation or await house.conversation(person)  # before hello: she follows it from the start
    try:
        async with house.connect(person, language) as client:
            yield OnLine(client, browser, thread)
    finally:
        await browser.close()


async def somebody(house: Served, role: str, n: int = 0, store: str | None = None) -> str:
    async with house.gateway.store.read() as connection:
        query = select(people.c.id).where(people.c.role == role).order_by(people.c.id)
        if store:
            query = query.where(people.c.store == store)
        return (await connection.execute(query)).scalars().all()[n]


async def neighbour(house: Served) -> str:
    """A customer of a store with two advisors."""
    async with house.gateway.store.read() as connection:
        found = (await connection.execute(select(people.c.store, people.c.role, people.c.id))).all()
    busy = next(s for s, role, _ in found if [(x, r) for x, r, _ in found].count((s, "advisor")) > 1)
    return next(id_ for s, role, id_ in found if s == busy and role == "customer")


async def advisor_of(house: Served, conversation: str, n: int = 0) -> str:
    async with house.gateway.store.read() as connection:
        query = select(conversations.c.store).where(conversations.c.id == conversation)
        store = (await connection.execute(query)).scalar_one()
    return await somebody(house, "advisor", n, store)


async def rows(house: Served, table, **fits):
    async with house.gateway.store.read() as connection:
        query = select(table)
        for name, value in fits.items():
            query = query.where(table.c[name] == value)
        return (await connection.execute(query)).mappings().all()


async def quiet(house: Served) -> None:
    """Until no room is left."""
    async with asyncio.timeout(8):
        while house.gateway.calls.rooms.open:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def said(house: Served, conversation: str, answers: int) -> None:
    async with asyncio.timeout(15):
        while len(await spoken(house, conversation)) < answers:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def spoken(house: Served, conversation: str) -> list[Any]:
    """Answers of the voice in the log: the greeting is a text."""
    said = await rows(house, events, conversation=conversation, role="assistant", kind="message.sent")
    return [row for row in said if row["body"]["kind"] == "speech" and row["body"]["text"].startswith("Reply")]
