"""How fast does it answer, how fast does it stop? A real caller over WHIP against a running gateway with benchmark
engines (`instant`, `tone`), and against a bare aiortc + Silero loop in the same run; and the real page in Chromium.

    python -m benchmarks.voice [--rounds 24] [--loss 0,1,5,10,20]      6 minutes

Each round she speaks over the reply to the round before: *barge-in* is onset -> silence, *reply* the end of her speech
-> first sound. *early*: it spoke before she had finished, in a pause of hers; such a round has no reply, and a
comparison takes only rounds both have answered. *duck*: her first sample in the page's microphone -> the page's volume
down. Milliseconds, at the arrival of RTP packets; the caller's frame of 20 ms, the encoder and the loopback are in
them. All servers and both kinds of speech are called at the same time (lossy lines two by two), so a busy machine is as
bad for one as for the other. `own delivery`: the floor decodes packets as they come; `stock`: aiortc's jitter buffer.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from benchmarks.caller import Caller
from benchmarks.duck import WITHIN_MS, ducks
from benchmarks.noises import said
from benchmarks.recordings import human, trimmed
from benchmarks.results import free_port, machine, save, spread, undisturbed
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
"""Rounds in one call; then a new one. The first has nothing to speak over."""
OURS, FLOOR, STOCK = "nestcall", "floor, own delivery", "floor, stock"
STOCK_LOSSES = (0.0, 1.0)
SLOWER_MS, SILENT_MS = 30.0, 200.0
"""Targets: reply beyond the floor's, barge-in."""


@dataclass
class Result:
    join: list[float] = field(default_factory=list)
    reply: dict[int, float] = field(default_factory=dict)
    """By round."""
    barge_in: list[float] = field(default_factory=list)
    early: int = 0
    failed: int = 0

    def rows(self) -> dict[str, dict[str, float]]:
        replies = list(self.reply.values())
        return {"join": spread(self.join), "reply": spread(replies), "barge-in": spread(self.barge_in)}


# ---------------------------------------------------------------- servers


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    ours: bool = False


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
            await asyncio.sleep(1.0)  # the reply to the one before is playing
        onset, ended = await caller.microphone.say(speech[i % len(speech)])
        if i > rounds.start:
            quiet = await caller.silence(onset)
            result.barge_in.append((quiet - onset) * 1000)
        began = await caller.sound(quiet)
        if began < ended:
            result.early += 1
            await asyncio.sleep(1.0)
        else:
            result.reply[i] = (began - ended) * 1000


async def case(servers: dict[str, Server], speech: list[Samples], rounds: int, loss: float) -> dict[str, Result]:
    """All servers at once, call by call."""
    results = {name: Result() for name in servers}
    for first in range(0, rounds, CALL_ROUNDS):
        part = range(first, min(rounds, first + CALL_ROUNDS))
        async with asyncio.TaskGroup() as calls:
            for name, server in servers.items():
                calls.create_task(measure(server, speech, part, loss / 100, results[name]))
    return results


# ---------------------------------------------------------------- what is shown


def show(name: str, result: Result) -> None:
    for what, row in result.rows().items():
        print(shown(name, what, row), flush=True)
    if result.early or result.failed:
        print(f"{'':44}early {result.early}, failed {result.failed}")


def shown(name: str, what: str, row: dict[str, float]) -> str:
    numbers = "".join(f"{row.get(key, float('nan')):9.0f}" for key in ("p50", "p95", "p99", "max"))
    return f"{name:44}{what:10}{numbers}   N={row['n']}"


def beyond_floor(ours: Result, floor: Result) -> dict[str, float]:
    """How much later we reply than the floor, p50 and p95 over the rounds both answered."""
    both = ours.reply.keys() & floor.reply.keys()
    mine, its = (spread([result.reply[i] for i in both]) for result in (ours, floor))
    return {"n": len(both)} | {key: mine[key] - its[key] for key in ("p50", "p95") if both}


