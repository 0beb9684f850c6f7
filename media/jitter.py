"""PURE: the audio jitter buffer. Packets in, slots out in order; never a clock.

An ear is no loudspeaker: it has no playout deadline, so nothing is ever held back for pacing. In-order packets pass at
once. A hole is waited for until `patience` later packets are there, then given up: its slots come out `Lost` (with the
packet that follows, whose in-band FEC may hold them) and the waiting packets right after, so that one lost packet costs
a pause of `patience` frames and no lasting delay. `patience` grows when packets turn out to have been late rather than
lost, shrinks again on a quiet line, and once holes have kept being holes, none is waited for any more: at 20 % loss
every second onset has a hole in its first three packets, and each costs its patience.

Laws (tests/media/test_jitter.py): a packet comes out at most once; sequence never runs backwards; nothing waits behind
more than `MAX_PATIENCE` later packets; without loss every packet comes out at once.

aiortc's own buffer (16 packets, prefetch 4) stalls 320 ms on a lost packet and keeps 280 ms of delay for the rest of
the call; it is replaced by `media.rtc_patches.replace_audio_buffer`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

MIN_PATIENCE, FIRST_PATIENCE, MAX_PATIENCE = 1, 2, 6
SURE = 10
"""Holes in a row that nobody came for after all, before patience shrinks by one."""
MAX_LOST = 10
"""Holes longer than this are not concealed frame by frame: the line was gone."""
RESET = 3_000
"""A jump of more packets than this (one minute) is a new stream, not a hole."""
CALM = 500
"""In-order packets (10 s) after which patience shrinks by one, to the first one."""


@dataclass(frozen=True, slots=True)
class Arrived:
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """`following` is set for the slot just before a packet that has arrived."""

    sequence: int
    following: bytes | None = None


Slot = Arrived | Lost


@dataclass(slots=True)
class JitterBuffer:
    """Sequence numbers are RTP's 16 bits in and unwrapped integers out."""

    patience: int = FIRST_PATIENCE
    late: int = 0
    """Packets that came after their slot was given up."""
    _next: int | None = None
    _calm: int = 0
    _holes: int = 0
    """Given up since a packet was late."""
    _waiting: dict[int, bytes] = field(default_factory=dict)

    def push(self, sequence: int, payload: bytes) -> list[Slot]:
        """What can go on now."""
        n = self._unwrap(sequence)
        if self._next is None or abs(n - self._next) > RESET:
            self._waiting.clear()
            self._next = n
        if n < self._next:
            self._note_late()
            return []
        self._waiting.setdefault(n, payload)
        out = list(self._ready())
        while len(self._waiting) >= self.patience:
            out += self._give_up()
            out += self._ready()
        self._note(out)
        return out

    def _unwrap(self, sequence: int) -> int:
        if self._next is None:
            return sequence
        return self._next + ((sequence - self._next + 0x8000) & 0xFFFF) - 0x8000

    def _ready(self) -> Iterator[Slot]:
        while self._next in self._waiting:
            yield Arrived(self._next, self._waiting.pop(self._next))
            self._next += 1

    def _give_up(self) -> Iterator[Slot]:
        """The hole at the head, ending with its `following`."""
        assert self._next is not None
        first = min(self._waiting)
        start = max(self._next, first - MAX_LOST)
        for n in range(start, first - 1):
            yield Lost(n)
        yield Lost(first - 1, following=self._waiting[first])
        self._next = first

    def _note_late(self) -> None:
        self.late += 1
        self._calm = self._holes = 0
        self.patience = min(MAX_PATIENCE, self.patience + 1)

    def _note(self, out: list[Slot]) -> None:
        if any(isinstance(slot, Lost) for slot in out):
            self._calm, self._holes = 0, self._holes + 1
        else:
            self._calm += 1
        if self._holes >= SURE:
            self._holes, self.patience = 0, max(MIN_PATIENCE, self.patience - 1)
        if self._calm >= CALM:
            self._calm, self.patience = 0, max(min(FIRST_PATIENCE, self.patience), self.patience - 1)
