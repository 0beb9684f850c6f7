"""Wall-clock text. The one place that asks the system for the time of day; tests hand in their own `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], str]
"""Gives now as the store keeps it: UTC ISO-8601 text with microseconds and `Z`."""


def text(moment: datetime) -> str:
    """`2026-11-22T09:00:00.000001Z`: sorts as text in time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now() -> str:
    return text(datetime.now(UTC))


def after(at: str, seconds: float) -> str:
    """The moment `seconds` after `at` (negative: before)."""
    return text(datetime.fromisoformat(at) + timedelta(seconds=seconds))


def unix() -> float:
    """Seconds since 1970: for tokens that others check."""
    return datetime.now(UTC).timestamp()
