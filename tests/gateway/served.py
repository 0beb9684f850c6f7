"""A real gateway in this process on a free port, and clients that speak its protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from blockbuster import blockbuster_ctx

from gateway import clock
from gateway.app import Gateway, running
from gateway.commands.serve import address, bind, listen
from gateway.demo import load
from gateway.http.routes import application
from gateway.settings import Settings
from gateway.store import people
from tests.media.browser import close_all

WAIT_S = 10.0


@dataclass
class Served:
    gateway: Gateway
    url: str
    http: aiohttp.ClientSession

    async def token(self, person: str) -> str:
        return await self.gateway.store.write(lambda c: people.start_session(c, person, clock.now()))

    async def conversation(self, person: str) -> str:
        async with self.gateway.store.read() as connection:
            found = await people.get(connection, person)
        assert found is not None
        assert found.store is not None
        return (await self.gateway.chat.conversation_for(found, found.store)).id

    @asynccontextmanager
    async def connect(
        self, person: str, language: str | None = None, *, address: str = "", **resume: int
    ) -> AsyncIterator["Client"]:
        headers = {"X-Forwarded-For": address} if address else {}
        async with self.http.ws_connect(self.url + "/ws", headers=headers) as socket:
            client = Client(socket)
            await client.hello(await self.token(person), resume, language)
            yield client

    async def call(self, person: str | None, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """(status, JSON) of a REST request as this person."""
        headers = {"Authorization": f"Bearer {await self.token(person)}"} if person else {}
        content = body or None
        async with self.http.request(method, self.url + path, json=content, headers=headers) as response:
            text = await response.text()
            return response.status, await response.json() if text else None


@dataclass
class Client:
    """Keeps everything it got; `until` reads on to the first frame that fits."""

    socket: aiohttp.ClientWebSocketResponse
    got: list[dict[str, Any]] = field(default_factory=list)
    ready: dict[str, Any] = field(default_factory=dict)

    async def hello(self, token: str, resume: dict[str, int], language: str | None = None) -> None:
        await self.say("hello", token=token, resume=resume, language=language)
        self.ready = await self.until("ready")

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send with a nonce; give its answer."""
        nonce = fields.pop("nonce", None) or uuid4().hex
        await self.say(kind, nonce=nonce, **fields)
        while True:
            frame = await self.next()
            if frame.get("nonce") == nonce and frame["type"] != "event.appended":
                return frame

    async def send(self, conversation: str, text: str, nonce: str | None = None) -> dict[str, Any]:
        body = {"kind": "text", "text": text}
        return await self.ask("message.send", conversation=conversation, body=body, nonce=nonce)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            frame: dict[str, Any] = await self.socket.receive_json()
        self.got.append(frame)
        return frame

    async def until(self, type_: str, /, **fits: Any) -> dict[str, Any]:
        """The first frame of this type, from now on, whose fields (or whose event's fields) are these."""
        while True:
            frame = await self.next()
            inner = frame.get("event", frame)
            if frame["type"] == type_ and all(inner.get(name) == value for name, value in fits.items()):
                return inner  # type: ignore[no-any-return]

    async def event(self, **fits: Any) -> dict[str, Any]:
        return await self.until("event.appended", **fits)

    def seqs(self, conversation: str) -> list[int]:
        events = [frame["event"] for frame in self.got if frame["type"] == "event.appended"]
        return [event["seq"] for event in events if event["conversation"] == conversation]


async def chatting(
    mother: Client, advisor: Client, conversation: str, over: asyncio.Event
) -> tuple[list[int], list[int]]:
    """Messages until `over`, while something else happens: acknowledged seqs, and what the advisor got."""
    acked: list[int] = []
    heard: list[int] = []
    while not over.is_set():
        acked.append((await mother.send(conversation, f"message {len(acked)}"))["seq"])
        # Read at once: a reader that answers no ping for 25 s is taken for gone, and rightly so.
        heard.append((await advisor.event(seq=acked[-1]))["seq"])
        await asyncio.sleep(0.05)
    return acked, heard


@asynccontextmanager
async def served(settings: Settings, *, watched: bool = False) -> AsyncIterator[Served]:
    """`watched`: once it serves, a blocking call that our code makes on the event loop is an error."""
    with bind(settings) as door:
        async with running(settings) as gateway, aiohttp.ClientSession() as http:
            await load(gateway.store)
            runner = web.AppRunner(application(gateway), access_log=None, shutdown_timeout=1)
            await runner.setup()
            try:
                await listen(runner, door)
                with blockbuster_ctx(scanned_modules=["gateway", "signaling"]) if watched else nullcontext():
                    yield Served(gateway, address(door, settings), http)
            finally:
                await close_all()
                await runner.cleanup()
