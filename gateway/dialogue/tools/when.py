"""PURE: a spoken time ("周六下午三点", "tomorrow at 10") as a moment; the dialogue asks no clock."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.dialogue.knowledge.text import normalise

_WEEK = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_DAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OFFSETS = {"今天": 0, "今晚": 0, "明天": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3, "today": 0, "tomorrow": 1}
_LATER = re.compile(r"下午|傍晚|晚上|今晚|明晚|夜里|p\.?m\.?|afternoon|evening")
_EARLIER = re.compile(r"早上|上午|清晨|明早|凌晨|a\.?m\.?\b|morning")
_CLOCK = re.compile(r"(\d{1,2})\s*(?::|点|时(?!间))\s*(半|一刻|三刻|\d{1,2})?")
_CLOCK_EN = re.compile(r"\b(\d{1,2})(?::(\d{2}))?\s*(?:a\.?m|p\.?m|o'?clock)|\bat\s+(\d{1,2})(?::(\d{2}))?\b")
_MINUTES = {"半": 30, "一刻": 15, "三刻": 45}


@dataclass(frozen=True, slots=True)
class When:
    """What of a moment was said: a day, a time of day, both or neither."""

    day: date | None
    hour: int | None
    minute: int = 0

    def moment(self, zone: datetime) -> datetime | None:
        """The whole moment in the zone of `zone`; None while a part is missing."""
        if self.day is None or self.hour is None:
            return None
        return datetime(self.day.year, self.day.month, self.day.day, self.hour, self.minute, tzinfo=zone.tzinfo)

    def completed(self, by: datetime) -> "When":
        """What was not said is as in `by`."""
        hour, minute = (by.hour, by.minute) if self.hour is None else (self.hour, self.minute)
        return When(self.day or by.date(), hour, minute)


def when(text: str, now: datetime) -> When:
    """The day and the time of day named in `text`. Days are in the future."""
    plain = normalise(text).replace("周六日", "周六")
    hour, minute = _time(plain)
    return When(_day(plain, now.date()), hour, minute)


def _day(text: str, today: date) -> date | None:
    if exact := re.search(r"(?:(\d{4})[-/年])?(\d{1,2})[-/月](\d{1,2})[日号]?", text):
        return _calendar(exact, today)
    for word, offset in sorted(_OFFSETS.items(), key=lambda item: -len(item[0])):
        if word in text:
            return today + timedelta(days=offset)
    if week := re.search(r"(下)?(?:个)?(?:周|星期|礼拜)([一二三四五六日天1-6])", text):
        day = _WEEK.get(week[2], int(week[2]) - 1 if week[2].isdigit() else 0)
        return _weekday(day, today, next_week=bool(week[1]))
    if english := re.search(rf"(next )?\b({'|'.join(_DAYS_EN)})", text):
        return _weekday(_DAYS_EN.index(english[2]), today, next_week=bool(english[1]))
    return None


def _calendar(match: re.Match[str], today: date) -> date | None:
    try:
        day = date(int(match[1] or today.year), int(match[2]), int(match[3]))
        return day if match[1] or day >= today else day.replace(year=day.year + 1)
    except ValueError:
        return None


def _weekday(day: int, today: date, *, next_week: bool) -> date:
    if next_week:
        return today - timedelta(days=today.weekday()) + timedelta(days=7 + day)
    return today + timedelta(days=(day - today.weekday()) % 7)


def _time(text: str) -> tuple[int | None, int]:
    if found := _CLOCK.search(text):
        hour, minute = (
            int(found[1]),
            _MINUTES.get(found[2] or "", 0) or int(found[2] or 0 if (found[2] or "0").isdigit() else 0),
        )
    elif english := _CLOCK_EN.search(text):
        hour, minute = int(english[1] or english[3]), int(english[2] or english[4] or 0)
    else:
        return None, 0
    if _LATER.search(text) and hour < 12:
        hour += 12
    elif hour <= 7 and not _EARLIER.search(text) and "0" + str(hour) + ":" not in text:
        hour += 12  # nobody books for three in the morning
    return (hour, minute) if hour < 24 and minute < 60 else (None, 0)
