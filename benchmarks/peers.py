"""Join, reply and barge-in of pipecat, fastrtc and Nestcall: the same caller, instant stubs, one run, one machine.

    python -m benchmarks.peers [--calls 6] [--only nestcall,bare] [--environments DIR]

Installs the peers from PyPI into throwaway environments (kept when DIR is given). Nestcall is called through WHIP with
NESTCALL_RECOGNIZER=instant, NESTCALL_RESPONDER=instant, NESTCALL_SYNTHESIZER=tone; sign-in and ticket are got before
the clock starts, the peers have neither. All servers stand at once and are called in turn, never two at a time; the
first call of each is told apart: it is cold.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

from benchmarks import results
from benchmarks.tone_caller import Connect, Measured, measure

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ROOT / "benchmarks" / "peer_servers"
PACKAGES = {
    "fastrtc": ("fastrtc[vad]==0.0.34", "uvicorn"),
    "pipecat": ("pipecat-ai[webrtc,silero]==1.14.0", "uvicorn", "fastapi"),
}
PATIENCE_S = 240.0
"""For a server to come up: the peers import for a long time on a busy machine."""
FIGURES = ("join", "reply", "barge_in", "after")


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    kind: str
    mode: str = "default"


CONTENDERS = (
    Contender("bare aiortc + Silero", "bare"),
    Contender("nestcall", "nestcall"),
    Contender("pipecat default", "pipecat"),
    Contender("pipecat 0.6 s", "pipecat", "timeout"),
    Contender("pipecat 0 s", "pipecat", "floor"),
    Contender("fastrtc default", "fastrtc"),
    Contender("fastrtc tuned", "fastrtc", "tuned"),
)


# ---------------------------------------------------------------- environments and processes


def environment(kind: str, place: Path) -> Path:
    """The Python of the peer's own environment, made if need be."""
    python = place / kind / "bin" / "python"
    if not (place / kind / ".done").exists():
        print(f"installing {' '.join(PACKAGES[kind])} into {place / kind} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", place / kind], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES[kind]], check=True, stderr=subprocess.DEVNULL)
        (place / kind / ".done").touch()
    return python


def command(contender: Contender, place: Path, port: int) -> list[str]:
    if contender.kind == "nestcall":
        return [sys.executable, "-m", "gateway.cli", "serve", "--port", str(port), "--data-dir", str(place / "data")]
    python = environment(contender.kind, place) if contender.kind in PACKAGES else Path(sys.executable)
    return [str(python), str(SERVERS / f"{contender.kind}_server.py"), str(port), contender.mode]


def surroundings() -> dict[str, str]:
    import faster_whisper

    silero = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
    instant = {"RECOGNIZER": "instant", "RESPONDER": "instant", "SYNTHESIZER": "tone", "LOG_LEVEL": "WARNING"}
    offline = {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "SILERO": str(silero)}
    return os.environ | offline | {f"NESTCALL_{name}": value for name, value in instant.items()}


