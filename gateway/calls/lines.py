"""How well the parties of one call are on the line, from both ends: to the advisors' pages and the metrics while it
lasts, with the call when it is over.

`up` is what the gateway hears of a party, `down` what that party says over RTCP it hears of us, `page` what her browser
counts of the same (`call.report`); a WHIP client has no page.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal

from gateway import telemetry
from gateway.calls.about import About
from gateway.hub import Hub
from media.peer import Leg
from media.quality import Count, Line, Meter
from signaling.protocol import LineMeasured, LineQuality

EVERY_S = 5.0
Party = Literal["customer", "advisor"]
End = Literal["up", "down", "page"]
OURS: tuple[End, ...] = ("up", "down")
ENDS: tuple[End, ...] = (*OURS, "page")


class Lines:
    def __init__(self, hub: Hub, about: About) -> None:
        self._hub, self._about = hub, about
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._meters: dict[tuple[Party, End], Meter] = {}
        self._legs: dict[Party, Leg] = {}

    async def look(self, legs: Mapping[Party, Leg | None]) -> None:
        """To be called often; reads every EVERY_S."""
        if self._loop.time() < self._due:
            return
        self._due = self._loop.time() + EVERY_S
        for party, leg in legs.items():
            if leg is not None:
                self._follow(party, leg)
                for end, count in (await leg.counts()).items():
                    self._read(party, end, count)
                self._show(party)

    def told(self, party: Party, stats: Mapping[str, float]) -> None:
        """What a page reports of its own."""
        if "audio_received" in stats:
            trip = stats.get("audio_rtt_ms")
            received, lost = int(stats["audio_received"]), int(stats.get("audio_lost", 0))
            jitter = max(0.0, stats.get("audio_jitter_ms", 0.0)) / 1000
            count = Count(received, lost, jitter, None if trip is None else max(0.0, trip) / 1000)
            self._read(party, "page", count)

    def summary(self) -> dict[str, dict[str, dict[str, float]]]:
        """Over the whole call, by party and end, for the call's row."""
        found: dict[str, dict[str, dict[str, float]]] = {}
        for (party, end), meter in self._meters.items():
            if meter.readings:
                found.setdefault(party, {})[end] = _numbers(meter)
        return found

    def _follow(self, party: Party, leg: Leg) -> None:
        """After a network switch a party is on another leg, which counts from nothing; so does a page, and shows it."""
        if self._legs.get(party) is not leg:
            self._legs[party] = leg
            for end in OURS:
                if meter := self._meters.get((party, end)):
                    self._meters[party, end] = meter.moved()

    def _read(self, party: Party, end: End, count: Count) -> None:
        meter = self._meters[party, end] = self._meters.get((party, end), Meter()).read(count)
        if meter.last:
            telemetry.line(end, meter.last)

    def _show(self, party: Party) -> None:
        lines = {end: self._meters[party, end].last for end in ENDS if (party, end) in self._meters}
        shown = {end: _quality(line) for end, line in lines.items() if line}
        if shown:
            about = self._about
            message = LineMeasured(call=about.call, conversation=about.conversation, party=party, ends=shown)
            self._hub.flash(about.conversation, message, "staff")


def _quality(line: Line) -> LineQuality:
    rtt_ms = None if line.round_trip is None else line.round_trip * 1000
    return LineQuality(mos=line.mos, loss=line.loss, jitter_ms=line.jitter * 1000, rtt_ms=rtt_ms)


def _numbers(meter: Meter) -> dict[str, float]:
    numbers = {
        "mos": meter.mos,
        "worst_mos": meter.worst_mos,
        "loss": meter.loss,
        "jitter_ms": meter.jitter * 1000,
        "readings": meter.readings,
    }
    if meter.round_trip is not None:
        numbers["rtt_ms"] = meter.round_trip * 1000
    return {name: round(value, 4) for name, value in numbers.items()}
