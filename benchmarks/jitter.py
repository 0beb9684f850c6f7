"""The audio jitter buffer under loss, beside aiortc's own: what reaches the recognizer, and what one loss costs.

    python -m benchmarks.jitter [--seconds 120]

Packets of real Opus (20 ms, in-band FEC) on virtual time, lost at random or in bursts of three, or late by up to 40 ms
and out of order. Delay is from the sender's clock to delivery. No sockets and no clock: load does not change it.
"""

import argparse
import asyncio
import heapq
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from aiortc.jitterbuffer import JitterBuffer as Stock
from aiortc.rtp import RtpPacket

from benchmarks import results
from media.audio import WIRE_HZ, Samples
from media.engines.espeak import EspeakSynthesizer
from media.jitter import Arrived, JitterBuffer
from media.opus import OpusEncoder, carries_fec
from media.ports import Voice

LOSS = (0.0, 0.01, 0.05, 0.10, 0.20)
TARGETS = {0.01: 49, 0.05: 47, 0.10: 44, 0.20: 40}
FRAME = WIRE_HZ // 50
Arrival = tuple[float, int]
"""(seconds it arrives at, number); the number times 20 ms is when it was sent."""
Delivery = tuple[float, int, str]
"""(seconds, number, what: frame | fec | concealed)"""


TEXT = (
    "Good morning. My baby is seven months old and has had a cold since yesterday. Which thermometer do you recommend?"
)


async def spoken() -> Samples:
    engine = EspeakSynthesizer()
    try:
        return np.concatenate([speech.chunk.samples async for speech in engine.speak(TEXT, Voice(language="en"))])
    finally:
        await engine.close()


def packets(count: int) -> list[bytes]:
    """Speech, encoded as a browser on a lossy line does."""
    encoder = OpusEncoder(expected_loss_percent=20)
    pcm = np.resize(asyncio.run(spoken()), count * FRAME)
    return [encoder.encode(pcm[n * FRAME : (n + 1) * FRAME]) for n in range(count)]


def line(count: int, loss: float, rng: random.Random, *, burst: int = 1, late_s: float = 0.0) -> Iterator[Arrival]:
    """In the order of arrival."""
    down, queue = 0, list[Arrival]()
    for n in range(count):
        if down == 0 and rng.random() < loss / burst:
            down = burst
        if down:
            down -= 1
        else:
            heapq.heappush(queue, (n * 0.02 + rng.random() * late_s, n))
    while queue:
        yield heapq.heappop(queue)


def stock(arrivals: Iterator[Arrival], payloads: list[bytes]) -> list[Delivery]:
    buffer, out = Stock(capacity=16, prefetch=4), list[Delivery]()
    for at, n in arrivals:
        packet: Any = RtpPacket(payload_type=96, sequence_number=n & 0xFFFF, timestamp=n * FRAME)
        packet._data = payloads[n]
        _, frame = buffer.add(packet)
        if frame is not None:
            out.append((at, frame.timestamp // FRAME, "frame"))
    return out


def ours(arrivals: Iterator[Arrival], payloads: list[bytes]) -> list[Delivery]:
    buffer, out = JitterBuffer(), list[Delivery]()
    for at, n in arrivals:
        for slot in buffer.push(n & 0xFFFF, payloads[n]):
            if isinstance(slot, Arrived):
                out.append((at, slot.sequence, "frame"))
            else:
                fec = slot.following is not None and carries_fec(slot.following)
                out.append((at, slot.sequence, "fec" if fec else "concealed"))
    return out


def judged(deliveries: list[Delivery], seconds: float) -> dict[str, Any]:
    per_second = {
        kind: sum(what == kind for _, _, what in deliveries) / seconds for kind in ("frame", "fec", "concealed")
    }
    delays = [(at - n * 0.02) * 1000 for at, n, what in deliveries if what == "frame"]
    return {**per_second, "delay_ms": results.spread(delays)}


def one_loss(buffer: Callable[[Iterator[Arrival], list[bytes]], list[Delivery]], payloads: list[bytes]) -> list[float]:
    """Packet 100 never comes: delay (ms) of the frames just before, just after, and five seconds later."""
    arrivals = ((n * 0.02, n) for n in range(500) if n != 100)
    delay = {n: (at - n * 0.02) * 1000 for at, n, what in buffer(arrivals, payloads) if what == "frame"}
    return [delay.get(99, float("nan")), delay.get(101, float("nan")), delay.get(350, float("nan"))]


def main(seconds: int) -> None:
    count = seconds * 50
    payloads = packets(count)
    table: dict[str, Any] = {}
    bars: dict[str, float] = {}
    for loss in LOSS:
        for kind, extra in (("random", {}), ("bursts of 3", {"burst": 3}), ("late 40 ms", {"late_s": 0.04})):
            row = {}
            for name, buffer in (("ours", ours), ("stock", stock)):
                found = judged(buffer(line(count, loss, random.Random(7), **extra), payloads), seconds)
                row[name] = found
                bars[f"{loss:.0%} {kind} {name}"] = found["frame"] + found["fec"]
            table[f"{loss:.0%} {kind}"] = row
            show(f"{loss:.0%} {kind}", row, TARGETS.get(loss) if kind == "random" else None)
    table["one lost packet"] = {"ours": one_loss(ours, payloads), "stock": one_loss(stock, payloads)}
    print("one lost packet, delay ms before / right after / 5 s later:", table["one lost packet"])
    results.save("jitter", {"seconds": seconds, "cases": table}, bars, "real frames a second (sent or by FEC)")


def show(name: str, row: dict[str, Any], target: int | None) -> None:
    us, them = row["ours"], row["stock"]
    verdict = "" if target is None else f"  target {target}: {'met' if us['frame'] + us['fec'] >= target else 'MISSED'}"
    print(
        f"{name:<16} ours {us['frame']:5.1f} + fec {us['fec']:4.1f} + concealed {us['concealed']:4.1f} /s, "
        f"delay p99 {us['delay_ms'].get('p99', 0):4.0f} ms   stock {them['frame']:5.1f} /s, "
        f"delay p99 {them['delay_ms'].get('p99', 0):4.0f} ms{verdict}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=120)
    main(parser.parse_args().seconds)
