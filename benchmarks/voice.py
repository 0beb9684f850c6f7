"""How fast does it answer, how fast does it stop? A real caller over WHIP against a running gateway with benchmark
engines (`instant`, `tone`), and against a bare aiortc + Silero loop in the same run.

    python -m benchmarks.voice [--rounds 10] [--loss 0,1,5,10,20] [--quick]

Each round she speaks over the reply to the round before: *barge-in* is onset -> silence, *reply* the end of her speech
-> first sound. *early*: it spoke before she had finished, in a pause of hers. *join* is POST -> first sound.
Milliseconds, at the arrival of RTP packets; the caller's frame of 20 ms, the encoder and the loopback are in them.
`own delivery`: the floor decodes packets as they come; `stock`: aiortc's jitter buffer. One short call warms each
server up; the first one's join is shown as `cold`.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from benchmarks.caller import Caller
from benchmarks.noises import said
from benchmarks.recordings import human, trimmed
from benchmarks.results import machine, save, spread
from media.audio import Samples

LINES = (
    ("en-us", "Where is my order today"),
    ("cmn", "这个奶粉怎么冲"),
    ("en-us+f3", "Do you have size two"),
    ("cmn+f2", "我要转人工"),
    ("en-gb-x-rp", "I want the other one please"),
)
CLIPS = ("cards/001.wav", "cards/002.wav", "cards/003.wav", "cards/004.wav", "something.raw")
CALL_ROUNDS = 6
"""Rounds in one call; then a new one."""


@dataclass
class Result:
    join: list[float] = field(default_factory=list)
    reply: list[float] = field(default_factory=list)
    barge_in: list[float] = field(default_factory=list)
    early: int = 0
    failed: int = 0

    def rows(self) -> dict[str, dict[str, float]]:
        return {"join": spread(self.join), "reply": spread(self.reply), "barge-in": spread(self.barge_in)}


# ---------------------------------------------------------------- servers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def process(http: aiohttp.ClientSession, url: str, command: list[str], **env: str) -> AsyncIterator[None]:
    """A server of our own, ready when `url` answers at all."""
    child = subprocess.Popen(
        [sys.executable, *command], env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while not await answers(http, url):
                assert child.poll() is None, f"{command} ended with {child.returncode}"
                await asyncio.sleep(0.2)
        yield
    finally:
        child.terminate()
        child.wait(15)


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url):
            return True
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def gateway(http: aiohttp.ClientSession) -> AsyncIterator[str]:
    port = free_port()
    engines = {"NESTCALL_RECOGNIZER": "instant", "NESTCALL_SYNTHESIZER": "tone", "NESTCALL_RESPONDER": "instant"}
    with tempfile.TemporaryDirectory() as home:
        url = f"http://127.0.0.1:{port}"
        command = ["-m", "gateway.cli", "serve", "--port", str(port), "--data-dir", home]
        async with process(http, f"{url}/readyz", command, **engines):
            yield url


@asynccontextmanager
async def floor(http: aiohttp.ClientSession, *, stock: bool) -> AsyncIterator[str]:
    port = free_port()
    command = ["-m", "benchmarks.floor", "--port", str(port), *(["--stock"] if stock else [])]
    url = f"http://127.0.0.1:{port}"
    async with process(http, url, command):
        yield url


async def ticket(http: aiohttp.ClientSession, url: str) -> str:
    """A guest's permission to call; the floor wants none."""
    async with http.post(f"{url}/api/v1/sessions", json={"guest": True}) as response:
        assert response.status == 201, await response.text()
        token = (await response.json())["token"]
    async with http.post(f"{url}/api/v1/tickets", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["ticket"])


# ---------------------------------------------------------------- calls


async def measure(url: str, ours: bool, speech: list[Samples], rounds: int, loss: float) -> Result:
    result = Result()
    jar = aiohttp.DummyCookieJar()
    for first in range(0, rounds, CALL_ROUNDS):
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            bearer = await ticket(http, url) if ours else ""
            caller = Caller(http, loss, seed=first)
            try:
                await caller.call(f"{url}/api/v1/whip" if ours else f"{url}/whip", bearer)
                await talk(caller, speech, range(first, min(rounds, first + CALL_ROUNDS)), result)
            except TimeoutError:
                result.failed += 1
            finally:
                await caller.hang_up()
    return result


async def talk(caller: Caller, speech: list[Samples], rounds: range, result: Result) -> None:
    heard = await caller.sound(caller.started)
    result.join.append((heard - caller.started) * 1000)
    quiet = await caller.silence(heard)
    for i in rounds:
        if i > rounds.start:
            await asyncio.sleep(1.5)  # the reply to the one before is playing
        onset, ended = await caller.microphone.say(speech[i % len(speech)])
        if i > rounds.start:
            quiet = await caller.silence(onset)
            result.barge_in.append((quiet - onset) * 1000)
        began = await caller.sound(quiet)
        if began < ended:
            result.early += 1
            await asyncio.sleep(1.0)
        else:
            result.reply.append((began - ended) * 1000)


def show(name: str, result: Result) -> None:
    for what, row in result.rows().items():
        numbers = "".join(f"{row.get(key, float('nan')):9.0f}" for key in ("p50", "p95", "p99", "max"))
        print(f"{name:44}{what:10}{numbers}   N={row['n']}")
    if result.early or result.failed:
        print(f"{'':44}early {result.early}, failed {result.failed}")


async def run(rounds: int, losses: list[float]) -> dict[str, Result]:
    synthesised = [trimmed(said(text, voice)) for voice, text in LINES]
    recorded = [clip for name, clip in human().items() if name in CLIPS]
    results: dict[str, Result] = {}
    async with AsyncExitStack() as up:
        http = await up.enter_async_context(aiohttp.ClientSession())
        ours = await up.enter_async_context(gateway(http))
        bare = await up.enter_async_context(floor(http, stock=False))
        stock = await up.enter_async_context(floor(http, stock=True))
        servers = {"nestcall": (ours, True), "floor, own delivery": (bare, False), "floor, stock": (stock, False)}
        for name, (url, is_ours) in servers.items():
            cold = await measure(url, is_ours, synthesised, 1, 0.0)
            print(f"{name:44}{'cold join':10}{cold.join[0]:9.0f}")
        for loss in losses:
            for kind, speech in {"synthesised": synthesised, "human": recorded}.items():
                if loss and kind == "human":
                    continue
                for name, (url, is_ours) in servers.items():
                    label = f"{name}, {kind}{f', {loss:g} % loss' if loss else ''}"
                    results[label] = await measure(url, is_ours, speech, rounds, loss / 100)
                    show(label, results[label])
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--loss", default="0,1,5,10,20", help="uplink loss in per cent")
    options = parser.parse_args()
    began = time.monotonic()
    print(machine())
    print(f"{'':44}{'':10}" + "".join(f"{key:>9}" for key in ("p50", "p95", "p99", "max")))
    results = asyncio.run(run(options.rounds, [float(loss) for loss in options.loss.split(",")]))
    numbers = {
        name: result.rows() | {"failed": result.failed, "early": result.early} for name, result in results.items()
    }
    bars = {f"{name}: barge-in p95": spread(result.barge_in).get("p95", 0.0) for name, result in results.items()}
    bars |= {f"{name}: reply p95": spread(result.reply).get("p95", 0.0) for name, result in results.items()}
    save("voice", numbers, bars, "ms", 200.0)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
