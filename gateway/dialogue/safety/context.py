"""Is a finding asserted of this baby, now? Negation, time, condition, lesson, hearsay, somebody else, already over.

All functions take plain text (see `normal`) and a span in it. The cue words are data: `tables/context.json`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.dialogue.safety.tables import table

_CUES = table("context")
TALE_REACH = 60
REACH = 160
"""Characters either side that can belong to a finding: speech has no full stops."""


def _cue(name: str) -> re.Pattern[str]:
    """Chinese cues match anywhere, English ones from a word's start to a word's end."""
    zh, en = _CUES[name]["zh"], _CUES[name]["en"]
    parts = ([f"(?:{zh})"] if zh else []) + ([f"(?<![a-z])(?:{en})(?![a-z])"] if en else [])
    return re.compile("|".join(parts))


NOT_WITHIN = _cue("not_within")
_NOT_BEFORE = re.compile(f"(?:{_cue('not_before').pattern})(?:{_CUES['not_before']['filler']}){{0,4}} ?$")
_NOT_LIST = re.compile(f"(?:{_cue('not_before').pattern})[^,。]{{1,30}}(?:、|和|或者?|以及| or | and | nor ) ?$")
_NOT_AFTER = re.compile(_CUES["not_after"])
_NOW, _OURS, _MINE = _cue("now"), _cue("ours"), _cue("mine")
_REMOTE, _RECENT, _ELSEWHEN = _cue("remote_past"), _cue("recent_past"), _cue("other_event")
_IF, _MIGHT = _cue("condition"), _cue("might")
_LESSON, _HEARSAY, _OTHERS, _TALE = _cue("lesson"), _cue("hearsay"), _cue("others"), _cue("tale")
_ADULT, _THING = _cue("adult"), _cue("thing")
_OVER = _cue("over")
_CLEARED_UP = _cue("cleared_up")
_SHOP = _cue("shopping")
CUES = (_SHOP, _IF, _LESSON, _HEARSAY, _OTHERS, _REMOTE, _OVER, _ADULT, _THING, _NOW, _OURS, NOT_WITHIN)
"""Evidence for `learned`; the order is part of its weights."""

_EXPLAINS = (_IF, _LESSON, _HEARSAY, _OTHERS, _REMOTE, _OVER, _CLEARED_UP)


def is_errand(clause: str) -> bool:
    """Something asked of the shop that explains nothing: a price, a size, a person."""
    return bool(_SHOP.search(clause)) and not any(cue.search(clause) for cue in _EXPLAINS)


@dataclass(frozen=True, slots=True)
class Place:
    """A span with the clause and sentence around it, as slices of the same text."""

    text: str
    start: int
    end: int

    @property
    def sentence_start(self) -> int:
        nearest = max(0, self.start - REACH)
        return max(nearest, self.text.rfind("。", nearest, self.start) + 1)

    @property
    def sentence_end(self) -> int:
        furthest = min(len(self.text), self.end + REACH)
        end = self.text.find("。", self.end, furthest)
        return furthest if end < 0 else end

    @property
    def sentence(self) -> str:
        return self.text[self.sentence_start : self.sentence_end]

    @property
    def before(self) -> str:
        """The sentence up to the finding."""
        return self.text[self.sentence_start : self.start]

    @property
    def lead(self) -> str:
        """The clause up to the finding."""
        return self.before[self.before.rfind(",") + 1 :]

    @property
    def after(self) -> str:
        return self.text[self.end : self.sentence_end]

    @property
    def clause(self) -> str:
        return self.lead + self.text[self.start : self.end] + self.after.split(",", 1)[0]


def negated(place: Place, gaps: tuple[str, ...] = ()) -> bool:
    if any(gap and NOT_WITHIN.search(gap) for gap in gaps):
        return True
    lead = place.lead
    return bool(_NOT_BEFORE.search(lead) or _NOT_LIST.search(lead) or _NOT_AFTER.match(place.after))


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def past(place: Place, *, recent: bool = False) -> bool:
    """Told of another time: a past cue before the finding with no `now` between, or right after it in its clause."""
    before = _ELSEWHEN.sub(" ", place.before)
    cue = _last(_REMOTE, before)
    if recent:
        cue = max(cue, _last(_RECENT, before))
    if cue >= 0 and cue > _last(_NOW, before):
        return True
    tail = place.after.split(",", 1)[0]
    later = _REMOTE.search(tail)
    return later is not None and not _NOW.search(before + tail[: later.start()])


def supposed(place: Place) -> bool:
    """A condition (`如果…`), or only feared for the future (`会不会…`, `防止…`)."""
    condition = _last(_IF, place.before)
    if condition >= 0 and not _NOW.search(place.before[condition:]):
        return True
    return bool(_MIGHT.search(place.lead[-14:] if place.lead[-1:] > "一" else place.lead[-40:]))


@lru_cache(maxsize=8)
def _teaches(text: str) -> bool:
    return _LESSON.search(text) is not None


def lesson(place: Place, whole: str) -> bool:
    return _teaches(whole) and not (_NOW.search(place.sentence) and _OURS.search(place.sentence))


def hearsay(place: Place) -> bool:
    """News, films, posts; or a neighbour's child in a tale. A friend's baby in danger *now* is no hearsay."""
    urgent = bool(_NOW.search(place.sentence))
    before = place.text[max(0, place.start - TALE_REACH) : place.start]
    if _HEARSAY.search(before):
        return not _MINE.search(before[_last(_HEARSAY, before) :])
    if _OTHERS.search(place.before):
        return (bool(_TALE.search(place.sentence)) or not urgent) and not _MINE.search(place.before)
    return False


def somebody_else(place: Place) -> bool:
    """The grammatical subject is the mother herself, another adult, an animal or a thing."""
    if _OURS.search(place.text[place.start : place.end]):
        return False
    lead = place.lead or place.before.rstrip(",").rpartition(",")[2]
    subject = max(_last(_ADULT, lead), _last(_THING, lead))
    return subject >= 0 and subject > _last(_OURS, lead)


def over(place: Place) -> bool:
    return bool(_OVER.search(place.after))


def cleared_up(place: Place) -> bool:
    """She laughs, or says later what it was instead: `我说的是水温`, `找到了`, `上星期的事`."""
    return bool(_CLEARED_UP.search(place.text, place.end, place.end + REACH))


def shopping(text: str) -> bool:
    return bool(_SHOP.search(text))
