"""Callers that cost little, so that a machine's second core can keep a whole gateway busy: what they say is encoded
once for all, and what they hear is judged by the size of its packets. The wire, ICE, DTLS and SRTP are real.
"""

import asyncio
from collections import deque
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.rtp import RtpPacket

from benchmarks.noises import band, said
from benchmarks.recordings import trimmed
from gateway.calls.client import CallClient
from media.audio import EAR_HZ, WIRE_HZ, Samples
from media.engines.pcm import resampled
from media.opus import FRAME_SAMPLES, OpusEncoder

LINES = (("en-us", "Where is my order today"), ("cmn", "这个奶粉怎么冲"), ("en-gb-x-rp", "I want the other one please"))
AUDIBLE_BYTES = 20
"""A frame of tone takes 60 to 100 bytes at the gateway's bit rate, one of silence 3 to 8."""
FRAME_S = 0.02
EVERY_S = 2.6
"""From the first sound of a reply to her next word: she speaks over it."""


def encoded(samples: Samples) -> list[bytes]:
    """`samples`: EAR_HZ. One Opus packet for each 20 ms."""
    wide = resampled(samples, EAR_HZ, WIRE_HZ)
    wide = np.pad(wide, (0, -len(wide) % FRAME_SAMPLES))
    encoder = OpusEncoder()
    return [encoder.encode(frame) for frame in wide.reshape(-1, FRAME_SAMPLES)]


def hiss() -> list[bytes]:
    """A quiet room, one second at -70 dBFS."""
    noise = band(np.random.default_rng(1).standard_normal(EAR_HZ), 100, 4000)
    return encoded((noise / noise.std() * 10).astype(np.int16))


def lines() -> list[list[bytes]]:
    return [encoded(trimmed(said(text, voice))) for voice, text in LINES]


class Tape(MediaStreamTrack):
    """Encoded frames at their pace: what is queued, else the hiss of a room."""

    kind = "audio"

    def __init__(self, room: list[bytes]) -> None:
        super().__init__()
        self._room, self._queue = room, deque[bytes]()
        self._n, self._began = 0, -1.0
        self._said = asyncio.Event()
        self.late = 0.0
        """Seconds the sender was behind at worst: this side's fault, not the gateway's."""

    async def recv(self) -> Any:
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began < 0 else self._began
        due = self._began + self._n * FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))
        self.late = max(self.late, loop.time() - due)
        packet: Any = av.Packet(self._queue.popleft() if self._queue else self._room[self._n % len(self._room)])
        packet.pts, packet.time_base = self._n * FRAME_SAMPLES, Fraction(1, WIRE_HZ)
        self._n += 1
        if not self._queue:
            self._said.set()
        return packet

    async def say(self, frames: list[bytes]) -> float:
        """Returns, once the last frame is handed over, when that was."""
        self._said.clear()
        self._queue.extend(frames)
        await self._said.wait()
        return asyncio.get_running_loop().time()


class Hearing:
    """In place of `gateway.calls.client.Hearing`: nothing is decoded."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._fresh = asyncio.Event()
        self.arrivals: list[float] = []
        self.first_packet: float | None = None
        self._sounds: deque[float] = deque(maxlen=500)

    def packet(self, packet: RtpPacket) -> None:
        now = self._loop.time()
        self.first_packet = self.first_packet or now
        self.arrivals.append(now)
        if len(packet.payload) > AUDIBLE_BYTES:
            self._sounds.append(now)
        self._fresh.set()

    async def sound(self, after: float) -> float:
        while (found := next((at for at in self._sounds if at > after), None)) is None:
            self._fresh.clear()
            await self._fresh.wait()
        return found


async def talk(client: CallClient, said: list[list[bytes]], replies: list[float], offset: int) -> None:
    """Over and over, into the assistant's eight seconds. Appends seconds from her last frame to the first sound of the
    reply; the one before was silenced within her first syllable."""
    tape, n = client.microphone, offset
    assert isinstance(tape, Tape)
    while True:
        ended = await tape.say(said[n % len(said)])
        replies.append(await client.hearing.sound(ended) - ended)
        await asyncio.sleep(EVERY_S - FRAME_S)
        n += 1
