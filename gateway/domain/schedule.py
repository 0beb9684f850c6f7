"""PURE: when a store is open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = Mapping[str, Sequence[Sequence[str]]]
"""{"mon": [["09:00", "12:00"], ["13:00", "21:00"]], …} in the store's own zone; a day left out is closed."""


def is_open(hours: Hours, local: datetime) -> bool:
    """`local` is the time on the store's wall."""
    minute = local.strftime("%H:%M")
    return any(start <= minute < end for start, end in hours.get(DAYS[local.weekday()], ()))


def opens_at(hours: Hours, local: datetime) -> datetime | None:
    """The next opening after `local`, within a week; None: no hours are known."""
    days = (local + timedelta(days=ahead) for ahead in range(8))
    return next((at for day in days for at in openings(hours, day) if at > local), None)


def openings(hours: Hours, day: datetime) -> list[datetime]:
    """When it opens on that day, once or several times."""
    starts = sorted(start for start, _ in hours.get(DAYS[day.weekday()], ()))
    return [datetime.combine(day, time.fromisoformat(start), day.tzinfo) for start in starts]
