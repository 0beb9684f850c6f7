"""The signs that are numbers: fever and cold under 3 months, breathing rate, hours without feed or urine, falls."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.dialogue.safety import context, facts
from gateway.dialogue.safety.context import Place
from gateway.dialogue.safety.facts import YOUNG, Measure
from gateway.dialogue.safety.rules import Talk, compiled
from gateway.dialogue.safety.tables import table

FEVER, COLD = 38.0, 35.5
NEWBORN_WARM = 37.5
_TABLE = table("measured")


def _words(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_TABLE[name]))


_HOT = compiled("|".join(_TABLE["hot"]))
_COLD_BODY = compiled("|".join(_TABLE["cold_body"]))
_LIMBS_ONLY = _words("limbs_only")
_GONE = _words("gone")
_NOT_BODY = _words("not_body")
_ADVICE = _words("advice")
_VACCINE, _NOT_JUST_VACCINATED = _words("vaccine"), _words("not_just_vaccinated")


@dataclass(frozen=True, slots=True)
class Reading:
    """`exact`: a number under a known age, or a height, says it; no harmless words around it take it back. Not where
    she tells a cooler reading too: of the other child, of the other thermometer."""

    sign: str
    why: str
    exact: bool = False


def _told(measure: Measure, text: str, *, recent: bool = True) -> bool:
    """Said of this baby, now."""
    place = Place(text, measure.start, measure.end)
    return not (
        context.negated(place)
        or context.past(place, recent=recent)
        or context.supposed(place)
        or context.lesson(place, text)
        or context.hearsay(place)
        or context.somebody_else(place)
        or context.cleared_up(place)
    )


def age_near(measure: Measure, talk: Talk) -> int | None:
    """Of two children, the age said last before the finding in its sentence; else the last said; else the card's."""
    said = facts.ages(talk.text)
    place = Place(talk.text, measure.start, measure.end)
    same = [age for age in said if place.sentence_start <= age.start < place.sentence_end]
    before = [age for age in same if age.start <= measure.start]
    best = (before or same or said)[-1:] if before or not same else same[:1]
    return int(best[0].value) if best else talk.age_days


def _span(match: re.Match[str]) -> Measure:
    return Measure(0.0, match.start(), match.end())


def _gone(measure: Measure, text: str) -> bool:
    place = Place(text, measure.start, measure.end)
    rest = text[measure.end :]
    return bool(_GONE.search(place.after) or re.match(r"[^。]*。[^。]{0,8}(?:已经退|退烧了|烧退了)", rest))


def _just_vaccinated(text: str) -> bool:
    """A fever within 48 hours of a vaccine is amber (trust.md C2); one of a fortnight ago explains nothing."""
    return bool(_VACCINE.search(text)) and not _NOT_JUST_VACCINATED.search(text)


def fever(talk: Talk) -> Reading | None:
    readings = [
        t for t in facts.temperatures(talk.text) if not _NOT_BODY.search(Place(talk.text, t.start, t.end).clause)
    ]
    hot = [t for t in readings if t.value >= FEVER]
    if readings and not hot:
        return None
    for measure in hot or [_span(match) for match in _HOT.finditer(talk.text)]:
        age = age_near(measure, talk)
        place = Place(talk.text, measure.start, measure.end)
        if age is None or age >= YOUNG or _gone(measure, talk.text) or not _told(measure, talk.text):
            continue
        if _NOT_BODY.search(place.clause) or _ADVICE.search(place.sentence) or _just_vaccinated(talk.text):
            continue
        return Reading("S01", "fever under 3 months", exact=bool(hot) and len(hot) == len(readings))
    return None


def cold(talk: Talk) -> Reading | None:
    low = [t for t in facts.temperatures(talk.text) if 33 <= t.value <= COLD]
    for measure in low or [_span(match) for match in _COLD_BODY.finditer(talk.text)]:
        age = age_near(measure, talk)
        place = Place(talk.text, measure.start, measure.end)
        if age is None or age >= YOUNG or _NOT_BODY.search(place.clause):
            continue
        if not low and _LIMBS_ONLY.search(place.sentence):
            continue
        if _told(measure, talk.text, recent=False):
            return Reading("S02", "low temperature or cold body under 3 months")
    return None


_YOUNG_HINT = compiled("|".join(_TABLE["young_hint"]))


def may_be_young_and_ill(counts: str, age_days: int | None) -> bool:
    """Under 3 months, or of an age that was hinted at but not read, and of the temperatures told (if any) not all are
    normal. Of an age nobody hinted at she is asked (`needs_age`)."""
    read = [t.value for t in facts.temperatures(counts)]
    normal = bool(read) and all(COLD < value < NEWBORN_WARM for value in read)
    young = age_days < YOUNG if age_days is not None else bool(_YOUNG_HINT.search(counts))
    return young and not normal


def fast_breathing(talk: Talk) -> Reading | None:
    for measure in facts.rates(talk.text):
        age = age_near(measure, talk)
        limit = 60 if age is None or age < 60 else 50 if age < 365 else 40
        if limit <= measure.value <= 150 and _told(measure, talk.text, recent=False):
            return Reading("S04", f"breathing rate of {limit} a minute or more")
    return None


_NO_FEED = compiled("|".join(_TABLE["no_feed"]))
_NO_URINE = compiled("|".join(_TABLE["no_urine"]))
_ASLEEP = _words("asleep")
_OTHER_FOOD = _words("other_food")
_POTTY = _words("potty")


def _long(
    findings: Sequence[re.Match[str]], talk: Talk, limit: Callable[[int | None], float], veto: Sequence[re.Pattern[str]]
) -> bool:
    for match in findings:
        place = Place(talk.text, match.start(), match.end())
        if any(pattern.search(place.sentence) for pattern in veto) or not _told(_span(match), talk.text, recent=False):
            continue
        near = [s for s in facts.spans(talk.text) if place.sentence_start - 20 <= s.start < place.sentence_end + 20]
        if any(s.value >= limit(age_near(_span(match), talk)) for s in near):
            return True
    return False


def no_feed(talk: Talk) -> Reading | None:
    found = list(_NO_FEED.finditer(talk.text))
    if _long(found, talk, lambda age: 6 if age is not None and age < YOUNG else 8, (_ASLEEP, _OTHER_FOOD)):
        return Reading("S08", "no feed for too many hours")
    return None


def no_urine(talk: Talk) -> Reading | None:
    found = list(_NO_URINE.finditer(talk.text))
    if _long(found, talk, lambda age: 12 if age is not None and age >= YOUNG else 8, (_POTTY,)):
        return Reading("S10", "no urine for too many hours")
    return None


_FALL = compiled("{fall}")


def high_fall(talk: Talk) -> Reading | None:
    high = [h for h in facts.heights(talk.text) if 1 < h.value < 30] + [
        s for s in facts.steps(talk.text) if s.value > 5
    ]
    for match in _FALL.finditer(talk.text):
        place = Place(talk.text, match.start(), match.end())
        if not _told(_span(match), talk.text, recent=False):
            continue
        if any(place.sentence_start - 12 <= h.start < place.sentence_end + 12 for h in high):
            return Reading("S14", "fall from more than 1 m or 5 stairs", exact=True)
    return None


MEASURES = (fast_breathing, high_fall, fever, cold, no_feed, no_urine)


def needs_age(talk: Talk) -> bool:
    """Fever or cold told, and nobody said how old: worth one question."""
    hot = [t for t in facts.temperatures(talk.text) if t.value >= FEVER or t.value <= COLD]
    findings = hot or [_span(match) for match in (*_HOT.finditer(talk.text), *_COLD_BODY.finditer(talk.text))]
    return (
        talk.age_days is None
        and not facts.ages(talk.text)
        and any(_told(m, talk.text) and not _NOT_BODY.search(Place(talk.text, m.start, m.end).clause) for m in findings)
    )
