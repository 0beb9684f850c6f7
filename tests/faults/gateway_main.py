"""The gateway's own command with two things only tests may do: step its clock, and break it on purpose.

Neither is a setting: they exist only in this file, which no package contains.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

CLOCK = "NESTCALL_FAULTS_CLOCK"
BROKEN = "NESTCALL_FAULTS_NO_IDEMPOTENCY"


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


def main(arguments: Sequence[str]) -> None:
    if CLOCK in os.environ:
        step_clock(Path(os.environ[CLOCK]))
    if os.environ.get(BROKEN) == "1":
        forget_nonces()
    from gateway.cli import main as nestcall

    sys.argv = ["nestcall", *arguments]
    nestcall()


if __name__ == "__main__":
    main(sys.argv[1:])
