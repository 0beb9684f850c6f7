"""How many calls one core holds, and whether anything is left behind.

    python -m benchmarks.capacity [--steps 1,2,4,8,12,16,20,24,28,32]   talking calls at once, until it hurts
    python -m benchmarks.capacity --soak 1800 --calls 200               calls placed and ended one after the other

The gateway runs in a process of its own with the benchmark engines, pinned to the first core; the callers
(benchmarks.talkers) are real peers, pinned to the second; both go before other work on the machine. Figures of the
gateway come from outside: CPU seconds, memory, threads and descriptors from /proc, lateness of its event loop from its
metrics. Every caller speaks every four seconds, over the reply to what it said before. A step is good while, against
one call, frames heard a second and the reply's p95 are within 10 % (a reply also within 20 ms: it comes in whole
frames) and the loop is late by less than a tenth of a frame more. `callers` is how busy the callers' core was and how
late they sent at worst: beyond 90 % the load, not the gateway, is at its end, and the run says so.
"""

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
import psutil

from benchmarks import results, talkers
from gateway.calls.client import CallClient, dial

REPLIES = 24
"""Of a step at least; and STEP_S at least."""
STEP_S = 20.0
TURN_S = 4.2
"""From one word of a caller's to the next, about."""
SETTLE_S = 3.0
WITHIN = 0.10
FRAME_MS = 20.0
BUSY = 0.9
GATEWAY_CORE, CALLERS_CORE = 0, min(1, (os.cpu_count() or 1) - 1)


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


def pin(process: psutil.Process, core: int) -> None:
    """All its threads; what it starts later inherits it."""
    for thread in process.threads():
        os.sched_setaffinity(thread.id, {core})


# ---------------------------------------------------------------- calls at once


async def step(url: str, process: psutil.Process, calls: int, said: list[list[bytes]]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        room = talkers.hiss()
        clients = [await answered(stack, url, room) for _ in range(calls)]
        replies: list[float] = []
        talking = [asyncio.create_task(begun(client, said, replies, n)) for n, client in enumerate(clients)]
        await asyncio.sleep(SETTLE_S + TURN_S)
        row = await watched(url, process, clients, replies)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        for client in clients:
            await client.hang_up()
    return row


async def answered(stack: AsyncExitStack, url: str, room: list[bytes]) -> CallClient:
    client: Any = await stack.enter_async_context(dial(url, "en"))
    client.microphone, client.hearing = talkers.Tape(room), talkers.Hearing()
    await client.offer()
    await client.connected()
    await client.tap(standby=True)
    return client  # type: ignore[no-any-return]


async def begun(client: CallClient, said: list[list[bytes]], replies: list[float], n: int) -> None:
    """Not all with the same breath."""
    await asyncio.sleep(SETTLE_S * (n * 0.618 % 1))
    await talkers.talk(client, said, replies, n)


async def watched(url: str, process: psutil.Process, clients: list[CallClient], replies: list[float]) -> dict[str, Any]:
    """What `clients` and the gateway go through while REPLIES are given."""
    me = psutil.Process()
    seconds = max(STEP_S, TURN_S * REPLIES / len(clients))
    replies.clear()
    for client in clients:
        client.hearing.arrivals.clear()
        client.microphone.late = 0.0
    spent, mine, began = used(process), used(me), time.perf_counter()
    late = await lateness_of_loop(url, seconds)
    elapsed = time.perf_counter() - began
    gaps = [gap for client in clients for gap in lateness(client)]
    frames = [len(client.hearing.arrivals) / elapsed for client in clients]
    return {
        "calls": len(clients),
        "cores": (used(process) - spent) / elapsed,
        "cores_a_call": (used(process) - spent) / elapsed / len(clients),
        "rss_mb": process.memory_info().rss / 1e6,
        "loop_late_ms": results.spread(late),
        "gap_late_ms": results.spread(gaps),
        "frames_a_second": min(frames),
        "reply_ms": results.spread([reply * 1000 for reply in replies]),
        "callers": {
            "cores": (used(me) - mine) / elapsed,
            "late_ms": max(client.microphone.late for client in clients) * 1000,
        },
    }


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def lateness_of_loop(url: str, seconds: float) -> list[float]:
    """Milliseconds, as the gateway's metrics say, every second."""
    late = []
    async with aiohttp.ClientSession() as http:
        for _ in range(round(seconds)):
            await asyncio.sleep(1.0)
            late.append(await gauge(http, url, "nestcall_loop_late_seconds") * 1000)
    return late


async def gauge(http: aiohttp.ClientSession, url: str, name: str) -> float:
    async with http.get(url + "/metrics") as response:
        text = await response.text()
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])


def lateness(client: CallClient) -> list[float]:
    return list(np.maximum(0.0, np.diff(np.array(client.hearing.arrivals)) * 1000 - FRAME_MS))


