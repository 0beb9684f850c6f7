"""`make faults`: a long random mix of everything that goes wrong, and one checker at the end.

python -m tests.faults.mix --seed 7 --minutes 10 --messages 100000 --faults 200 --kills 50
"""

import argparse
import asyncio
import json
import platform
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.checker import Run, Violation, check
from tests.faults.gateway_main import MOMENTS
from tests.faults.member import Member, Work
from tests.faults.process import GatewayProcess
from tests.faults.toxics import Pair, Proxy
from tests.faults.world import collect, heads, populate

SETTLE_S = 120.0
ROUGH = 0.05
"""How often a rough line doubles frames of the gateway, and how often it swaps them."""


@dataclass
class Plan:
    seed: int = 1
    minutes: float = 10.0
    messages: int = 100_000
    faults: int = 200
    kills: int = 50
    customers: int = 20
    every_s: float = 2.5
    broken: bool = False
    limit_minutes: float = 60.0


@dataclass
class Report:
    plan: Plan
    acked: int = 0
    unacked: int = 0
    events: int = 0
    received: int = 0
    reconnects: int = 0
    starts: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)
    """When a kill -9 hit: before, in or after a commit, or at any time."""
    echoed: int = 0
    swapped: int = 0
    """Reads of gateway frames that rough lines delivered twice, and last first; not counted as faults."""
    violations: list[Violation] = field(default_factory=list)
    machine: str = field(
        default_factory=lambda: f"{platform.machine()} {platform.system()} Python {sys.version.split()[0]}"
    )

    @property
    def rerun(self) -> str:
        p = self.plan
        flags = f"--seed {p.seed} --minutes {p.minutes:g} --messages {p.messages} --faults {p.faults} --kills {p.kills}"
        flags += f" --customers {p.customers} --every-s {p.every_s:g}" + " --broken" * p.broken
        return f".venv/bin/python -m tests.faults.mix {flags}"

    def text(self) -> str:
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        laws = Counter(violation.law for violation in self.violations)
        return "\n".join(
            (
                f"acknowledged {self.acked:,}   not acknowledged {self.unacked}   events {self.events:,}   "
                f"received {self.received:,}",
                f"faults {sum(self.faults.values())}: {kinds}",
                "kill -9 hit: " + ", ".join(f"{name} {count}" for name, count in sorted(self.moments.items())),
                f"rough lines: gateway frames doubled {self.echoed:,} times, swapped {self.swapped:,} times",
                f"reconnects {self.reconnects}   gateway started {self.starts} times   {self.seconds:.0f} s   "
                f"{self.acked / max(1.0, self.seconds):.0f} acknowledged/s",
                f"violations {len(self.violations)}: " + (", ".join(f"{k} {v}" for k, v in laws.items()) or "none"),
                *(f"  {v.law}: {v.conversation} {v.what}" for v in self.violations[:20]),
                f"rerun: {self.rerun}",
                f"machine: {self.machine}",
            )
        )


class Storm:
    """Injects one fault after the other; each heals itself."""

    def __init__(self, process: GatewayProcess, lines: tuple[Proxy, ...], dice: random.Random) -> None:
        self._process = process
        self._lines = lines
        self._dice = dice
        self.counts: Counter[str] = Counter()
        self.moments: Counter[str] = Counter()
        self._kinds: dict[str, tuple[float, Callable[[], Awaitable[None]]]] = {
            "kill -9": (8.0, self._kill),
            "reset": (4.0, self._reset),
            "half-open": (3.0, self._half_open),
            "late frames": (3.0, self._late),
            "duplicated frames": (2.0, self._duplicated),
            "delay": (2.0, self._delay),
            "slow reader": (2.0, self._slow_reader),
            "refused": (1.0, self._refused),
            "database locked": (2.0, self._locked),
            "disk full": (2.0, self._full),
            "clock step": (2.0, self._clock),
        }

    async def strike(self) -> None:
        names = list(self._kinds)
        (name,) = self._dice.choices(names, weights=[self._kinds[name][0] for name in names])
        await self._kinds[name][1]()
        self.counts[name] += 1

    async def revive(self) -> None:
        """A gateway that died by itself is a violation, said at once; its messages are checked all the same."""
        if not self._process.alive:
            await asyncio.sleep(0.5)  # until it is known why
            print("gateway died:", *self._process.deaths[-1:], flush=True)
            await self._process.start()

    def _some(self, share: float) -> list[Pair]:
        return [pair for line in self._lines for pair in line.some(share, self._dice)]

    def _suffer(self, **toxics: float) -> None:
        for line in self._lines:
            for name, value in toxics.items():
                setattr(line.toxics, name, value)

    async def _kill(self) -> None:
        """Three of four in the middle of a write, the others whenever it happens."""
        moment = self._dice.choice(("", *MOMENTS))
        hit = await self._process.kill_at(moment) if moment else await self._process.kill()
        self.moments[moment if moment and hit else "any time"] += 1
        await asyncio.sleep(self._dice.uniform(0, 0.5))
        await self._process.start()

    async def _reset(self) -> None:
        for pair in self._some(self._dice.uniform(0.05, 1.0)):
            pair.reset()

    async def _half_open(self) -> None:
        """One direction or both go silent for good: nobody is told, both ends must find out."""
        for pair in self._some(0.2):
            self._dice.choice((pair.up.clear, pair.down.clear))()

    async def _late(self) -> None:
        """What was on its way arrives after the client has come back and sent it again: doubled, and out of order."""
        held = self._some(0.3)
        for pair in held:
            pair.up.clear()
        await asyncio.sleep(0.3)
        for pair in held:
            pair.abandon()
        await asyncio.sleep(self._dice.uniform(0.5, 2.0))
        for pair in held:
            pair.up.set()

    async def _duplicated(self) -> None:
        """Each frame of a client arrives twice."""
        self._suffer(twice=True)
        await asyncio.sleep(self._dice.uniform(0.5, 2.0))
        self._suffer(twice=False)

    async def _delay(self) -> None:
        self._suffer(delay_s=self._dice.uniform(0.02, 0.3))
        await asyncio.sleep(self._dice.uniform(1, 3))
        self._suffer(delay_s=0.0)

    async def _slow_reader(self) -> None:
        for pair in self._some(0.15):
            pair.bytes_per_s = 2_000.0

    async def _refused(self) -> None:
        self._suffer(refuse=True)
        for pair in self._some(1.0):
            pair.reset()
        await asyncio.sleep(self._dice.uniform(0.5, 1.5))
        self._suffer(refuse=False)

    async def _locked(self) -> None:
        await self._process.lock_database(self._dice.uniform(0.5, 4.0))

    async def _full(self) -> None:
        self._process.fill_disk(full=True)
        await asyncio.sleep(self._dice.uniform(0.5, 3.0))
        self._process.fill_disk(full=False)

    async def _clock(self) -> None:
        self._process.step_clock(self._dice.choice((-86_400.0, -3_600.0, -5.0, 0.0, 5.0, 3_600.0)))


