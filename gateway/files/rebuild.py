"""Run the child processes that make a stranger's file harmless: few at once, each limited in memory and time."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from gateway.errors import BadInput, TooMuch
from signaling.protocol import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
MAX_WAITING = 32
"""More than this waiting is refused as busy: the client keeps its upload and asks again."""
DEADLINE_S = 60.0


class Workbench:
    """A bounded number of child processes. `run("picture" | "sound", order)` gives what the child reports."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def run(self, child: str, order: dict[str, Any]) -> dict[str, Any]:
        """Raises BadInput with the child's code; a child that crashed, or ran out of time, met a broken file."""
        if self._waiting >= MAX_WAITING:
            raise TooMuch(ErrorCode.BUSY, "too many files at once", retry_after_ms=2000)
        self._waiting += 1
        try:
            async with self._free:
                return _facts(await _spawn(child, order))
        finally:
            self._waiting -= 1


async def _spawn(child: str, order: dict[str, Any]) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        f"gateway.files.{child}",
        json.dumps(order),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, _ = await process.communicate()
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return out if process.returncode == 0 else b""


def _environment() -> dict[str, str]:
    """Nothing of ours: no secrets, no settings. One thread each for the numeric libraries, for the memory limit."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _facts(out: bytes) -> dict[str, Any]:
    if not out:
        raise BadInput(ErrorCode.FILE_BROKEN, "the decoder gave up")
    answer: dict[str, Any] = json.loads(out)
    if "refused" in answer:
        raise BadInput(ErrorCode(answer["refused"]), answer.get("why", "refused by the decoder"))
    return answer
