"""A client that keeps its word: one message in flight, its nonce kept until the ack, resume after its last seq."""

import asyncio
import hashlib
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from tests.faults.checker import Seen, Sent

ACK_S = 5.0
SILENCE_S = 20.0
PING_S = 5.0
RETRYABLE = {"too_fast", "storage_busy", "storage_full", "unavailable", "draining", "internal", "busy"}
TROUBLE = (aiohttp.ClientError, ConnectionError, OSError, TimeoutError, asyncio.IncompleteReadError)


class Reconnect(Exception):
    """This connection is of no use any more."""


@dataclass
class Work:
    """What a member writes: at most `budget` messages, shared by all."""

    budget: int
    pace_s: float
    abandon: float = 0.0
    """How often an unacknowledged message is given up: it may then be stored once, or not at all."""
    duplicate: float = 0.0
    """How often a message is sent twice at once."""
    acked: int = 0
    quiet: bool = False

    @property
    def left(self) -> bool:
        return not self.quiet and self.acked < self.budget


@dataclass
class Member:
    name: str
    person: str
    token: str
    conversations: list[str]
    work: Work
    dice: random.Random
    writes: bool = True
    strict: bool = True
    """Keeps whatever comes: the gateway must send each event once, in order. Else like the page, on a line that doubles
    and swaps frames: what it has already it drops, at a hole it comes back and resumes."""
    sent: list[Sent] = field(default_factory=list)
    received: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    reconnects: int = 0
    _cursors: dict[str, int] = field(default_factory=dict)
    _flight: tuple[Sent, str] | None = None
    _answer: asyncio.Future[dict[str, Any]] | None = None

    async def run(self, url: str) -> None:
        """Until cancelled: connect, work, and come back with full jitter."""
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with asyncio.timeout(ACK_S):
                        socket = await http.ws_connect(url + "/ws", heartbeat=None, max_msg_size=0)
                    async with socket:
                        await self._connected(socket)
                except* (*TROUBLE, Reconnect):
                    pass
                self.reconnects += 1
                await asyncio.sleep(self.dice.uniform(0, 0.5))

    async def _connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        resume = {conversation: self._cursors.get(conversation, 0) for conversation in self.conversations}
        await socket.send_json({"type": "hello", "token": self.token, "resume": resume})
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(socket, ready))
            tasks.create_task(self._ping(socket))
            if self.writes:
                tasks.create_task(self._write(socket, ready))

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await socket.send_json({"type": "ping"})

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, ready: asyncio.Event) -> None:
        while True:
            frame = await socket.receive(timeout=SILENCE_S)  # nothing heard, not even a pong: half-open
            if frame.type != aiohttp.WSMsgType.TEXT:
                raise Reconnect
            message = json.loads(frame.data)
            match message["type"]:
                case "ready":
                    ready.set()
                case "event.appended":
                    self._take(message["event"])
                case "ack" | "error" if message.get("nonce") and self._answer and not self._answer.done():
                    if self._flight and self._flight[1] == message["nonce"]:
                        self._answer.set_result(message)
                case "error" if not message.get("nonce"):
                    raise Reconnect

    def _take(self, event: dict[str, Any]) -> None:
        """A strict one logs every event as it came: the checker, not the client, decides what is wrong."""
        conversation, seq = event["conversation"], event["seq"]
        if not self.strict:
            last = self._cursors.get(conversation, 0)
            if seq > last + 1:
                raise Reconnect
            if seq <= last:
                return
        self.received[conversation].append(seen(event))
        self._cursors[conversation] = seq

    # ------------------------------------------------------------ writing

    async def _write(self, socket: aiohttp.ClientWebSocketResponse, ready: asyncio.Event) -> None:
        await ready.wait()
        while self._flight or self.work.left:
            await self._deliver(socket)
            await asyncio.sleep(self.work.pace_s * self.dice.uniform(0.5, 1.5))

    def _next(self) -> tuple[Sent, str]:
        text = f"{self.name}/{len(self.sent)}"
        sent = Sent(self.dice.choice(self.conversations), self.name, text)
        self.sent.append(sent)
        return sent, uuid4().hex

    async def _deliver(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._flight = self._flight or self._next()
        sent, nonce = self._flight
        frame = {
            "type": "message.send",
            "conversation": sent.conversation,
            "nonce": nonce,
            "body": {"kind": "text", "text": sent.text},
        }
        self._answer = asyncio.get_running_loop().create_future()
        for _ in range(2 if self.dice.random() < self.work.duplicate else 1):
            await socket.send_json(frame)
        try:
            async with asyncio.timeout(ACK_S):
                answer = await self._answer
        except TimeoutError:
            if self.dice.random() < self.work.abandon:
                self._flight = None
            raise Reconnect from None
        await self._answered(sent, answer)

    async def _answered(self, sent: Sent, answer: dict[str, Any]) -> None:
        if answer["type"] == "ack":
            sent.seq = answer["seq"]
            self.work.acked += 1
            self._flight = None
        elif answer["code"] in RETRYABLE:
            await asyncio.sleep((answer.get("retry_after_ms") or 200) / 1000 * self.dice.uniform(0.2, 1.0))
        else:
            raise AssertionError(f"{self.name}: refused for good: {answer}")

    @property
    def settled(self) -> bool:
        return self._flight is None or not self.writes

    def caught_up(self, heads: dict[str, int]) -> bool:
        return all(self._cursors.get(conversation, 0) >= heads[conversation] for conversation in self.conversations)


def seen(event: dict[str, Any]) -> Seen:
    """What every reader must agree on; the nonce is the sender's alone."""
    body = event.get("body") or {}
    content = [event["kind"], event["sender"], event["epoch"], body, event.get("data")]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return Seen(event["seq"], body.get("text", ""), digest)
