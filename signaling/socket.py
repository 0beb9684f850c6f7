"""A WebSocket of aiohttp around the pure `connection`: two tasks a socket, one bounded queue out."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol
from uuid import uuid4

import structlog
from aiohttp import WSMsgType, web

from signaling import connection as machine
from signaling.connection import Deliver, Ended, Greet, Hangup, Probe, Received, Reply, Ticked, Welcomed
from signaling.protocol import ClientMessage, Draining, Error, Hello, Lagged, ServerMessage

MAX_OUTGOING = 512
"""Frames waiting for a slow reader. Overflow: `lagged`, then closed; the client resumes from its last seq."""

MAX_OUTGOING_BYTES = 4 * 1024 * 1024
LOW_WATER = 64
MAX_READ_BYTES = 1024 * 1024
"""What aiohttp reads at all. Between this and MAX_FRAME_BYTES a frame gets its coded error."""

DRAIN_RECONNECT_MS = 1_000
CLOSE_S = 2.0

log = structlog.get_logger()


class Visitor(Protocol):
    """Somebody's connection after hello, as the gateway sees it."""

    async def receive(self, message: ClientMessage) -> None:
        """Carry it out and answer over the link. Raises nothing a client could cause."""
        ...

    async def left(self) -> None: ...


class Desk(Protocol):
    """Where links report: the gateway's switchboard."""

    async def welcome(self, hello: Hello, link: "Link") -> Visitor | Error:
        """Who is it? Sends `ready` and what was missed, or gives the error to close with."""
        ...


