"""PURE: how good a line is: loss, jitter, round trip, and what people would say of it (MOS).

The E-model (ITU-T G.107) with its default values for everything but delay and loss: R = 93.2 - Idd - Ie,eff; echo is
taken as cancelled (both browsers do) and no bonus is given (A = 0). Codec: Ie 0 and Bpl 25.1, which G.113 gives G.711
with concealment at random loss; it has no value for Opus, which conceals at least as well. The one-way delay is half
the round trip, Opus' frame and look-ahead, and a jitter buffer of twice the jitter. So it is an estimate of the line,
narrow-band scale (at best 4.41), not of the voice that speaks on it.
"""

from dataclasses import dataclass, replace
from math import log2

BEST_R = 93.2
ROBUSTNESS = 25.1
"""Bpl: per cent of loss at which half of the impairment is there."""
CODEC_S = 0.0265


@dataclass(frozen=True, slots=True)
class Count:
    """One direction since its beginning; `jitter`, `round_trip` seconds."""

    received: int
    lost: int
    jitter: float
    round_trip: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One direction over a stretch of time: `loss` 0..1, `jitter` and `round_trip` in seconds."""

    loss: float
    jitter: float
    round_trip: float | None = None

    @property
    def mos(self) -> float:
        """1 (nobody understands) to 4.41. Without a known round trip: as if it took no time."""
        one_way = (self.round_trip or 0.0) / 2 + CODEC_S + 2 * self.jitter
        return mos(BEST_R - delay_impairment(one_way) - loss_impairment(self.loss))


def mos(r: float) -> float:
    """G.107 Annex B. Its curve dips below 1 near 0: held at 1."""
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r)) if r > 0 else 1.0


def delay_impairment(one_way: float) -> float:
    """Idd of G.107 (7-27, 7-28): nothing up to 100 ms."""
    if one_way <= 0.1:
        return 0.0
    x = log2(one_way / 0.1)
    return float(25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2))


def loss_impairment(loss: float) -> float:
    """Ie,eff of G.107 (7-29), losses at random."""
    percent = 100 * loss
    return 95 * percent / (percent + ROBUSTNESS)


def between(before: Count, now: Count) -> Line | None:
    """None where nothing was due in between, or the count began anew (another connection)."""
    received, lost = now.received - before.received, max(0, now.lost - before.lost)
    if received < 0 or received + lost == 0:
        return None
    return Line(lost / (received + lost), now.jitter, now.round_trip)


@dataclass(frozen=True, slots=True)
class Meter:
    """One direction of a call, read now and then. `last` is the line between the last two readings."""

    last: Line | None = None
    readings: int = 0
    mos: float = 0.0
    """Mean of the readings."""
    worst_mos: float = 0.0
    loss: float = 0.0
    jitter: float = 0.0
    round_trip: float | None = None
    """Means; the round trip only of readings that know it."""
    _before: Count | None = None
    _timed: int = 0

    def read(self, count: Count) -> "Meter":
        line = between(self._before, count) if self._before else None
        if line is None:
            return replace(self, last=None, _before=count)
        return replace(self._with(line), _before=count)

    def moved(self) -> "Meter":
        """The party is on a new connection, which counts from nothing."""
        return replace(self, last=None, _before=None)

    def _with(self, line: Line) -> "Meter":
        n, timed, trip = self.readings + 1, self._timed, self.round_trip
        if line.round_trip is not None:
            timed += 1
            trip = _mean(trip or 0.0, line.round_trip, timed)
        return Meter(
            last=line,
            readings=n,
            mos=_mean(self.mos, line.mos, n),
            worst_mos=min(self.worst_mos, line.mos) if self.readings else line.mos,
            loss=_mean(self.loss, line.loss, n),
            jitter=_mean(self.jitter, line.jitter, n),
            round_trip=trip,
            _timed=timed,
        )


def _mean(before: float, value: float, n: int) -> float:
    return before + (value - before) / n
