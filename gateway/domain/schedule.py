"""PURE: when a store is open."""

from collections.abc import Mapping, Sequence
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = Mapping[str, Sequence[Sequence[str]]]
"""{"mon": [["09:00", "12:00"], ["13:00", "21:00"]], …} in the store's own zone; a day left out is closed."""


def is_open(hours: Hours, local: datetime) -> bool:
    """`local` is the time on the store's wall."""
    minute = local.strftime("%H:%M")
    return any(start <= minute < end for start, end in hours.get(DAYS[local.weekday()], ()))
