"""PURE: what kind of thing a question asks for (a price, a place, a way to do it), by the words that ask it."""

import re
from functools import cache, lru_cache

from gateway.dialogue.knowledge.concepts import lines
from gateway.dialogue.knowledge.text import normalise


@cache
def _cues() -> tuple[tuple[str, re.Pattern[str]], ...]:
    split = (line.split("\t", 1) for line in lines("kinds.txt"))
    return tuple((kind, re.compile(pattern)) for kind, pattern in split)


@lru_cache(maxsize=50_000)
def kinds(text: str) -> frozenset[str]:
    """The kinds asked for in `text`; empty when nothing tells."""
    plain = normalise(text)
    return frozenset(kind for kind, pattern in _cues() if pattern.search(plain))


def alike(wanted: frozenset[str], offered: frozenset[str]) -> float:
    """1: the same kind of thing; -1: another; 0: one of the two does not tell."""
    if not wanted or not offered:
        return 0.0
    return 1.0 if wanted & offered else -1.0
