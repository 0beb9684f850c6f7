"""PURE: how much of the model one customer may use, and when to leave a failing one alone. Time is an argument."""

from collections import OrderedDict
from dataclasses import dataclass, field

CHARS_A_DAY = 60_000
AT_ONCE = 2
MAX_CUSTOMERS = 10_000
FAILURES, REST_S = 3, 30.0


@dataclass(slots=True)
class Used:
    day: str
    chars: int = 0
    running: int = 0


@dataclass(slots=True)
class Budget:
    """Characters (prompt and answer) a day and drafts at once, per customer. The least recent are forgotten."""

    _used: OrderedDict[str, Used] = field(default_factory=OrderedDict)

    def take(self, customer: str, day: str) -> bool:
        """Start a draft; False: over the budget. Whoever got True calls `give_back`."""
        used = self._used.setdefault(customer, Used(day))
        self._used.move_to_end(customer)
        if used.day != day:
            used.day, used.chars = day, 0
        if len(self._used) > MAX_CUSTOMERS:
            self._used.popitem(last=False)
        if used.chars >= CHARS_A_DAY or used.running >= AT_ONCE:
            return False
        used.running += 1
        return True

    def give_back(self, customer: str, chars: int) -> None:
        """A draft ended, having cost `chars`."""
        if used := self._used.get(customer):
            used.running = max(0, used.running - 1)
            used.chars += chars


@dataclass(slots=True)
class Breaker:
    """Closed; after `FAILURES` in a row open for `REST_S`; then one try decides."""

    _failed: int = 0
    _until: float = 0.0

    def closed(self, now: float) -> bool:
        """May the model be asked? In the half-open moment only one caller hears yes."""
        if self._failed < FAILURES:
            return True
        if now < self._until:
            return False
        self._until = now + REST_S
        return True

    def report(self, *, well: bool, now: float) -> None:
        self._failed = 0 if well else self._failed + 1
        if self._failed >= FAILURES:
            self._until = now + REST_S
