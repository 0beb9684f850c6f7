"""The engine: concept rules as data → findings in a talk.

A pattern is a regular expression with `{concept}` (from `tables/concepts.json`), `~` (up to 8 characters or words
inside the clause, none of them a negation) and `≈` (the same across clauses, up to 20). `A & B` is either order.
No pattern repeats a repetition.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from itertools import islice
from operator import or_

from gateway.dialogue.ports import Action
from gateway.dialogue.safety import context
from gateway.dialogue.safety.anchors import Sieve
from gateway.dialogue.safety.context import Place
from gateway.dialogue.safety.tables import table

MAX_FINDINGS = 30
"""Of one pattern in one talk; the time a check takes stays bounded."""
NEAR = {True: 16, False: 40}
"""Characters, in a talk with Chinese or without, within which a reason explains a finding away. Wider windows lost
3 of 154 of a stranger's set and spared nobody an alarm."""
SYSTEMS = ("injury", "breathing", "nerves", "gut", "skin", "mother", "together")
_STEP = r"(?:[^\x00-\x7f。]|[a-z0-9.'%/-]++ ?+| )"
_GAPS = {"~": f"({_STEP}{{0,8}}?)", "≈": rf"((?:{_STEP}|,){{0,20}}?)"}
_CONCEPTS: dict[str, str] = table("concepts")


def _expand(pattern: str) -> str:
    """Concepts may name concepts, three deep."""
    for _ in range(3):
        pattern = re.sub(r"\{([a-z_]+)\}", lambda m: f"(?:{_CONCEPTS[m[1]]})", pattern)
    return pattern


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    both = pattern.split(" & ")
    orders = [pattern] if len(both) == 1 else [f"{both[0]}~{both[1]}", f"{both[1]}~{both[0]}"]
    text = "|".join(f"(?:{_expand(order)})" for order in orders)
    text = re.sub("[~≈]", lambda m: _GAPS[m[0]], text)
    return re.compile(f"(?<![a-z])(?:{text})")


_SOUGHT: dict[re.Pattern[str], int] = {}
"""Every pattern looked for by itself, and its bit in what the sieve says."""


@dataclass(frozen=True, slots=True)
class Group:
    """Patterns of which one is enough, each with its bit."""

    patterns: tuple[tuple[int, re.Pattern[str]], ...]
    bits: int


def _group(texts: Sequence[str]) -> Group:
    patterns = [compiled(text) for text in texts]
    numbered = tuple((_SOUGHT.setdefault(pattern, 1 << len(_SOUGHT)), pattern) for pattern in patterns)
    return Group(numbered, reduce(or_, (bit for bit, _ in numbered)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a sign is told.

    `also`: each group needs one more finding anywhere in the talk; `about`: a word of each group, denied or not.
    `unless`: words in its sentence that explain the finding away. `fades`: once over it is no alarm. `suspected`: fear
    of it is enough. `anyone`: not only of the baby. `known_age`: the age limit holds only when the age is told.
    """

    sign: str
    why: str
    find: Group
    also: tuple[Group, ...] = ()
    about: tuple[Group, ...] = ()
    unless: tuple[re.Pattern[str], ...] = ()
    fades: bool = False
    suspected: bool = False
    anyone: bool = False
    under_days: int | None = None
    over_days: int | None = None
    known_age: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """The customer's lines as one plain text, a `。` between lines."""

    text: str
    age_days: int | None


def _rule(sign: str, row: dict[str, object]) -> Rule:
    row = dict(row)
    find, unless = row.pop("find"), row.pop("unless", [])
    also, about = row.pop("also", []), row.pop("about", [])
    return Rule(
        sign=sign,
        find=_group(find),  # type: ignore[arg-type]
        also=tuple(_group(group) for group in also),  # type: ignore[attr-defined]
        about=tuple(_group(group) for group in about),  # type: ignore[attr-defined]
        unless=tuple(compiled(text) for text in unless),  # type: ignore[attr-defined]
        **row,  # type: ignore[arg-type]
    )


RULES = tuple(_rule(sign, row) for system in SYSTEMS for sign, rows in table(system).items() for row in rows)
ACTIONS = {sign: Action(action) for sign, action in table("actions").items()}


_may_match = lru_cache(maxsize=4_096)(Sieve(tuple(_SOUGHT)).candidates)
"""By sentence: those of her earlier lines were looked at when they were new."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """Of one text: start, end and the patterns that may match in it, of each; and those that may match anywhere."""

    each: tuple[tuple[int, int, int], ...]
    bits: int


@lru_cache(maxsize=8)
def _sentences(text: str) -> Sentences:
    found = re.finditer("[^。]+。?", text)
    each = tuple((at.start(), at.end(), _may_match(at.group(0))) for at in found)
    return Sentences(each, reduce(or_, (may for *_, may in each), 0))


def _matches(group: Group, text: str) -> Iterator[re.Match[str]]:
    sentences = _sentences(text)
    if not group.bits & sentences.bits:
        return
    for bit, pattern in group.patterns:
        if bit & sentences.bits:
            spans = [(start, end) for start, end, may in sentences.each if may & bit]
            yield from islice((match for span in spans for match in pattern.finditer(text, *span)), MAX_FINDINGS)


def touched(text: str) -> bool:
    """Does any word of the tables stand in it, asserted or not?"""
    sentences = _sentences(text)
    return any(
        pattern.search(text, start, end)
        for start, end, may in sentences.each
        for pattern, bit in _SOUGHT.items()
        if may & bit
    )


def _asserted(match: re.Match[str], text: str) -> bool:
    place = Place(text, match.start(), match.end())
    return not context.negated(place, match.groups(default="")) and not context.past(place)


def _explained(unless: re.Pattern[str], place: Place) -> bool:
    """An innocent reason close by in the sentence, itself not denied (`没磕过`). Farther off, a shop's word is only
    what she also asks about."""
    text, near = place.text, NEAR[re.search("[一-鿿]", place.text) is not None]
    start, end = max(place.sentence_start, place.start - near), min(place.sentence_end, place.end + near)
    hits = unless.finditer(text, start, end)
    return any(not context.negated(Place(text, hit.start(), hit.end())) for hit in hits)


def _holds(rule: Rule, match: re.Match[str], talk: Talk) -> bool:
    place = Place(talk.text, match.start(), match.end())
    return not (
        context.negated(place, match.groups(default=""))
        or context.past(place, recent=rule.fades)
        or (not rule.anyone and context.lesson(place, talk.text))
        or context.hearsay(place)
        or (not rule.suspected and context.supposed(place))
        or (not (rule.anyone or rule.suspected) and context.somebody_else(place))
        or (rule.fades and context.over(place))
        or (not rule.anyone and context.cleared_up(place))
        or any(_explained(pattern, place) for pattern in rule.unless)
    )


def _age_fits(rule: Rule, age_days: int | None) -> bool:
    if age_days is None:
        return rule.over_days is None and not rule.known_age
    return (rule.under_days is None or age_days < rule.under_days) and (
        rule.over_days is None or age_days >= rule.over_days
    )


def found(rule: Rule, talk: Talk) -> bool:
    if not _age_fits(rule, talk.age_days) or not rule.find.bits & _sentences(talk.text).bits:
        return False
    if not any(_holds(rule, match, talk) for match in _matches(rule.find, talk.text)):
        return False
    if not all(any(_matches(group, talk.text)) for group in rule.about):
        return False
    return all(any(_asserted(match, talk.text) for match in _matches(group, talk.text)) for group in rule.also)