def verdicts(results: dict[str, Result], ducked: dict[str, float]) -> dict[str, bool]:
    """Target -> met."""
    found: dict[str, bool] = {}
    for name, ours in results.items():
        if name.startswith(OURS):
            of = name.removeprefix(f"{OURS}, ")
            beyond = beyond_floor(ours, results[f"{FLOOR}, {of}"])
            found[f"{of}: reply p50 {beyond.get('p50', float('nan')):+.0f} ms of the floor <= +{SLOWER_MS:.0f}"] = (
                beyond.get("p50", float("inf")) <= SLOWER_MS
            )
            p95 = spread(ours.barge_in).get("p95", float("inf"))
            found[f"{of}: barge-in p95 {p95:.0f} <= {SILENT_MS:.0f} ms"] = p95 <= SILENT_MS
            found[f"{of}: every call answered, none early"] = not ours.failed and not ours.early
    p95 = ducked.get("p95", float("inf"))
    found[f"page: duck p95 {p95:.0f} <= {WITHIN_MS:.0f} ms"] = p95 <= WITHIN_MS
    return found


# ---------------------------------------------------------------- the run


async def run(rounds: int, losses: list[float]) -> tuple[dict[str, Result], dict[str, float]]:
    synthesised = [trimmed(said(text, voice)) for voice, text in LINES]
    recorded = [clip for name, clip in human().items() if name in CLIPS]
    results: dict[str, Result] = {}
    async with AsyncExitStack() as up:
        http = await up.enter_async_context(aiohttp.ClientSession())
        servers = {
            OURS: Server(await up.enter_async_context(gateway(http)), ours=True),
            FLOOR: Server(await up.enter_async_context(floor(http, stock=False))),
            STOCK: Server(await up.enter_async_context(floor(http, stock=True))),
        }
        for server in servers.values():
            await measure(server, synthesised, range(1), 0.0, Result())  # what is loaded once is loaded
        for wave in waves(losses):
            async with asyncio.TaskGroup() as calls:
                asked = {
                    (loss, kind): calls.create_task(case(called(servers, loss), speech, rounds, loss))
                    for loss in wave
                    for kind, speech in (("synthesised", synthesised), ("human", recorded))
                }
            for (loss, kind), task in asked.items():
                for name, result in task.result().items():
                    key = f"{name}, {kind}{f', {loss:g} % loss' if loss else ''}"
                    results[key] = result
                    show(key, result)
        ducked = spread(await ducks(servers[OURS].url, synthesised + recorded, max(20, rounds)))
        print(shown("page", "duck", ducked))
    return results, ducked


def waves(losses: list[float]) -> list[list[float]]:
    """What is called at the same time: a whole line by itself, lossy ones two by two."""
    lossy = [loss for loss in losses if loss]
    return [[0.0]] * (0.0 in losses) + [lossy[i : i + 2] for i in range(0, len(lossy), 2)]


def called(servers: dict[str, Server], loss: float) -> dict[str, Server]:
    return {name: server for name, server in servers.items() if name != STOCK or loss in STOCK_LOSSES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--loss", default="0,1,5,10,20", help="uplink loss in per cent")
    options = parser.parse_args()
    began = time.monotonic()
    print(f"{machine()}, {undisturbed()}")
    print(f"{'':44}{'':10}" + "".join(f"{key:>9}" for key in ("p50", "p95", "p99", "max")))
    results, ducked = asyncio.run(run(options.rounds, [float(loss) for loss in options.loss.split(",")]))
    judged = verdicts(results, ducked)
    for target, met in judged.items():
        print(f"{'met   ' if met else 'MISSED'}  {target}")
    numbers = {
        name: result.rows() | {"failed": result.failed, "early": result.early} for name, result in results.items()
    }
    bars = {f"{name}: barge-in p95": spread(result.barge_in).get("p95", 0.0) for name, result in results.items()}
    bars |= {f"{name}: reply p50": result.rows()["reply"].get("p50", 0.0) for name, result in results.items()}
    bars["page: duck p95"] = ducked.get("p95", 0.0)
    save("voice", {**numbers, "page": {"duck": ducked}, "targets": judged}, bars, "ms", SILENT_MS)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
