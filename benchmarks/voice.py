"""How fast does it answer, how fast does it stop? A real caller over WHIP against a running gateway with benchmark
engines (`instant`, `tone`), and against a bare aiortc + Silero loop in the same run.

    python -m benchmarks.voice [--rounds 12] [--loss 0,1,5,10,20]

Each round she speaks over the reply to the round before: *barge-in* is onset -> silence, *reply* the end of her speech
-> first sound. *early*: it spoke before she had finished, in a pause of hers. *join* is POST -> first sound.
Milliseconds, at the arrival of RTP packets; the caller's frame of 20 ms, the encoder and the loopback are in them.
Servers are called in turns, a short call before warms each up (`cold join`). `own delivery`: the floor decodes packets
as they come; `stock`: aiortc's jitter buffer.
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
CALL_ROUNDS = 5
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


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    ours: bool = False


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


async def measure(server: Server, speech: list[Samples], rounds: range, loss: float, result: Result) -> None:
    """One call of these rounds."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        bearer = await ticket(http, server.url) if server.ours else ""
        caller = Caller(http, loss, seed=rounds.start)
        try:
            await caller.call(f"{server.url}/api/v1/whip" if server.ours else f"{server.url}/whip", bearer)
            await talk(caller, speech, rounds, result)
        except TimeoutError:
            result.failed += 1
        finally:
            await caller.hang_up()


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
        servers = {
            "nestcall": Server(await up.enter_async_context(gateway(http)), ours=True),
            "floor, own delivery": Server(await up.enter_async_context(floor(http, stock=False))),
            "floor, stock": Server(await up.enter_async_context(floor(http, stock=True))),
        }
        await warm_up(servers, synthesised)
        for loss in losses:
            lossy = f", {loss:g} % loss" if loss else ""
            for kind, speech in {"synthesised": synthesised, "human": [] if loss else recorded}.items():
                if speech:
                    named = await in_turns(servers, speech, rounds, loss / 100)
                    results |= {f"{name}, {kind}{lossy}": result for name, result in named.items()}
                    for name, result in named.items():
                        show(f"{name}, {kind}{lossy}", result)
    return results


async def warm_up(servers: dict[str, Server], speech: list[Samples]) -> None:
    for name, server in servers.items():
        cold = Result()
        await measure(server, speech, range(1), 0.0, cold)
        print(f"{name:44}{'cold join':10}{cold.join[0] if cold.join else float('nan'):9.0f}")


async def in_turns(servers: dict[str, Server], speech: list[Samples], rounds: int, loss: float) -> dict[str, Result]:
    """Call by call in turns, so that a busy machine is as bad for one as for the other."""
    results = {name: Result() for name in servers}
    for first in range(0, rounds, CALL_ROUNDS):
        for name, server in servers.items():
            await measure(server, speech, range(first, min(rounds, first + CALL_ROUNDS)), loss, results[name])
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
