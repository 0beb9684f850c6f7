"""A TCP proxy that is bad at its job: delay, stall (half-open), throttle, reset, refuse, deliver late, twice, swapped.

TCP itself keeps the order of one connection's bytes. What a network does reorder is connections: a frame of the one
that broke may arrive after the same frame sent again on the next (`Pair.abandon`).
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass

CHUNK = 16 * 1024
GATHER_S = 0.05


@dataclass
class Toxics:
    """What every connection suffers now."""

    delay_s: float = 0.0
    refuse: bool = False
    twice: bool = False
    """Every whole WebSocket frame of a client is delivered twice."""
    echo: float = 0.0
    """How often frames of the gateway are delivered twice."""
    swap: float = 0.0
    """How often frames of the gateway are delivered last first."""
    doubled: int = 0
    """Reads of client frames that were delivered twice."""
    echoed: int = 0
    swapped: int = 0


def frames(chunk: bytes) -> list[bytes]:
    """The chunk as complete text frames (RFC 6455, 5.2), which may be repeated or moved without breaking the framing;
    nothing if there is anything else in it."""
    found: list[bytes] = []
    at = 0
    while at < len(chunk):
        head = chunk[at : at + 4]
        length = head[1] & 0x7F if len(head) > 1 else 127
        if head[0] != 0x81 or length == 127 or (length == 126 and len(head) < 4):
            return []
        mask = 4 if head[1] & 0x80 else 0
        end = at + 2 + mask + (length if length < 126 else 2 + int.from_bytes(head[2:4], "big"))
        found.append(chunk[at:end])
        at = end
    return found if at == len(chunk) else []


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
        self.websocket = False
        self.writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while chunk := await reader.read(CHUNK):
                self.websocket |= chunk.startswith(b"GET /ws ")
                if self._toxics.delay_s:
                    await asyncio.sleep(self._toxics.delay_s * random.uniform(0.5, 1.5))
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                await gate.wait()
                writer.write(await self._mangled(chunk, reader, gate))
                await writer.drain()
        if not (self.late and gate is self.down):
            self.reset()

    async def _mangled(self, chunk: bytes, reader: asyncio.StreamReader, gate: asyncio.Event) -> bytes:
        toxics, down = self._toxics, gate is self.down
        if down and random.random() < toxics.swap and frames(chunk):
            with contextlib.suppress(TimeoutError):  # something to swap it with
                async with asyncio.timeout(GATHER_S):
                    chunk += await reader.read(CHUNK)
            toxics.swapped += len(frames(chunk)) > 1
            chunk = b"".join(reversed(frames(chunk))) or chunk
        if (random.random() < toxics.echo if down else toxics.twice) and frames(chunk):
            toxics.echoed += down
            toxics.doubled += not down
            chunk *= 2
        return chunk

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
        toxics = self.toxics
        toxics.delay_s, toxics.refuse, toxics.twice, toxics.echo, toxics.swap = 0.0, False, False, 0.0, 0.0
        for pair in self.pairs:
            pair.bytes_per_s = 0.0
            pair.up.set()
            pair.down.set()
