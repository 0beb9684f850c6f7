"""How quick is the chat with 1,000 open pages and 100 messages a second, and how soon is everybody back after a cut?

500 mothers and 500 advisors' windows, one conversation each pair, owned by the advisor: the assistant answers nobody,
but what a mother writes goes through the red-flag rules, as everywhere. A message is written to SQLite with
synchronous=FULL before its ack. The gateway, the loader and the floor (`benchmarks/echo.py`, same frames, same loader)
share this machine; a message's time counts from when it was due, and `loader_late_ms` says what of it is the loader's.

    python -m benchmarks.messages [--sockets 1000] [--rate 100] [--seconds 30]
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import results
from benchmarks.crowd import Crowd, Heard, Seat
from gateway import clock
from gateway.chat import Chat
from gateway.domain.people import Person
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store import people
from gateway.store.engine import Store
from gateway.store.schema import chains, stores

WORDS = "宝宝昨天打完疫苗今天有点低烧，精神还可以，需要去医院吗？还是先物理降温观察一下？"
MISSED = 5
"""Events each page has missed when it comes back."""
QUIET = {
    "NESTCALL_RECOGNIZER": "none",
    "NESTCALL_SYNTHESIZER": "none",
    "NESTCALL_DEMO": "0",
    "NESTCALL_LOG_LEVEL": "ERROR",
}


# ---------------------------------------------------------------- a full shop


async def furnish(settings: Settings, pairs: int) -> list[Seat]:
    """A database with so many assigned conversations, and a seat for each side."""
    store = await Store.open(settings)
    try:
        advisors = await store.write(lambda connection: _staff(connection, pairs))
        mothers = await store.write(lambda connection: _people(connection, "customer", "mother", pairs))
        chat = Chat(store, Hub())
        started = await _each(mothers, lambda person: chat.conversation_for(person, "s1"))
        tokens = await _each(
            (*mothers, *advisors), lambda p: store.write(lambda c: people.start_session(c, p.id, clock.now()))
        )
        await _each(range(pairs), lambda n: chat.act(advisors[n], started[n].id, f"accept-{n:05}", "accept"))
        heads = {c.id: c.last_seq + 1 for c in started}
        places = [c.id for c in (*started, *started)]
        return [Seat(_hello(token), place, seq=heads[place]) for token, place in zip(tokens, places, strict=True)]
    finally:
        await store.close()


async def _staff(connection: AsyncConnection, count: int) -> list[Person]:
    await connection.execute(insert(chains).values(id="shop", name="Shop"))
    await connection.execute(insert(stores).values(id="s1", chain="shop", name="One", hours={}))
    return await _people(connection, "advisor", "advisor", count)


async def _people(connection: AsyncConnection, role: str, name: str, count: int) -> list[Person]:
    at, add = clock.now(), people.add
    return [await add(connection, chain="shop", role=role, name=f"{name}{n}", store="s1", at=at) for n in range(count)]


async def _each(some: Any, act: Any) -> list[Any]:
    """A few at once: nobody is in a hurry yet."""
    slots = asyncio.Semaphore(8)

    async def one(item: Any) -> Any:
        async with slots:
            return await act(item)

    return await asyncio.gather(*(one(item) for item in some))


def _hello(token: str) -> Any:
    return lambda seat: json.dumps({"type": "hello", "token": token, "resume": {seat.conversation: seat.seq}})


# ---------------------------------------------------------------- processes


class Server:
    """A child process that listens on a free port."""

    def __init__(self, *command: str, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self._command = [part.replace("PORT", str(self.port)) for part in command]
        self._environment = {**os.environ, **(environment or {})}
        self.url = f"http://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.DEVNULL, stderr=sys.stderr, start_new_session=True
        )
        self.seen = psutil.Process(self._process.pid)
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while True:
                try:
                    async with http.get(f"http://127.0.0.1:{self.port}/"):
                        return
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        self._process.wait(20)

    def rss(self) -> int:
        return int(self.seen.memory_info().rss)

    def cpu_s(self) -> float:
        times = self.seen.cpu_times()
        return float(times.user + times.system)


# ---------------------------------------------------------------- the questions


async def measure(server: Server, seats: list[Seat], args: argparse.Namespace, *, echo: bool) -> dict[str, Any]:
    """Whatever happens, nothing keeps running."""
    try:
        return await _measured(server, seats, args, echo=echo)
    finally:
        server.stop(signal.SIGKILL)


async def _measured(server: Server, seats: list[Seat], args: argparse.Namespace, *, echo: bool) -> dict[str, Any]:
    await server.start()
    empty = server.rss()
    async with Crowd(server.url, seats, echo=echo) as crowd:
        await crowd.arrive()
        await asyncio.sleep(1)
        full = server.rss()
        await crowd.talk(args.rate, 3, WORDS)  # warm
        cpu = server.cpu_s()
        heard = await crowd.talk(args.rate, args.seconds, WORDS)
        cpu = server.cpu_s() - cpu
        numbers = {
            **latencies(heard),
            "cpu_share_of_one_core": cpu / args.seconds,
            "cpu_ms_a_message": 1000 * cpu / args.rate / args.seconds,
            "kib_a_socket": (full - empty) / 1024 / len(seats),
        }
        numbers["rss_mib_after"] = server.rss() / 2**20
        cpu = server.cpu_s()
        numbers["storm_s"] = results.spread(await cut_and_back(crowd))
        numbers["cpu_ms_a_reconnect"] = 1000 * (server.cpu_s() - cpu) / len(seats)
        if not echo:
            numbers["kill_and_restart_s"] = results.spread(await killed_and_back(server, crowd))
    return numbers


def latencies(heard: Heard) -> dict[str, Any]:
    return {
        "ack_ms": results.spread([1000 * s for s in heard.ack]),
        "delivery_ms": results.spread([1000 * s for s in heard.delivery]),
        "loader_late_ms": results.spread([1000 * s for s in heard.late]),
        "refused": len(heard.refused),
    }


async def cut_and_back(crowd: Crowd) -> list[float]:
    crowd.cut()
    for seat in crowd.seats:
        seat.seq = max(0, seat.seq - MISSED)
    return await crowd.storm()


async def killed_and_back(server: Server, crowd: Crowd) -> list[float]:
    """kill -9, start again, everybody back: includes the start of the gateway."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    server.stop(signal.SIGKILL)
    crowd.cut()
    back = asyncio.create_task(crowd.storm())
    await server.start()
    await back
    return [seat.back_at - start for seat in crowd.seats]


