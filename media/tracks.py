"""What a leg sends: one never-ending track per sender, whose source is switched inside.

A track that ends, raises or changes its rate kills aiortc's sender for good, and replacing it drops half a second of
audio and may freeze video. So a sender keeps one track for its life and everything is *pushed* into it as encoded
frames: the assistant's voice by a `Pacer`, another leg's audio and video by a `Bridge`. Timestamps of each source are
moved onto the track's own continuous timeline (`Timeline`, PURE): SSRC, sequence and codec never break.

A new source takes over with its first frame (video: its first key frame), not before: make before break.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from media.audio import WIRE_HZ, Samples
from media.opus import FRAME_SAMPLES, SILENCE, OpusEncoder

VIDEO_HZ = 90_000
_AUDIO_ROOM = 25  # packets (0.5 s); overflow: the oldest goes
_VIDEO_ROOM = 60  # frames (2 s); overflow: all go, wait for a key frame

Packet: TypeAlias = "av.Packet[Any]"

Source = object
"""Whoever pushes; compared by identity."""


@dataclass(slots=True)
class Timeline:
    """PURE: source timestamps -> one continuous timeline of `rate_hz`. A switch leaves the time that really passed,
    and at least `step`."""

    rate_hz: int
    step: int
    _offset: int | None = None
    _last: int = 0
    _last_at: float | None = None

    def switch(self) -> None:
        self._offset = None

    def place(self, timestamp: int, now: float) -> int:
        """`now`: seconds on any steady clock. Strictly increasing."""
        if self._offset is None:
            self._offset = self._next(now) - timestamp
        placed = timestamp + self._offset
        if self._last_at is not None and placed <= self._last:
            placed = self._last + self.step
            self._offset = placed - timestamp
        self._last, self._last_at = placed, now
        return placed

    def _next(self, now: float) -> int:
        if self._last_at is None:
            return 0
        steps = round((now - self._last_at) * self.rate_hz / self.step)
        return self._last + max(1, steps) * self.step


class SentTrack(MediaStreamTrack):
    """Encoded frames pushed in, `av.Packet`s out: the sender packs them without encoding."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._rate = WIRE_HZ if kind == "audio" else VIDEO_HZ
        self._time_base = Fraction(1, self._rate)
        self._room = _AUDIO_ROOM if kind == "audio" else _VIDEO_ROOM
        self._timeline = Timeline(self._rate, FRAME_SAMPLES if kind == "audio" else VIDEO_HZ // 1000)
        self._frames: deque[Packet] = deque()
        self._fresh = asyncio.Event()
        self._source: Source | None = None
        self._next: Source | None = None
        self.first_sent_at: float | None = None
        self.sent = 0

    # ------------------------------------------------------------ sources

    def take(self, source: Source) -> None:
        """`source` replaces the present one with its first (key) frame."""
        self._next = source

    def drop(self, source: Source) -> None:
        """Nothing more of this source is sent."""
        if self._next is source:
            self._next = None
        if self._source is source:
            self._source = None
            self._frames.clear()

    def waits_for(self, source: Source) -> bool:
        """`source` has been taken but has not shown its first (key) frame."""
        return self._next is source

    def push(self, source: Source, data: bytes, timestamp: int, *, key: bool = True) -> bool:
        """A frame of `source`; False when it is neither the present nor the coming one, and may stop."""
        if source is self._next and key:
            self._source, self._next = source, None
            self._frames.clear()
            self._timeline.switch()
        if source is not self._source:
            return source is self._next
        if len(self._frames) >= self._room:
            self._overflow(source)
        else:
            self._append(data, timestamp, key)
        return True

    def _overflow(self, source: Source) -> None:
        if self.kind == "audio":
            self._frames.popleft()
        else:
            self._frames.clear()
            self._source, self._next = None, source

    def _append(self, data: bytes, timestamp: int, key: bool) -> None:
        packet = av.Packet(data)
        packet.pts = self._timeline.place(timestamp, asyncio.get_running_loop().time())
        packet.time_base = self._time_base
        packet.is_keyframe = key
        self._frames.append(packet)
        self._fresh.set()

    # ------------------------------------------------------------ sender

    async def recv(self) -> Packet:
        while not self._frames:
            if self.readyState != "live":
                raise MediaStreamError
            self._fresh.clear()
            await self._fresh.wait()
        self.sent += 1
        if self.first_sent_at is None:
            self.first_sent_at = asyncio.get_running_loop().time()
        return self._frames.popleft()

    def stop(self) -> None:
        super().stop()
        self._fresh.set()


class Pacer:
    """Pulls 20 ms of 48 kHz PCM at a steady pace, encodes it and pushes it into a track.

    `pull` returns shape [960] int16, or None for silence. A late loop is caught up with at most `_BURST` frames at
    once; beyond that time is let go. Long silence is sent as Opus' three-byte frame instead of being encoded.

    The first sound on a track goes with the two frames behind it, and the pace keeps that lead: a browser whose player
    already runs waits until its jitter buffer (NetEq) holds half of its 80 ms target before it plays anything, and
    one whose player does not, plays the first frame and then runs dry. With the lead it does neither.
    """

    _HEAD_S = 0.005
    _LEAD_S = 0.04
    _BURST = 5
    _SETTLE = 5  # silent frames still encoded, so that the encoder fades out

    def __init__(self, track: SentTrack, pull: Callable[[], Samples | None]) -> None:
        self._track, self._pull = track, pull
        self._encoder = OpusEncoder()
        self._timestamp = 0
        self._silent = 0
        self._leads = track.sent > 0
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self.late = 0

    def start(self) -> None:
        """The first frame goes in a moment: whoever speaks first has put it there by then, and not 20 ms later."""
        self._track.take(self)
        self._due = self._loop.time() + self._HEAD_S
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        if now - self._due > self._BURST * 0.02:
            self.late += 1
            self._timestamp += round((now - self._due) / 0.02) * FRAME_SAMPLES
            self._due = now
        while self._due <= now:
            if not self._track.push(self, self._frame(), self._timestamp):
                self._timer = None
                return
            self._timestamp += FRAME_SAMPLES
            self._due += 0.02
        self._timer = self._loop.call_at(self._due, self._tick)

    def _frame(self) -> bytes:
        pcm = self._pull()
        self._silent = self._silent + 1 if pcm is None or not pcm.any() else 0
        if not self._leads and not self._silent:
            self._leads = True
            self._due -= self._LEAD_S
        if pcm is None or self._silent > self._SETTLE:
            return SILENCE
        return self._encoder.encode(pcm)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        self._track.drop(self)
