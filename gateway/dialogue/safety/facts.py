"""Ages, temperatures, rates and spans in counted text (see `normal.counted`): numbers with their place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gateway.dialogue.safety.tables import table

_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "个月": 30, "月": 30, "岁": 365, "周岁": 365, "年": 365}
_DAYS |= dict.fromkeys(("day", "d"), 1) | dict.fromkeys(("week", "wk", "w"), 7)
_DAYS |= dict.fromkeys(("month", "mth", "mo", "m"), 30) | dict.fromkeys(("year", "yr", "y"), 365)
YOUNG = 90


@dataclass(frozen=True, slots=True)
class Measure:
    """A number and where it stands."""

    value: float
    start: int
    end: int


_TABLE = table("facts")


def _pattern(name: str) -> re.Pattern[str]:
    """Alternatives; `<n>` stands for a number, `<unit>` for a Chinese unit of age."""
    text = "|".join(_TABLE[name]).replace("<n>", _TABLE["n"]).replace("<unit>", _TABLE["unit"])
    return re.compile(text)


_AGE_ZH = _pattern("age_zh")
_AGE_ZH_ALONE = _pattern("age_zh_alone")
_AGE_ZH_YEARS = _pattern("age_zh_years")
_AGE_ZH_MONTHS = _pattern("age_zh_months")
_AGE_EN = _pattern("age_en")
_TURNED = _pattern("turned")
_NAMED = tuple((re.compile("|".join(words)), days) for days, words in _TABLE["named"])


def _days(value: str, unit: str) -> int:
    unit = unit if unit in _DAYS else unit.rstrip("s")
    return int(float(value) * _DAYS[unit])


@lru_cache(maxsize=8)
def ages(text: str) -> tuple[Measure, ...]:
    """The baby's age in days as said, in the order of the text. Each finding of a check asks again: remembered."""
    found = [_short_of(measure, text) for measure in _exact_ages(text)]
    if not found:
        found = [Measure(days, m.start(), m.end()) for pattern, days in _NAMED for m in pattern.finditer(text)]
        found = found[:1] or found
    return tuple(sorted(found, key=lambda measure: measure.start))


def age(text: str, card: int | None) -> int | None:
    """In days: what was said last, else what the card says."""
    said = ages(text)
    return int(said[-1].value) if said else card


_SHORT = re.compile(
    "(?:没|未|不|不到|不足|差)(?:有)?(?:满|到|足|过)?|under |less than |not (?:even |yet )?|almost |nearly "
)


def _short_of(age: Measure, text: str) -> Measure:
    """`不到三个月` is a day less than said; `没满百天` is said of the young, and counts as such."""
    if not _SHORT.search(text, max(0, age.start - 3), age.end + 2):
        return age
    return Measure(YOUNG - 1 if age.value == 100 else age.value - 1, age.start, age.end)


def _exact_ages(text: str) -> Iterator[Measure]:
    for pattern in (_AGE_ZH, _AGE_ZH_ALONE, _AGE_EN):
        for match in pattern.finditer(text):
            groups = [group for group in match.groups() if group]
            if len(groups) == 2:
                yield Measure(_days(*groups), match.start(), match.end())
            else:
                yield Measure(
                    int(float(groups[0])) * (7 if "week" in match.group(0) else 1), match.start(), match.end()
                )
    for pattern, unit in ((_AGE_ZH_YEARS, 365), (_AGE_ZH_MONTHS, 30), (_TURNED, 365)):
        for match in pattern.finditer(text):
            yield Measure(int(float(match[1]) * unit), match.start(), match.end())


_GOODS = r"(?!的?(?:热?水|恒温|温水|奶|酸奶|档|室温|左右的水)|[^,。]{0,4}(?:冲奶|泡奶|水温))"
_CELSIUS = _pattern("celsius")
_FAHRENHEIT = _pattern("fahrenheit")
_WARMTH = _pattern("warmth")


_THERMOMETER = re.compile(
    r"thermometer|arm ?pit|under (?:the |his |her )?arm|on the (?:strip|digital)|rectal|in (?:the|his|her) bottom"
)
_JUST_TAKEN = re.compile("刚[刚才]?[量测]|[量测](?:的|出来)(?:$|[,。])")
_BARE = re.compile(
    r"(?<![\d.])(3[89]\.\d|10[0-4]\.\d)(?![\d.]|元|块|码|斤|kg|cm|ml|mm|%|折| ?(?:dollars|pounds|lbs?|oz))"
)
_PRICED = re.compile(r"钱|价|元|块|买|卖|包邮|活动|优惠|券|折|货|单|\$|£|€|price|cost|order|pack|buy|pay|size|[￥¥]")


def _bare(sentence: re.Match[str]) -> Iterator[Measure]:
    for match in _BARE.finditer(sentence.group(0)):
        value = float(match[1])
        celsius = value if value < 50 else round((value - 32) / 1.8, 2)
        yield Measure(celsius, sentence.start() + match.start(), sentence.start() + match.end())


def temperatures(text: str) -> list[Measure]:
    """Body temperatures in °C where the sentence speaks of warmth. `38.2` alone is one too, unless it is a price."""
    found = []
    for sentence in re.finditer(r"[^。]+", text):
        if not _WARMTH.search(sentence.group(0)):
            found += [*_bare(sentence)] if not _PRICED.search(sentence.group(0)) else []
            continue
        offset = sentence.start()
        for match in _CELSIUS.finditer(sentence.group(0)):
            if (
                match[2]
                or re.search(r"度|℃|°|c|deg", match.group(0))
                or re.search(r"烧|体温|fever|temperature|量", sentence.group(0)[: match.start()])
                or _THERMOMETER.search(sentence.group(0))
                or _JUST_TAKEN.search(sentence.group(0))
            ):
                found.append(
                    Measure(float(f"{match[1]}.{match[2] or 0}"), offset + match.start(), offset + match.end())
                )
        for match in _FAHRENHEIT.finditer(sentence.group(0)):
            if re.search(r"f|°|deg|华氏|度|\.", match.group(0)) or re.search(
                r"fever|temperature|thermometer|reading", sentence.group(0)
            ):
                celsius = round((float(f"{match[1]}.{match[2] or 0}") - 32) / 1.8, 2)
                found.append(Measure(celsius, offset + match.start(), offset + match.end()))
    return found


_RATES = _pattern("rates")
_PULSE = _pattern("pulse")


def rates(text: str) -> list[Measure]:
    """Breaths per minute; counts over 30 s are said as such rarely and are not doubled."""
    return [
        Measure(float(next(group for group in match.groups() if group)), match.start(), match.end())
        for match in _RATES.finditer(text)
        if not _PULSE.search(text[max(0, match.start() - 10) : match.end() + 6])
    ]


_SPAN = _pattern("span")
_WHOLE = _pattern("whole")


def spans(text: str) -> list[Measure]:
    """Lengths of time in hours; `一整天`, `since last night` count as 12."""
    numbers = ((next(filter(None, match.groups())), match) for match in _SPAN.finditer(text))
    found = [Measure(float(number), match.start(), match.end()) for number, match in numbers]
    found += [Measure(12.0, match.start(), match.end()) for match in _WHOLE.finditer(text)]
    return found + [*_intervals(text)]


_INTERVAL, _INTERVAL_EN = _pattern("interval"), _pattern("interval_en")
_LATE_ZH = ("下午", "傍晚", "晚上", "昨晚", "昨天晚上", "昨天下午", "昨夜", "睡前", "夜里")
_LATE = {*_LATE_ZH, "pm", "p.m", "tonight", "last night", "at night", "at bedtime", "in the evening"}


def _clock(hour: str | None, part: str | None) -> int:
    """Hour of the day, 0-23."""
    if hour is None:
        return 0 if part == "midnight" else 12
    return int(hour) % 12 + 12 if part in _LATE else int(hour)


def _groups(match: re.Match[str], size: int) -> tuple[str | None, ...]:
    """The groups of the alternative that matched; each has `size`."""
    told = match.groups()
    return next(told[at : at + size] for at in range(0, len(told), size) if any(told[at : at + size]))


def _intervals(text: str) -> Iterator[Measure]:
    """`从早上五点到下午三点`, `早上七点换的,到下午四点`, `since 2 am and it is noon`."""
    for match in _INTERVAL.finditer(text):
        part, hour, later_part, later = _groups(match, 4)
        hours = (_clock(later, later_part) - _clock(hour, part)) % 24
        yield Measure(float(hours), match.start(), match.end())
    for match in _INTERVAL_EN.finditer(text):
        hour, part, later, later_part, named = _groups(match, 5)
        hours = (_clock(later, later_part or named) - _clock(hour, part)) % 24
        yield Measure(float(hours), match.start(), match.end())


_HEIGHT = _pattern("height")


def heights(text: str) -> list[Measure]:
    """Metres."""
    scale = {"公分": 0.01, "厘米": 0.01, "cm": 0.01, "ft": 0.3, "feet": 0.3, "foot": 0.3}
    found = _HEIGHT.finditer(text)
    return [Measure(float(m[1]) * scale.get(m[2], 1) + 0.1 * ("多" in m[0]), m.start(), m.end()) for m in found]


_STEPS = _pattern("steps")


def steps(text: str) -> list[Measure]:
    return [Measure(float(m[1] or m[2]), m.start(), m.end()) for m in _STEPS.finditer(text)]
