"""A gateway as a process of its own: started, killed without a word, started again on the same data."""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
MOMENT_S = 2.0
LINKS = "sign-in-links.txt"
SECRET = "faults-harness-identity-secret-0123456789"


class GatewayProcess:
    """`data` keeps the database between lives."""

    def __init__(self, data: Path, port: int, *, broken: bool = False, database: str = "") -> None:
        self.data = data
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.starts = 0
        self._clock = data / "clock-offset"
        self._moment = data / "moment"
        self._nursery: asyncio.subprocess.Process | None = None
        self._pid = 0
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._dead = asyncio.Event()
        self._ours = False
        self._undertaker: asyncio.Task[None] | None = None
        self.deaths: list[str] = []
        """Ends of the gateway that were not our doing, and what is known of each."""
        self._environment = {
            **os.environ,
            "NESTCALL_IDENTITY_SECRET": SECRET,
            "NESTCALL_LOG_LEVEL": "ERROR",
            "NESTCALL_RECOGNIZER": "none",
            "NESTCALL_SYNTHESIZER": "none",
            "NESTCALL_DATABASE_URL": database,
            "NESTCALL_FAULTS_CLOCK": str(self._clock),
            "NESTCALL_FAULTS_MOMENT": str(self._moment),
            "NESTCALL_FAULTS_LOG": str(data / "gateway.log"),
            "NESTCALL_FAULTS_NO_IDEMPOTENCY": "1" if broken else "",
        }

    async def start(self) -> None:
        """Returns once it is ready."""
        if self._nursery is None:
            self._nursery = await self._open_nursery()
            self._undertaker = asyncio.create_task(self._told(self._nursery))
        assert self._nursery.stdin is not None
        self.starts += 1
        self._dead.clear()
        self._ours = False
        self._nursery.stdin.write(b"live\n")
        await self._nursery.stdin.drain()
        async with asyncio.timeout(START_S):
            self._pid = await self._born.get()
            while not (await self.answers() and (self.data / LINKS).exists()):
                assert self.alive, (self.data / "gateway.log").read_text()[-2000:]
                await asyncio.sleep(0.05)

    async def _open_nursery(self) -> asyncio.subprocess.Process:
        """The process that has imported everything and forks the gateways."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.faults.gateway_main",
            *("serve", "--port", str(self.port), "--data-dir", str(self.data)),
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def _told(self, nursery: asyncio.subprocess.Process) -> None:
        """Reads what the nursery says of births and deaths."""
        assert nursery.stdout is not None
        async for line in nursery.stdout:
            match line.decode().split():
                case ["born", pid]:
                    self._born.put_nowait(int(pid))
                case ["gone", pid, code] if int(pid) == self._pid:
                    self._dead.set()
                    if not self._ours:
                        self.deaths.append(await asyncio.to_thread(self._why, int(pid), int(code)))

    def _why(self, pid: int, code: int) -> str:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        kernel = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout.splitlines()
        named = [line for line in kernel if str(pid) in line or "oom" in line.lower()]
        log = self.data / "gateway.log"
        said = log.read_text("utf-8", "replace")[-500:] if log.exists() else ""
        return f"start {self.starts}: {how}; kernel: {named[-3:]}; log: {said!r}"

    @property
    def alive(self) -> bool:
        return self._pid != 0 and not self._dead.is_set()

    async def answers(self) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=1)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self.url + "/readyz") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def kill(self) -> bool:
        """kill -9: no handler runs, nothing is flushed. False: it was dead already."""
        if not self.alive:
            return False
        self._ours = True
        os.kill(self._pid, signal.SIGKILL)
        await self._gone(10)
        return True

    async def kill_at(self, moment: str) -> bool:
        """kill -9 at that moment of its next write (gateway_main.MOMENTS). False: nothing was written, so any moment
        had to do."""
        self._ours = True
        self._moment.write_text(moment)
        try:
            await self._gone(MOMENT_S)
            return True
        except TimeoutError:
            await self.kill()
            return False
        finally:
            self._moment.unlink()

    async def stop(self) -> bool:
        """SIGTERM; did it go by itself?"""
        polite = True
        if self.alive:
            self._ours = True
            os.kill(self._pid, signal.SIGTERM)
            try:
                await self._gone(20)
            except TimeoutError:
                polite = False
                await self.kill()
        if self._nursery is not None and self._nursery.stdin is not None:
            self._nursery.stdin.close()
            await self._nursery.wait()
        if self._undertaker is not None:
            await self._undertaker
        return polite

    async def _gone(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await self._dead.wait()

    def links(self) -> dict[str, str]:
        """{name: one-time code}, as printed at the last start."""
        text = (self.data / LINKS).read_text("utf-8")
        return dict(re.findall(r"^\S+\s+(.+?)  \S+code=(\S+)$", text, re.MULTILINE))

    # ------------------------------------------------------------ faults from below

    def step_clock(self, seconds: float) -> None:
        self._clock.write_text(str(seconds))

    def fill_disk(self, *, full: bool) -> None:
        """No file of the gateway may grow: to SQLite the disk is full."""
        largest = max((f.stat().st_size for f in self.data.glob("nestcall.db*")), default=0)
        prlimit(self._pid, RLIMIT_FSIZE, (largest if full else RLIM_INFINITY, RLIM_INFINITY))

    async def lock_database(self, seconds: float) -> None:
        """Another process holds SQLite's write lock."""
        connection = await asyncio.to_thread(self._lock)
        try:
            await asyncio.sleep(seconds)
        finally:
            connection.close()

    def _lock(self) -> sqlite3.Connection:
        path = self.data / "nestcall.db"
        connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection
