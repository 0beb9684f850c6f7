"""What she hears: frames of 20 ms at 48 kHz, pulled by the track at its pace, and the ledger of what was said in them.

All calls are immediate and none of them raises; nothing here waits. `next_frame` is the heartbeat of the call: it runs
for as long as the leg lives, and silence is a frame like any other.

Pausing loses nothing: the sample at which it stopped is the sample at which it goes on; what is heard of the fade-out
is heard again in the fade-in (5 ms).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog

from media.audio import FRAME_MS, WIRE_HZ, AudioChunk, Samples, dbfs
from media.ledger import Line

FRAME = WIRE_HZ * FRAME_MS // 1000
DUCKED = 0.18
"""Gain while we are not sure whether she speaks: -15 dB."""
AUDIBLE_DBFS = -55.0
"""A frame above this is a sound; below it is the silence a synthesizer puts before its first word."""
ROOM_S = 2.0
"""`room()` waits while more than this is queued; `play` itself never refuses (a block may overshoot)."""
_FADE = WIRE_HZ // 200
_KEEP_LINES = 16
_REFERENCE_FRAMES = 50

_QUIET: Samples = np.zeros(FRAME // 3, np.int16)

log = structlog.get_logger(__name__)


def _thirds(frame: Samples) -> Samples:
    """48 to 16 kHz by means of three."""
    wide = frame.astype(np.int32)
    return ((wide[0::3] + wide[1::3] + wide[2::3]) // 3).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Progress:
    """Told by `next_frame`: something changed in what she has heard of (turn, revision)."""

    turn: int
    revision: int
    lit: int
    audible: bool
    """This frame carries the first audible sample."""
    over: bool
    """This frame carried the last sample."""


@dataclass(slots=True)
class _Piece:
    key: tuple[int, int]
    samples: Samples


class Playout:
    """`media.ports.Mouth`. `listener` is called from `next_frame`, on the event loop; its errors are logged only."""

    def __init__(self, listener: Callable[[Progress], None] | None = None) -> None:
        self.listener = listener
        self.frames = 0
        """Pulled so far."""
        self._queue: deque[_Piece] = deque()
        self._lines: OrderedDict[tuple[int, int], Line] = OrderedDict()
        self._audible: set[tuple[int, int]] = set()
        self._queued = 0
        self._gain = self._target = 1.0
        self._paused = False
        self._fade_out = False
        self._room = asyncio.Event()
        self._room.set()
        self._sent: deque[Samples] = deque(maxlen=_REFERENCE_FRAMES)
        self._sounding = 0  # frames until what was sent is all silence

    # ------------------------------------------------------------ what is to be said

    def play(self, chunk: AudioChunk, text: str, *, turn: int, revision: int) -> None:
        """Queue `chunk` (48 kHz), which says `text` (may be empty), behind what is queued."""
        self._add((turn, revision), text, chunk.samples)

    def finish(self, *, turn: int, revision: int) -> None:
        """No more audio will come for this reply."""
        key = (turn, revision)
        line = self._lines[key] = self._line(key).finish()
        if line.over:
            self._tell(key, audible=False)

    def _add(self, key: tuple[int, int], text: str, samples: Samples) -> None:
        self._lines[key] = self._line(key).add(text, len(samples))
        while len(self._lines) > _KEEP_LINES:
            self._audible.discard(self._lines.popitem(last=False)[0])
        if len(samples):
            self._queue.append(_Piece(key, samples))
            self._count(len(samples))

    def _line(self, key: tuple[int, int]) -> Line:
        return self._lines.get(key) or Line(*key)

    # ------------------------------------------------------------ control, effective in the next frame

    def flush(self) -> None:
        """Fade out within 5 ms; what was not played is forgotten, and a pause or duck with it."""
        self._fade_out = bool(self._queue) and self._gain > 0
        if self._fade_out:
            self._queue = deque([self._queue[0]])
        else:
            self._queue.clear()
        self._paused = False
        self._target = 1.0
        self._count(-self._queued)

    def drop(self, *, turn: int, revision: int) -> None:
        """Like `flush`, for one reply; what else is queued is heard."""
        first = self._queue[0] if self._queue and self._gain > 0 else None
        kept = [piece for piece in self._queue if piece is not first and piece.key != (turn, revision)]
        fading = self._fade_out or (first is not None and first.key == (turn, revision))
        self._fade_out = fading
        self._queue = deque([first, *kept] if first else kept)
        counted = kept if fading else self._queue
        self._count(sum(len(piece.samples) for piece in counted) - self._queued)

    def duck(self, on: bool) -> None:
        self._target = DUCKED if on else 1.0

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        """Go on from the exact sample."""
        self._paused = False

    # ------------------------------------------------------------ what she has heard

    @property
    def seconds(self) -> float:
        """Time of the call at her ear: frames pulled."""
        return self.frames * FRAME_MS / 1000

    @property
    def playing(self) -> bool:
        """Something is queued (it may be paused)."""
        return bool(self._queue)

    def line(self, turn: int, revision: int) -> Line:
        return self._line((turn, revision))

    def spoken_text(self, turn: int, below: int | None = None) -> str:
        """What of this turn's reply has been heard, in all revisions or those `below` one."""
        lines = (line for (said, _), line in self._lines.items() if said == turn)
        return "".join(line.heard for line in lines if below is None or line.revision < below)

    def sent(self) -> Samples:
        """The last second we sent, 16 kHz: what an echo would be made of. Empty where it was all silence."""
        if not self._sounding:
            return np.zeros(0, np.int16)
        return np.concatenate(self._sent)

    async def room(self) -> None:
        """Until less than ROOM_S is queued: back-pressure for whoever makes speech."""
        await self._room.wait()

    # ------------------------------------------------------------ the track's side

    def next_frame(self) -> Samples:
        """The next 20 ms: shape [960], int16, 48 kHz. Silence when there is nothing to say. Never raises."""
        self.frames += 1
        frame = self._fading() if self._fade_out or self._paused else self._pull()
        sounds = bool(frame.any())
        self._sent.append(_thirds(frame) if sounds else _QUIET)
        self._sounding = _REFERENCE_FRAMES if sounds else max(0, self._sounding - 1)
        return frame

    def _pull(self) -> Samples:
        frame = np.zeros(FRAME, np.int16)
        filled, played = 0, dict[tuple[int, int], int]()
        while filled < FRAME and self._queue:
            taken, key = self._take(FRAME - filled)
            frame[filled : filled + len(taken)] = taken
            played[key] = played.get(key, 0) + len(taken)
            filled += len(taken)
        frame = self._shaped(frame)
        self._count(-filled)
        self._heard(played, frame)
        return frame

    def _take(self, most: int) -> tuple[Samples, tuple[int, int]]:
        piece = self._queue[0]
        taken, rest = piece.samples[:most], piece.samples[most:]
        if len(rest):
            piece.samples = rest
        else:
            self._queue.popleft()
        return taken, piece.key

    def _fading(self) -> Samples:
        """Paused or flushed: what would have come, faded to nothing and not counted as heard; then silence."""
        frame = np.zeros(FRAME, np.int16)
        if self._gain > 0 and self._queue:
            ahead = self._queue[0].samples[:_FADE]
            frame[: len(ahead)] = ahead * np.linspace(self._gain, 0.0, len(ahead))
        self._gain = 0.0
        if self._fade_out:
            self._fade_out = False
            self._queue.popleft()
        return frame

    def _shaped(self, frame: Samples) -> Samples:
        """Gain moves within 5 ms, so that ducking and going on do not click."""
        if self._gain == self._target == 1.0:
            return frame
        gains = np.full(FRAME, self._target)
        gains[:_FADE] = np.linspace(self._gain, self._target, _FADE)
        self._gain = self._target
        shaped: Samples = (frame * gains).astype(np.int16)
        return shaped

    def _count(self, samples: int) -> None:
        self._queued += samples
        if self._queued < ROOM_S * WIRE_HZ:
            self._room.set()
        else:
            self._room.clear()

    def _heard(self, played: dict[tuple[int, int], int], frame: Samples) -> None:
        for key, samples in played.items():
            before = self._line(key)
            line = self._lines[key] = before.play(samples)
            audible = key not in self._audible and dbfs(frame) > AUDIBLE_DBFS
            if audible:
                self._audible.add(key)
            if audible or line.over or line.lit != before.lit:
                self._tell(key, audible=audible)

    def _tell(self, key: tuple[int, int], *, audible: bool) -> None:
        line = self._lines[key]
        if not self.listener:
            return
        try:
            self.listener(Progress(*key, lit=line.lit, audible=audible, over=line.over))
        except Exception:
            log.exception("playout listener failed")