@contextmanager
def served(contender: Contender, place: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A running server: its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = place / f"{contender.kind}-{contender.mode}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(contender, place, port), cwd=ROOT, env=surroundings(), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _until_up(process, port, log)
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise SystemExit(f"the server did not come up:\n{log.read_text()[-2000:]}")


# ---------------------------------------------------------------- calling


@asynccontextmanager
async def line(contender: Contender, client: aiohttp.ClientSession, url: str) -> AsyncIterator[Connect]:
    """Everything before the clock starts, and the hanging up."""
    if contender.kind != "nestcall":
        yield lambda sdp: _offer(client, url, sdp)
        return
    if url not in signed_in:
        signed_in[url] = (await _created(client, f"{url}/api/v1/sessions", {}, {"guest": True}))["token"]
    who = {"Authorization": f"Bearer {signed_in[url]}"}
    bearer = {"Authorization": f"Bearer {(await _created(client, f'{url}/api/v1/tickets', who, None))['ticket']}"}
    call = ""

    async def whip(sdp: str) -> str:
        nonlocal call
        async with client.post(
            f"{url}/api/v1/whip", data=sdp, headers=bearer | {"Content-Type": "application/sdp"}
        ) as it:
            call = it.headers.get("Location", "")
            return _sdp(it.status, await it.text())

    yield whip
    async with client.delete(url + call, headers=bearer):
        pass


signed_in: dict[str, str] = {}
"""One guest for all calls of a run: the gateway lets no address make guests by the dozen."""


async def _created(client: aiohttp.ClientSession, url: str, headers: dict[str, str], body: object) -> dict[str, Any]:
    async with client.post(url, headers=headers, json=body) as answer:
        if answer.status != 201:
            raise SystemExit(f"{url}: HTTP {answer.status} {(await answer.text())[:300]}")
        return dict(await answer.json())


async def _offer(client: aiohttp.ClientSession, url: str, sdp: str) -> str:
    async with client.post(f"{url}/offer", json={"sdp": sdp}) as answer:
        return _sdp(answer.status, (await answer.json()).get("sdp", ""))


def _sdp(status: int, text: str) -> str:
    if status >= 300 or not text.startswith("v=0"):
        raise SystemExit(f"no answer: HTTP {status} {text[:300]}")
    return text


@dataclass(slots=True)
class Running:
    contender: Contender
    url: str
    process: psutil.Process
    calls: list[Measured] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)

    async def call(self, client: aiohttp.ClientSession) -> None:
        """One call; `cores` is what the server used while it lasted."""
        began, used = time.monotonic(), _cpu_s(self.process)
        async with line(self.contender, client, self.url) as connect:
            self.calls.append(await measure(connect, channel=self.contender.kind == "fastrtc"))
        self.cores.append((_cpu_s(self.process) - used) / (time.monotonic() - began))
        await asyncio.sleep(0.5)

    def row(self) -> dict[str, Any]:
        """The first call was cold and is told apart."""
        first, *rest = self.calls
        figures = {name: [value for m in rest if (value := asdict(m)[name]) is not None] for name in FIGURES}
        spreads = {name: results.spread(values) for name, values in figures.items()}
        return {"cores": float(np.median(self.cores)), "first": asdict(first), "calls": len(rest)} | spreads


async def rounds(servers: list[Running], count: int) -> None:
    """Round after round over all, so that a busy minute of the machine hits everyone."""
    async with aiohttp.ClientSession() as client:
        for number in range(count + 1):
            for server in servers:
                await server.call(client)
            print(f"round {number} of {count}", flush=True)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


# ---------------------------------------------------------------- telling


def show(rows: dict[str, dict[str, Any]]) -> None:
    print(f"\nms (p50 / p95 / max)   {results.machine()}")
    print(f"{'':24}{'join':>22}{'reply':>22}{'barge-in':>22}{'… from her end':>22}{'cores':>7}{'first join':>12}")
    for name, row in rows.items():
        cells = "".join(f"{_cell(row[figure], row['calls']):>22}" for figure in FIGURES)
        first = row["first"]["join"]
        print(f"{name:24}{cells}{row['cores']:7.2f}{f'{first:.0f}' if first is not None else 'never':>12}")


def _cell(figure: dict[str, float], calls: int) -> str:
    """With the number of calls in which it happened, where it did not in all."""
    if not figure["n"]:
        return "never"
    short = f" ({figure['n']}/{calls})" if figure["n"] < calls else ""
    return f"{figure['p50']:.0f} / {figure['p95']:.0f} / {figure['max']:.0f}{short}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=6, help="warm calls of each server")
    parser.add_argument("--only", default="", help="kinds or names, comma-separated")
    parser.add_argument("--environments", type=Path, help="keep the peers' environments here")
    asked = parser.parse_args()
    wanted = [word.strip() for word in asked.only.split(",") if word.strip()]
    contenders = [c for c in CONTENDERS if not wanted or c.kind in wanted or c.name in wanted]
    place = asked.environments or Path(tempfile.mkdtemp(prefix="nestcall-peers-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            servers = [Running(c, *stack.enter_context(served(c, place))) for c in contenders]
            asyncio.run(rounds(servers, asked.calls))
        rows = {server.contender.name: server.row() for server in servers}
        show(rows)
        bars = {
            f"{name}: {figure.replace('_', '-')}": row[figure]["p50"]
            for figure in ("join", "reply", "barge_in")
            for name, row in rows.items()
            if row[figure]["n"]
        }
        results.save("peers", {"rows": rows}, bars, "ms, p50")
    finally:
        if not asked.environments:
            shutil.rmtree(place, ignore_errors=True)
        else:
            shutil.rmtree(place / "data", ignore_errors=True)


if __name__ == "__main__":
    main()
