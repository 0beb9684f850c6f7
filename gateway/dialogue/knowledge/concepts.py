"""PURE: curated meanings (`synonyms.txt`) and topicless expressions (`stopwords.txt`), found as spans of tokens.

A meaning is also found by its reading, because a recognizer writes 尿布失 for 尿不湿: same sounds, other characters.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.dialogue.knowledge.spelling import Speller
from gateway.dialogue.knowledge.text import is_cjk, reading, tokens

HEARD_FROM = 2
"""Tokens from which a meaning is found by its sound alone; it counts less, two sound alike by chance (幻小, 换小)."""
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens `start:end` mean `meaning`; `exact` is False when only the reading agrees."""

    start: int
    end: int
    meaning: int
    exact: bool


@cache
def table_speller() -> Speller:
    """Knows every word of the tables: the spellings a misspelt word may have been."""
    table = lexicon()
    return Speller(word for words in (*table.exact, *table.stops) for word in words)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Token tuples to meanings."""

    exact: dict[tuple[str, ...], tuple[int, ...]]
    heard: dict[tuple[str, ...], tuple[int, ...]]
    common: frozenset[int]
    stops: frozenset[tuple[str, ...]]
    reach: dict[str, int]
    """The longest expression that starts with this token, or with this reading; most tokens start none."""


def lines(name: str) -> list[str]:
    """The rows of a table beside this file, without comments."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def lexicon() -> Lexicon:
    """The curated tables, read once."""
    exact: dict[tuple[str, ...], set[int]] = {}
    heard: dict[tuple[str, ...], set[int]] = {}
    common = set()
    for meaning, line in enumerate(lines("synonyms.txt")):
        if line.startswith("~"):
            common.add(meaning)
        for words in map(tokens, line.lstrip("~").split("|")):
            exact.setdefault(words, set()).add(meaning)
            if len(words) >= HEARD_FROM and is_cjk(words[0]):
                heard.setdefault(tuple(map(reading, words)), set()).add(meaning)
    stops = frozenset(tokens(line) for line in lines("stopwords.txt"))
    reach: dict[str, int] = {}
    for words in (*exact, *stops, *heard):
        reach[words[0]] = max(len(words), reach.get(words[0], 0))
    fixed = {words: tuple(sorted(found)) for words, found in exact.items()}
    return Lexicon(fixed, {w: tuple(sorted(f)) for w, f in heard.items()}, frozenset(common), stops, reach)


def spans(words: tuple[str, ...], readings: tuple[str, ...], idle: tuple[bool, ...]) -> tuple[Span, ...]:
    """Every meaning in `words`, which read as `readings`; `idle` is their `stop_mask`.

    A shorter span inside a longer one of the same kind of evidence is dropped.
    """
    table = lexicon()
    found: list[Span] = []
    reach_exact = reach_heard = 0
    for start in range(len(words)):
        reach = max(table.reach.get(words[start], 0), table.reach.get(readings[start], 0))
        for end in range(min(len(words), start + reach), start, -1):
            meanings = table.exact.get(words[start:end], ())
            if meanings and end > reach_exact:
                found += [Span(start, end, meaning, True) for meaning in meanings]
                reach_exact = end
            elif not meanings and start >= reach_exact and end > reach_heard and not any(idle[start:end]):
                like = table.heard.get(readings[start:end], ())
                found += [Span(start, end, meaning, False) for meaning in like]
                reach_heard = end if like else reach_heard
    return tuple(found)


def stop_mask(words: tuple[str, ...]) -> tuple[bool, ...]:
    """True for each token inside a topicless expression."""
    table = lexicon()
    mask = [False] * len(words)
    for start in range(len(words)):
        reach = table.reach.get(words[start], 0)
        for end in range(start + 1, min(len(words), start + reach) + 1):
            if words[start:end] in table.stops:
                mask[start:end] = [True] * (end - start)
    return tuple(mask)