def faults(row: dict[str, Any], one: dict[str, Any]) -> list[str]:
    """In what this step is worse than one call."""
    reply, single = row["reply_ms"].get("p95", float("inf")), one["reply_ms"]["p95"]
    found = []
    if reply > single + max(WITHIN * single, FRAME_MS):
        found.append(f"reply p95 {reply:.0f} against {single:.0f} ms")
    if row["frames_a_second"] < (1 - WITHIN) * one["frames_a_second"]:
        found.append(f"{row['frames_a_second']:.1f} frames a second")
    if row["loop_late_ms"]["p95"] > one["loop_late_ms"]["p95"] + WITHIN * FRAME_MS:
        found.append(f"loop late by {row['loop_late_ms']['p95']:.1f} ms")
    return found


async def capacity(steps: list[int]) -> None:
    said, table = talkers.lines(), list[dict[str, Any]]()
    priority = results.undisturbed()
    os.sched_setaffinity(0, {CALLERS_CORE})
    async with gateway(results.free_port()) as (url, process):
        pin(process, GATEWAY_CORE)
        base = process.memory_info().rss / 1e6
        for calls in steps:
            row = await step(url, process, calls, said)
            row["faults"] = faults(row, (table or [row])[0])
            table.append(row)
            show(row)
            if row["faults"]:
                break
    good = list(itertools.takewhile(lambda row: not row["faults"], table))
    summary = summed_up(base, good)
    print(summary["verdict"])
    bars = {f"{row['calls']} calls": row["cores_a_call"] * 100 for row in table}
    where = f"gateway on core {GATEWAY_CORE}, callers on core {CALLERS_CORE}, {priority}"
    numbers = {"base_mb": base, "where": where, "steps": table}
    results.save("capacity", numbers | summary, bars, "% of a core per talking call")


def summed_up(base: float, good: list[dict[str, Any]]) -> dict[str, Any]:
    most = good[-1]
    eight = next((row for row in good if row["calls"] == 8), None)
    verdict = f"{most['calls']} calls within 10 % of one call, at {most['cores']:.2f} of one core"
    verdict += f", {(most['rss_mb'] - base) / most['calls']:.2f} MB each"
    if eight:
        one = good[0]["reply_ms"]["p95"]
        verdict += f"; 8 calls' reply p95 {eight['reply_ms']['p95']:.0f} against one call's {one:.0f} ms"
    if most["callers"]["cores"] > BUSY:
        verdict += "; the callers were at the end of their core: more may fit"
    return {"calls_a_core": most["calls"], "verdict": verdict}


def show(row: dict[str, Any]) -> None:
    reply = row["reply_ms"]
    print(
        f"{row['calls']:3d} calls  {row['cores']:.2f} cores ({row['cores_a_call'] * 100:.1f} % each)  "
        f"{row['rss_mb']:.0f} MB  {row['frames_a_second']:.1f} frames/s  "
        f"gap late p99 {row['gap_late_ms']['p99']:.0f} ms  "
        f"loop late p95 {row['loop_late_ms']['p95']:.1f} ms  reply p50 {reply.get('p50', 0):.0f} p95 "
        f"{reply.get('p95', 0):.0f} max {reply.get('max', 0):.0f} ms N={reply['n']}  "
        f"callers {row['callers']['cores']:.2f} cores, late {row['callers']['late_ms']:.0f} ms"
        + "".join(f"\n      {fault}" for fault in row["faults"]),
        flush=True,
    )


# ---------------------------------------------------------------- nothing left behind


async def held(url: str, process: psutil.Process) -> dict[str, float]:
    async with aiohttp.ClientSession() as http:
        tasks = await gauge(http, url, "nestcall_tasks")
    return {
        "tasks": tasks,
        "rss_mb": round(process.memory_info().rss / 1e6, 1),
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
    }


async def soak(seconds: float, calls: int) -> None:
    seen = []
    async with gateway(results.free_port()) as (url, process):
        await one(url)  # what is loaded once is loaded
        await asyncio.sleep(5.0)
        base = await held(url, process)
        print("base", base, flush=True)
        for n in range(1, calls + 1):
            began = time.monotonic()
            await one(url)
            if n % max(1, calls // 10) == 0:
                await asyncio.sleep(1.0)
                seen.append({"after": n, **await held(url, process)})
                print(seen[-1], flush=True)
            await asyncio.sleep(max(0.0, seconds / calls - (time.monotonic() - began)))
        await asyncio.sleep(5.0)
        left = await held(url, process)
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
    parser.add_argument("--steps", default="1,2,4,8,12,16,20,24,28,32")
    parser.add_argument("--soak", type=float, default=0.0, help="seconds")
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    if options.soak:
        asyncio.run(soak(options.soak, options.calls))
    else:
        asyncio.run(capacity([int(calls) for calls in options.steps.split(",")]))
