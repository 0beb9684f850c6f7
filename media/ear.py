"""Her microphone: RTP packets -> jitter buffer -> Opus at 16 kHz -> 20 ms chunks.

Audio time must run on even when nothing arrives (a muted track sends nothing, a line goes dead), because endpointing
counts audio seconds. So after `STALL_S` without a packet the ear feeds silence at the pace of the clock; what it fed
counts against the hole that shows up afterwards.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from media.audio import EAR_HZ, AudioChunk, Samples
from media.jitter import Arrived, JitterBuffer, Slot
from media.opus import OpusDecoder

CHUNK = EAR_HZ // 50
STALL_S = 0.12
_TICK_S = 0.02
_ROOM = 100  # chunks (2 s); overflow: the oldest goes, what she says now matters more


@dataclass(slots=True)
class EarCount:
    """Frames since the start: as sent, filled in for a lost packet, silence for a stalled line."""

    arrived: int = 0
    concealed: int = 0
    stalled: int = 0
    dropped: int = 0


class LegEar:
    """`media.ports.Ear`. One reader at a time; closing ends the iteration."""

    def __init__(self) -> None:
        self.count = EarCount()
        self._buffer = JitterBuffer()
        self._decoder = OpusDecoder(EAR_HZ)
        self._chunks: deque[AudioChunk] = deque()
        self._rest: Samples = np.empty(0, np.int16)
        self._fresh = asyncio.Event()
        self._closed = False
        self._ahead = 0  # stalled frames not yet set off against a hole
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ in

    def push(self, sequence: int, payload: bytes) -> None:
        """An Opus packet, in whatever order the line delivers."""
        self._heard_at = self._loop.time()
        for slot in self._buffer.push(sequence, payload):
            self._feed(slot)

    def _feed(self, slot: Slot) -> None:
        if isinstance(slot, Arrived):
            self.count.arrived += 1
            self._ahead = 0
            self._emit(self._decoder.decode(slot.payload))
        elif self._ahead:
            self._ahead -= 1
        else:
            self.count.concealed += 1
            recovered = self._decoder.recover(slot.following) if slot.following else self._decoder.conceal()
            self._emit(recovered)

    def _emit(self, pcm: Samples) -> None:
        pcm = np.concatenate((self._rest, pcm)) if len(self._rest) else pcm
        whole = len(pcm) - len(pcm) % CHUNK
        self._rest = pcm[whole:]
        for start in range(0, whole, CHUNK):
            self._append(AudioChunk(pcm[start : start + CHUNK], EAR_HZ))

    def _append(self, chunk: AudioChunk) -> None:
        if len(self._chunks) >= _ROOM:
            self._chunks.popleft()
            self.count.dropped += 1
        self._chunks.append(chunk)
        self._fresh.set()

    # ------------------------------------------------------------ a stalled line

    def open(self) -> None:
        """From now on audio time runs, packets or not."""
        if self._timer is None and not self._closed:
            self._heard_at = self._loop.time()
            self._tick()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        if self._loop.time() - self._heard_at > STALL_S:
            self.count.stalled += 1
            self._ahead += 1
            self._emit(np.zeros(CHUNK, np.int16))

    # ------------------------------------------------------------ out

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        self.open()
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self._closed:
                return
            self._fresh.clear()
            await self._fresh.wait()

    def close(self) -> None:
        self._closed = True
        if self._timer:
            self._timer.cancel()
        self._fresh.set()