class Link:
    """One WebSocket. `send` never waits; `room` is for those who can."""

    def __init__(
        self, socket: web.WebSocketResponse, tasks: asyncio.TaskGroup, credentials: str | None, address: str
    ) -> None:
        self.id = f"w-{uuid4().hex}"
        self.credentials = credentials
        """The session token of the handshake's cookie, if there was one."""
        self.address = address
        self._socket = socket
        self._tasks = tasks
        self._state = machine.opened(asyncio.get_running_loop().time())
        self._out: deque[str] = deque()
        self._out_bytes = 0
        self._wake = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._hangup: Hangup | None = None
        self._over = asyncio.Event()
        self.clean = False
        """The other side took all we had to say."""

    # ------------------------------------------------------------ for the gateway

    @property
    def open(self) -> bool:
        return self._hangup is None and self._state.phase is not machine.Phase.CLOSED

    def send(self, message: ServerMessage) -> None:
        self.send_text(message.model_dump_json(exclude_none=True))

    def send_text(self, frame: str) -> None:
        """A frame encoded before."""
        if self._hangup is not None:
            return
        self._out.append(frame)
        self._out_bytes += len(frame)
        if len(self._out) > MAX_OUTGOING or self._out_bytes > MAX_OUTGOING_BYTES:
            self.lag()
        elif len(self._out) > LOW_WATER:
            self._roomy.clear()
        self._wake.set()

    def lag(self) -> None:
        """Too slow: nothing it did not get is lost, it is in the log."""
        self._out.clear()
        self._out_bytes = 0
        self.send(Lagged())
        self.hang_up(4413, "lagged")

    async def room(self) -> None:
        """Until few frames wait: what a catch-up does between pages."""
        await self._roomy.wait()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that ends with this link."""
        self._tasks.create_task(work)

    def hang_up(self, code: int, reason: str) -> None:
        """What waits in the queue is still sent."""
        if self._hangup is None:
            self._hangup = Hangup(code, reason)
            self._state, _ = machine.advance(self._state, Ended())
        self._over.set()
        self._roomy.set()
        self._wake.set()

    # ------------------------------------------------------------ for the shell

    def feed(self, event: machine.Happening) -> list[Greet | Deliver]:
        """Advance; carry out what needs no waiting; give back what does."""
        self._state, effects = machine.advance(self._state, event)
        rest: list[Greet | Deliver] = []
        for effect in effects:
            match effect:
                case Reply(message):
                    self.send(message)
                case Probe():
                    self.spawn(self._probe())
                case Hangup(code, reason):
                    self.hang_up(code, reason)
                case Greet() | Deliver():
                    rest.append(effect)
        return rest

    async def _probe(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.ping()

    async def hung_up(self) -> None:
        await self._over.wait()

    async def write(self) -> None:
        """The only one that writes text frames; ends with the close frame."""
        with contextlib.suppress(ConnectionError):
            while self._out or self._hangup is None:
                await self._wake.wait()
                self._wake.clear()
                while self._out:
                    frame = self._out.popleft()
                    self._out_bytes -= len(frame)
                    await self._socket.send_str(frame)
                    if len(self._out) <= LOW_WATER:
                        self._roomy.set()
            await self._socket.close(code=self._hangup.code, message=self._hangup.reason.encode(), drain=False)
        self.hang_up(1006, "gone")

    async def read(self, desk: Desk) -> None:
        visitor: Visitor | None = None
        loop = asyncio.get_running_loop()
        try:
            async for frame in incoming(self._socket):
                for effect in self.feed(Received(frame, loop.time())):
                    match effect:
                        case Greet(hello):
                            visitor = await self._greet(desk, hello)
                        case Deliver(message):
                            assert visitor is not None
                            await visitor.receive(message)
        finally:
            self.hang_up(1000, "bye")
            if visitor is not None:
                await visitor.left()

    async def _greet(self, desk: Desk, hello: Hello) -> Visitor | None:
        outcome = await desk.welcome(hello, self)
        if isinstance(outcome, Error):
            self.send(outcome)
            self.hang_up(4401, str(outcome.code))
            return None
        self.feed(Welcomed())
        return outcome


async def incoming(socket: web.WebSocketResponse) -> AsyncIterator[str | bytes | None]:
    """Frames; None stands for a ping or pong, which is a sign of life and nothing else."""
    async for frame in socket:
        match frame.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                yield frame.data
            case WSMsgType.PING:
                await socket.pong(frame.data)
                yield None
            case WSMsgType.PONG:
                yield None
            case _:
                return


class Gone(Exception):
    """Ends the task group of a link: what was spawned on it ends with it."""


class Sockets:
    """All links of this gateway: opens them, ticks them, drains them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._links: set[Link] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._links)

    async def run(self) -> None:
        """Heartbeats and deadlines: one clock for all."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1.0)
            for link in tuple(self._links):
                link.feed(Ticked(loop.time()))

    def drain(self) -> None:
        """Tell all to come back to whoever serves next, and hang up."""
        self.draining = True
        for link in tuple(self._links):
            link.send(Draining(reconnect_in_ms=DRAIN_RECONNECT_MS))
            link.hang_up(1001, "draining")

    async def serve(self, request: web.Request, credentials: str | None, address: str) -> web.WebSocketResponse:
        """Whether this Origin may connect, and from which address it really comes, was settled by the caller."""
        socket = web.WebSocketResponse(autoping=False, max_msg_size=MAX_READ_BYTES, timeout=CLOSE_S, compress=False)
        await socket.prepare(request)
        try:
            async with asyncio.TaskGroup() as tasks:
                link = Link(socket, tasks, credentials, address)
                self._links.add(link)
                try:
                    await self._talk(link, tasks)
                finally:
                    self._links.discard(link)
                    if request.transport is not None and not link.clean:
                        request.transport.abort()  # what a dead reader did not take must not stay in memory
                raise Gone
        except* (Gone, ConnectionError):
            pass
        return socket

    async def _talk(self, link: Link, tasks: asyncio.TaskGroup) -> None:
        writer = tasks.create_task(link.write())
        reader = tasks.create_task(link.read(self._desk))
        await link.hung_up()
        await asyncio.wait((writer,), timeout=CLOSE_S)
        link.clean = writer.done()
        reader.cancel()
        await asyncio.wait((reader,), timeout=CLOSE_S)