async def main(args: argparse.Namespace) -> None:
    pairs = args.sockets // 2
    echo_seats = [Seat(lambda seat: seat.conversation, f"pair-{n % pairs}") for n in range(2 * pairs)]
    numbers: dict[str, Any] = {"sockets": 2 * pairs, "rate": args.rate, "seconds": args.seconds}
    with tempfile.TemporaryDirectory() as folder:
        seats = await furnish(Settings(data_dir=Path(folder), _env_file=None), pairs)
        floor = Server(sys.executable, "-m", "benchmarks.echo", "PORT")
        numbers["floor"] = await measure(floor, echo_seats, args, echo=True)
        serve = ("-m", "gateway.cli", "serve", "--host", "127.0.0.1", "--port", "PORT", "--data-dir", folder)
        numbers["gateway"] = await measure(Server(sys.executable, *serve, environment=QUIET), seats, args, echo=False)
    for name in ("ack_ms", "delivery_ms"):
        numbers[f"{name}_p99_over_floor"] = numbers["gateway"][name]["p99"] / numbers["floor"][name]["p99"]
    print(json.dumps({"machine": results.machine(), **numbers}, indent=1))
    results.save("messages", numbers, bars(numbers), "milliseconds", line=100.0)


def bars(numbers: dict[str, Any]) -> dict[str, float]:
    return {
        f"{who} {what.removesuffix('_ms')} {point}": numbers[who][what][point]
        for what in ("loader_late_ms", "ack_ms", "delivery_ms")
        for who in ("floor", "gateway")
        for point in ("p50", "p95", "p99")
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the children end too
    asyncio.run(main(parser.parse_args()))
