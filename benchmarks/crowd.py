"""A thousand pages: WebSocket clients in one process that send, hear, are cut off and come back."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

CONNECT_AT_ONCE = 100
PATIENCE_S = 120.0
BACKOFF_S = (0.1, 3.0)


@dataclass
class Seat:
    """Who sits here: `hello` is its first frame; `conversation` what it follows; `seq` the last event it has."""

    hello: Callable[["Seat"], str]
    conversation: str
    seq: int = 0
    head: int = 0
    socket: aiohttp.ClientWebSocketResponse | None = None
    visit: int = 0
    """Grows with every cut: who still sits here from before goes."""
    back_at: float = 0.0
    """When it was in sync again: ready, and everything up to the head it was told of."""

    @property
    def synced(self) -> bool:
        return self.back_at > 0


@dataclass
class Heard:
    """Seconds from the moment a message was due until its ack, and until it was on the other's screen. `late`: until
    the crowd itself got round to sending it; the part of the others that is the loader's own."""

    ack: list[float] = field(default_factory=list)
    delivery: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Crowd:
    def __init__(self, url: str, seats: list[Seat], *, echo: bool = False) -> None:
        self.url, self.seats, self.echo = url, seats, echo
        self.heard = Heard()
        self._due: dict[str, tuple[Seat, float]] = {}
        self._tasks: asyncio.TaskGroup
        self._http: aiohttp.ClientSession
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> "Crowd":
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._tasks = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.cut()
        await self._tasks.__aexit__(*error)
        await self._http.close()

    # ------------------------------------------------------------ coming and going

    async def arrive(self) -> None:
        """All in, a hundred at a time."""
        for start in range(0, len(self.seats), CONNECT_AT_ONCE):
            await self.storm(self.seats[start : start + CONNECT_AT_ONCE])

    async def storm(self, seats: list[Seat] | None = None) -> list[float]:
        """These, or all, at the same moment, retrying with full jitter; seconds until each is in sync."""
        seats = seats or self.seats
        start = self._loop.time()
        for seat in seats:
            seat.back_at = 0.0
            self._tasks.create_task(self._sit(seat))
        async with asyncio.timeout(PATIENCE_S):
            while not all(seat.synced for seat in seats):  # noqa: ASYNC110 - the seats tell nobody
                await asyncio.sleep(0.01)
        return [seat.back_at - start for seat in seats]

    def cut(self) -> None:
        """Every connection gone at once, without goodbye."""
        for seat in self.seats:
            if seat.socket is not None:
                _abort(seat.socket)
            seat.socket = None
            seat.visit += 1

    async def _sit(self, seat: Seat) -> None:
        """Until in sync once: whoever was turned away tries again, with full jitter, like the page does."""
        visit = seat.visit
        for attempt in range(40):
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._http.ws_connect(self.url, compress=0, max_msg_size=0) as socket:
                    if seat.visit != visit:
                        return
                    await socket.send_str(seat.hello(seat))
                    await self._listen(seat, socket)
            if seat.synced or seat.visit != visit:
                return
            await asyncio.sleep(random.uniform(0, min(BACKOFF_S[1], BACKOFF_S[0] * 2**attempt)))
        raise RuntimeError("the gateway never came back")

    async def _listen(self, seat: Seat, socket: aiohttp.ClientWebSocketResponse) -> None:
        seat.socket = socket
        async for frame in socket:
            if seat.socket is not socket:
                return
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._hear(seat, frame.data)

    # ------------------------------------------------------------ talking

    def _hear(self, seat: Seat, text: str) -> None:
        frame, now = json.loads(text), self._loop.time()
        match frame["type"]:
            case "ready":
                seat.head = frame.get("conversations", {}).get(seat.conversation, 0)
            case "ack":
                self.heard.ack.append(now - self._due[frame["nonce"]][1])
            case "event.appended":
                seat.seq = max(seat.seq, frame["event"]["seq"])
                self._shown(seat, (frame["event"].get("body") or {}).get("text", ""), now)
            case "message.send":  # the echo
                if self._due[frame["nonce"]][0] is seat:
                    self.heard.ack.append(now - self._due[frame["nonce"]][1])
                self._shown(seat, frame["body"]["text"], now)
            case "error" | "lagged":
                self.heard.refused.append(frame.get("code", frame["type"]))
        if not seat.synced and seat.seq >= seat.head:
            seat.back_at = now

    def _shown(self, seat: Seat, text: str, now: float) -> None:
        sender, due = self._due.get(text.split(" ", 1)[0], (seat, 0.0))
        if sender is not seat:
            self.heard.delivery.append(now - due)

    async def talk(self, rate: float, seconds: float, words: str) -> Heard:
        """Open loop: each message has its moment, whether or not the ones before are acked."""
        self.heard, start = Heard(), self._loop.time()
        for n in range(int(rate * seconds)):
            due = start + n / rate
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            self.heard.late.append(self._loop.time() - due)
            await self._say(random.choice(self.seats), f"n{n:07}-{random.getrandbits(32):08x}", due, words)
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard.ack) + len(self.heard.refused) < int(rate * seconds):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        return self.heard

    async def _say(self, seat: Seat, nonce: str, due: float, words: str) -> None:
        self._due[nonce] = (seat, due)
        body = {"kind": "text", "text": f"{nonce} {words}"}
        message = {"type": "message.send", "conversation": seat.conversation, "nonce": nonce, "body": body}
        assert seat.socket is not None
        await seat.socket.send_str(json.dumps(message))


def _abort(socket: aiohttp.ClientWebSocketResponse) -> None:
    connection = socket._response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
