"""What both child processes share: their limits, and how they report.

A decoder fed by strangers runs in a process of its own, with little memory, little time, no inherited secrets
(empty environment) and no database. It prints one JSON object: the facts, or `{"refused": code}`.
"""

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

MEBIBYTE = 1024 * 1024


class Unfit(Exception):
    """The file cannot be taken; `code` is the wire's ErrorCode."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def limit(*, memory: int, cpu_s: int, output: int) -> None:
    """Bound this process: address space and written bytes, CPU seconds, descriptors; no core dump."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def report(work: Callable[[dict[str, Any]], dict[str, Any]], too_big: str) -> None:
    """Run `work` on the JSON in argv[1]. Whatever a decoder throws is a broken file; no memory is `too_big`."""
    try:
        answer = work(json.loads(sys.argv[1]))
    except Unfit as unfit:
        answer = {"refused": unfit.code}
    except MemoryError:
        answer = {"refused": too_big}
    except Exception as error:  # decoders raise anything
        answer = {"refused": "file_broken", "why": type(error).__name__}
    json.dump(answer, sys.stdout)