async def until_done(plan: Plan, work: Work, storm: Storm, dice: random.Random, start: float) -> None:
    """Strike until every number of the plan is reached (or the limit)."""
    last = 0.0
    while True:
        minutes = (time.monotonic() - start) / 60
        faults, kills = sum(storm.counts.values()), storm.counts["kill -9"]
        enough = faults >= plan.faults and kills >= plan.kills and minutes >= plan.minutes
        if (enough and work.acked >= plan.messages) or minutes >= plan.limit_minutes:
            return
        if minutes - last > 0.5:
            last = minutes
            print(f"{minutes:5.1f} min  acked {work.acked:,}  faults {faults}  kills {kills}", flush=True)
        await storm.strike()
        await storm.revive()
        # With its share of faults done the storm eases: what is left is messages.
        await asyncio.sleep(plan.every_s * (10 if enough else 1) * dice.uniform(0.3, 1.7))


async def settle(url: str, members: list[Member]) -> None:
    """No more faults: whoever is honest gets through, and everybody catches up."""
    async with asyncio.timeout(SETTLE_S):
        while not all(member.settled for member in members):  # noqa: ASYNC110 - a look now and then is all it takes
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        known = await heads(url, members)
        while not all(member.caught_up(known) for member in members):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def perform(plan: Plan, data: Path) -> Report:
    dice = random.Random(plan.seed)
    process = GatewayProcess(data, free_port(), broken=plan.broken)
    _, rough = lines = Proxy(process.port), Proxy(process.port)
    rough.toxics.echo = rough.toxics.swap = ROUGH
    work = Work(budget=10**9, pace_s=0.02, abandon=0.1, duplicate=0.05)
    report = Report(plan)
    start = time.monotonic()
    try:
        await process.start()
        members = await populate(process, work, dice, plan.customers)
        urls = [f"http://127.0.0.1:{await line.start()}" for line in lines]
        storm = Storm(process, lines, dice)
        tasks = [asyncio.create_task(member.run(urls[0 if member.strict else 1])) for member in members]
        try:
            await until_done(plan, work, storm, dice, start)
            work.quiet = True
            process.step_clock(0)
            for line in lines:
                line.heal()
            await storm.revive()
            try:
                await settle(process.url, members)
            except TimeoutError:  # the checker says who lags
                print("not settled in time", flush=True)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        report.violations += [Violation("client", "", repr(o)) for o in outcomes if isinstance(o, Exception)]
        fill(report, await collect(process.url, members), members, storm, process)
    finally:
        for line in lines:
            await line.stop()
        await process.stop()
    report.echoed, report.swapped = rough.toxics.echoed, rough.toxics.swapped
    report.starts, report.seconds = process.starts, time.monotonic() - start
    return report


def fill(report: Report, run: Run, members: list[Member], storm: Storm, process: GatewayProcess) -> None:
    report.acked = sum(1 for sent in run.sent if sent.seq is not None)
    report.unacked = len(run.sent) - report.acked
    report.events = sum(len(history) for history in run.history.values())
    report.received = sum(len(seen) for seen in run.received.values())
    report.reconnects = sum(member.reconnects for member in members)
    report.faults, report.moments = dict(storm.counts), dict(storm.moments)
    report.violations += [Violation("died", "", when) for when in process.deaths] + check(run)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Plan()).items():
        flag = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=type(default), default=default)
    parser.add_argument("--save", type=Path, help="directory for the report")
    given = vars(parser.parse_args())
    save = given.pop("save")
    with tempfile.TemporaryDirectory(prefix="nestcall-faults-") as data:
        report = asyncio.run(perform(Plan(**given), Path(data)))
    print(report.text())
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        (save / "faults.txt").write_text(report.text() + "\n", "utf-8")
        (save / "faults.json").write_text(json.dumps(asdict(report) | {"rerun": report.rerun}, indent=1), "utf-8")
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
