"""The gateway's own command with three things only tests may do: step its clock, break it on purpose, and die at a
chosen moment of a commit.

None is a setting: they exist only in this file, which no package contains.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

CLOCK = "NESTCALL_FAULTS_CLOCK"
LOG = "NESTCALL_FAULTS_LOG"
BROKEN = "NESTCALL_FAULTS_NO_IDEMPOTENCY"
MOMENT = "NESTCALL_FAULTS_MOMENT"
MOMENTS = ("before commit", "in commit", "after commit")
"""Written but not committed · while SQLite writes and syncs · committed, and nobody was told yet."""

SYNC_S = 0.002


def step_clock(offset_file: Path) -> None:
    """Wall-clock text as if somebody had set the system's clock; the file holds the seconds."""
    from gateway import clock

    true_now = clock.now

    def now() -> str:
        text = offset_file.read_text() if offset_file.exists() else ""
        return clock.after(true_now(), float(text or 0))

    clock.now = now


def forget_nonces() -> None:
    """Idempotency off: what the same checker must catch."""
    from gateway.store import log

    async def never(*_args: Any) -> None:
        return None

    true_insert = log.insert_event

    async def unlimited(connection: Any, state: Any, fact: Any, at: str) -> Any:
        from dataclasses import replace

        return await true_insert(connection, state, replace(fact, nonce=uuid4().hex), at)

    log.earlier = never  # type: ignore[assignment]
    log.insert_event = unlimited


def die_at(order: Path) -> None:
    """The next write whose moment `order` names is this process's last: kill -9, by its own hand."""
    from sqlalchemy import event

    from gateway.store import connect, engine

    def named(moment: str) -> bool:
        return order.exists() and order.read_text() == moment

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_soon() -> None:
        time.sleep(random.uniform(0, SYNC_S))
        die()

    def committing(_connection: Any) -> None:
        if named("before commit"):
            die()
        if named("in commit"):
            Thread(target=die_soon).start()

    true_engine, true_commit = connect.sqlite, engine.Sqlite._commit

    def watched(url: str, *, writes: bool) -> Any:
        made = true_engine(url, writes=writes)
        if writes:
            event.listen(made, "commit", committing)
        return made

    def committed(self: Any, jobs: Any) -> Any:
        outcomes = true_commit(self, jobs)
        if named("after commit"):
            die()
        return outcomes

    connect.sqlite = watched
    engine.Sqlite._commit = committed  # type: ignore[method-assign]


def prepare() -> None:
    """Import all there is, so that a new life starts in a second; the lives themselves share nothing."""
    if CLOCK in os.environ:
        step_clock(Path(os.environ[CLOCK]))
    if os.environ.get(BROKEN) == "1":
        forget_nonces()
    if MOMENT in os.environ:
        die_at(Path(os.environ[MOMENT]))
    import gateway.app
    import gateway.cli
    import gateway.demo
    import gateway.http.routes  # noqa: F401


def live(arguments: Sequence[str]) -> None:
    """One life of the gateway, in this process."""
    from gateway.cli import main as nestcall

    sys.argv = ["nestcall", *arguments]
    nestcall()


def main(arguments: Sequence[str]) -> None:
    """Fork a gateway for each line on stdin; print `born PID` and, whenever one ends, `gone PID CODE` (a signal is
    negative). Ends with stdin."""
    prepare()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            log = os.open(os.environ[LOG], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            live(arguments)
            os._exit(0)
        print("born", pid, flush=True)
        Thread(target=bury, args=(pid,), daemon=True).start()


def bury(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    print("gone", pid, os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
