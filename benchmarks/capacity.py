"""How many calls one core holds, and whether anything is left behind.

    python -m benchmarks.capacity [--steps 1,4,8]          talking calls at once, each step 15 s
    python -m benchmarks.capacity --soak 1800 --calls 200  calls placed and ended one after the other

The gateway runs in a process of its own with the benchmark engines; callers are real aiortc peers in this one, so the
machine's other core is theirs. Figures of the gateway come from outside (psutil): CPU seconds, memory, threads,
descriptors. `late` is how far apart the packets she hears arrive beyond 20 ms: what a busy gateway does to audio.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
import psutil

from benchmarks import results
from gateway.calls.client import CallClient, Hearing, dial
from media.audio import Samples
from media.engines.espeak import EspeakSynthesizer
from media.ports import Voice

STEP_S = 15.0
SENTENCE = "Hello, can you tell me where my order is today?"


@asynccontextmanager
async def gateway(port: int) -> AsyncIterator[tuple[str, psutil.Process]]:
    """A fresh one, ready."""
    with tempfile.TemporaryDirectory() as data:
        names = {"RECOGNIZER": "instant", "RESPONDER": "instant", "SYNTHESIZER": "tone", "MAX_CALLS": "500"}
        settings = [f"NESTCALL_{name}={value}" for name, value in (names | {"LOG_LEVEL": "ERROR"}).items()]
        serve = [sys.executable, "-m", "gateway.cli", "serve", "--port", str(port), "--data-dir", data]
        process = await asyncio.create_subprocess_exec("env", *settings, *serve, stdout=asyncio.subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            await ready(url)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            await process.wait()


async def ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(90):
        while True:
            try:
                async with http.get(url + "/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


async def spoken() -> Samples:
    engine = EspeakSynthesizer()
    try:
        return np.concatenate([speech.chunk.samples async for speech in engine.speak(SENTENCE, Voice(language="en"))])
    finally:
        await engine.close()


class Listening(Hearing):
    """Also keeps when every packet arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[float] = []

    def packet(self, packet: Any) -> None:
        self.arrivals.append(asyncio.get_running_loop().time())
        super().packet(packet)


# ---------------------------------------------------------------- calls at once


async def step(url: str, process: psutil.Process, calls: int, speech: Samples) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        clients = [await answered(stack, url) for _ in range(calls)]
        replies: list[float] = []
        cpu, began = process.cpu_times(), time.perf_counter()
        talking = [asyncio.create_task(talk(client, speech, replies)) for client in clients]
        await asyncio.sleep(STEP_S)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        spent, elapsed = process.cpu_times(), time.perf_counter() - began
        used = (spent.user + spent.system - cpu.user - cpu.system) / elapsed
        gaps = [gap for client in clients for gap in lateness(client)]
        row = {
            "calls": calls,
            "cores": used,
            "cores_a_call": used / calls,
            "rss_mb": process.memory_info().rss / 1e6,
            "late_ms": results.spread(gaps),
            "packets_a_second": sum(client.hearing.packets for client in clients) / calls / elapsed,
            "reply_ms": results.spread([reply * 1000 for reply in replies]),
        }
        for client in clients:
            await client.hang_up()
    return row


async def answered(stack: AsyncExitStack, url: str) -> CallClient:
    client = await stack.enter_async_context(dial(url, "en"))
    client.hearing = Listening()
    await client.offer()
    await client.connected()
    await client.tap(standby=True)
    client.hearing.packets = 0
    return client


async def talk(client: CallClient, speech: Samples, replies: list[float]) -> None:
    """Over and over; she speaks into the assistant's eight seconds, so half of it is interruption."""
    while True:
        ended = await client.microphone.say(speech)
        replies.append(await client.hearing.sound(ended + 0.15) - ended)
        await asyncio.sleep(1.0)


def lateness(client: CallClient) -> list[float]:
    assert isinstance(client.hearing, Listening)
    times = np.array(client.hearing.arrivals)
    return list(np.maximum(0.0, np.diff(times) * 1000 - 20.0))


async def capacity(steps: list[int]) -> None:
    speech, table = await spoken(), []
    async with gateway(18_480) as (url, process):
        base = process.memory_info().rss / 1e6
        for calls in steps:
            row = await step(url, process, calls, speech)
            table.append(row)
            late, reply = row["late_ms"], row["reply_ms"]
            p95 = reply.get("p95", float("nan"))
            print(
                f"{calls:3d} calls  {row['cores']:.2f} cores ({row['cores_a_call'] * 100:.1f} % each)  "
                f"{row['rss_mb']:.0f} MB  {row['packets_a_second']:.1f} packets/s  "
                f"late p99 {late.get('p99', 0):.0f} ms  reply p95 {p95:.0f} ms n {reply['n']}",
                flush=True,
            )
    bars = {f"{row['calls']} calls": row["cores_a_call"] * 100 for row in table}
    results.save("capacity", {"base_mb": base, "steps": table}, bars, "% of a core per talking call")


# ---------------------------------------------------------------- nothing left behind


def held(process: psutil.Process) -> dict[str, float]:
    return {
        "rss_mb": round(process.memory_info().rss / 1e6, 1),
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
    }


async def soak(seconds: float, calls: int) -> None:
    seen = []
    async with gateway(18_481) as (url, process):
        await one(url)  # what is loaded once is loaded
        base = held(process)
        print("base", base, flush=True)
        for n in range(1, calls + 1):
            began = time.monotonic()
            await one(url)
            if n % max(1, calls // 10) == 0:
                await asyncio.sleep(1.0)
                seen.append({"after": n, **held(process)})
                print(seen[-1], flush=True)
            await asyncio.sleep(max(0.0, seconds / calls - (time.monotonic() - began)))
        await asyncio.sleep(5.0)
        left = held(process)
    print("left", left)
    numbers = {"base": base, "left": left, "samples": seen, "calls": calls}
    results.save("soak", numbers, {f"after {row['after']}": row["rss_mb"] for row in seen}, "MB resident")


async def one(url: str) -> None:
    async with asyncio.timeout(60), dial(url, "en") as client:
        await client.offer()
        await client.connected()
        await client.tap(standby=True)
        await client.hang_up()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", default="1,2,4,8,12,16")
    parser.add_argument("--soak", type=float, default=0.0, help="seconds")
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    if options.soak:
        asyncio.run(soak(options.soak, options.calls))
    else:
        asyncio.run(capacity([int(calls) for calls in options.steps.split(",")]))
