"""A TCP proxy that is bad at its job: delay, stall (half-open), throttle, reset, refuse, deliver late or twice.

TCP itself keeps the order of one connection's bytes. What a network does reorder is connections: a frame of the one
that broke may arrive after the same frame sent again on the next (`Pair.abandon`).
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass

CHUNK = 16 * 1024


@dataclass
class Toxics:
    """What every connection suffers now."""

    delay_s: float = 0.0
    refuse: bool = False
    twice: bool = False
    """Every whole WebSocket frame of a client is delivered twice."""


def whole_frames(chunk: bytes) -> bool:
    """Nothing but complete, masked text frames (RFC 6455, 5.2): may be repeated without breaking the framing."""
    at = 0
    while at < len(chunk):
        head = chunk[at : at + 4]
        if len(head) < 4 or head[0] != 0x81 or not head[1] & 0x80:
            return False
        length = head[1] & 0x7F
        if length == 127:
            return False
        at += 6 + (length if length < 126 else 2 + int.from_bytes(head[2:4], "big"))
    return at == len(chunk) > 0


class Pair:
    """One connection through the proxy."""

    def __init__(self, toxics: Toxics) -> None:
        self._toxics = toxics
        self.up = asyncio.Event()  # cleared: bytes of the client go nowhere, and nobody is told
        self.down = asyncio.Event()
        self.up.set()
        self.down.set()
        self.bytes_per_s = 0.0
        self.late = False
        self.writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while chunk := await reader.read(CHUNK):
                if self._toxics.delay_s:
                    await asyncio.sleep(self._toxics.delay_s * random.uniform(0.5, 1.5))
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                await gate.wait()
                writer.write(chunk * 2 if self._doubled(chunk, gate) else chunk)
                await writer.drain()
        if not (self.late and gate is self.down):
            self.reset()

    def _doubled(self, chunk: bytes, gate: asyncio.Event) -> bool:
        return self._toxics.twice and gate is self.up and whole_frames(chunk)

    def abandon(self) -> None:
        """The client's side breaks; what it had sent is still on its way to the gateway."""
        self.late = True
        self.writers[0].transport.abort()

    def reset(self) -> None:
        """RST, whatever was on its way."""
        for writer in self.writers:
            writer.transport.abort()


class Proxy:
    def __init__(self, to_port: int) -> None:
        self.toxics = Toxics()
        self.pairs: set[Pair] = set()
        self._to = to_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for pair in tuple(self.pairs):
            pair.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        pair = Pair(self.toxics)
        pair.writers.append(writer)
        self.pairs.add(pair)
        try:
            if self.toxics.refuse:
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            pair.writers.append(far_writer)
            await asyncio.gather(pair.carry(reader, far_writer, pair.up), pair.carry(far_reader, writer, pair.down))
        except (OSError, asyncio.CancelledError):  # stop() cancels: there is nobody to tell
            pass
        finally:
            pair.reset()
            self.pairs.discard(pair)
            self._tasks.discard(task)

    def some(self, share: float, dice: random.Random) -> list[Pair]:
        """About `share` of the connections, at least one."""
        pairs = sorted(self.pairs, key=id)
        return dice.sample(pairs, max(1, int(len(pairs) * share))) if pairs else []

    def heal(self) -> None:
        self.toxics.delay_s, self.toxics.refuse, self.toxics.twice = 0.0, False, False
        for pair in self.pairs:
            pair.bytes_per_s = 0.0
            pair.up.set()
            pair.down.set()
