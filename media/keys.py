"""The key pad: digits pressed one after the other are one entry, `#` ends it at once, `*` takes it back."""

import asyncio
from collections.abc import Callable

WAIT_S = 0.8
"""After the last key; people dial two to five keys a second."""
LONGEST = 32


class Keys:
    """`entered` gets each whole entry. A single key for a menu is an entry of one digit."""

    def __init__(self, entered: Callable[[str], None]) -> None:
        self._entered = entered
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None

    def press(self, key: str) -> None:
        self._stop()
        self._digits = "" if key == "*" else (self._digits + key.rstrip("#"))[:LONGEST]
        if key == "#":
            self._enter()
        else:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self._enter)

    def _enter(self) -> None:
        self._stop()
        digits, self._digits = self._digits, ""
        self._entered(digits)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def close(self) -> None:
        self._stop()
