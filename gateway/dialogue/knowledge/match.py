"""PURE: how well one wording covers another, token by token.

Each token of the question is covered to a degree by the other text: by a shared pair of characters, a shared meaning,
the same sounds, or a lone character. The sum over tokens, weighted by how telling each token is, is the coverage.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.dialogue.knowledge.concepts import lexicon
from gateway.dialogue.knowledge.index import Analysed
from gateway.dialogue.knowledge.text import is_cjk

PAIR, MEANING, MEANING_HEARD, PAIR_HEARD, LONE, LONE_HEARD, LONE_WORD = 1.0, 0.9, 0.75, 0.75, 0.4, 0.15, 1.0
IDLE, COMMON, LEAST = 0.06, 0.2, 0.35
UNITS = frozenset("月岁周天斤元块次").union(("month", "year", "week", "day", "old", "kg", "kilo"))
"""After a number: how much is compared apart (`text.quantities`); the word itself says little."""


@dataclass(frozen=True, slots=True)
class Target:
    """What can cover: sets over one or several wordings."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    readings: frozenset[str]
    heard: frozenset[tuple[str, str]]
    meanings: frozenset[int]


def target(texts: Iterable[Analysed]) -> Target:
    """The union of `texts` as something to be covered by."""
    words: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    readings: set[str] = set()
    heard: set[tuple[str, str]] = set()
    meanings: set[int] = set()
    for text in texts:
        words.update(text.words)
        pairs.update(zip(text.words, text.words[1:], strict=False))
        readings.update(text.readings)
        heard.update(zip(text.readings, text.readings[1:], strict=False))
        meanings.update(span.meaning for span in text.spans)
    return Target(frozenset(words), frozenset(pairs), frozenset(readings), frozenset(heard), frozenset(meanings))


def weights(text: Analysed, telling: Callable[[str], float]) -> tuple[float, ...]:
    """Weight of each token. `telling(term)` is 0..1 (see `Inverted.weight`)."""
    words = text.words
    common = [False] * len(words)
    for span in text.spans:
        if span.meaning in lexicon().common:
            common[span.start : span.end] = [True] * (span.end - span.start)
    result = []
    for i, word in enumerate(words):
        if text.idle[i] or (i and word in UNITS and any(w[0].isdigit() for w in words[max(0, i - 2) : i])):
            result.append(IDLE)
        elif common[i] or word[0].isdigit():
            result.append(COMMON)
        else:
            near = [word + words[i + 1]] if i + 1 < len(words) else []
            near += [words[i - 1] + word] if i else []
            rare = telling(word) if not is_cjk(word) or not near else sum(map(telling, near)) / len(near)
            result.append(LEAST + (1 - LEAST) * rare)
    return tuple(result)


def degrees(text: Analysed, by: Target) -> list[float]:
    """How far each token of `text` is covered, 0..1."""
    covered = [_lone(word, read, by) for word, read in zip(text.words, text.readings, strict=True)]
    for i in range(len(text.words) - 1):
        if (text.words[i], text.words[i + 1]) in by.pairs:
            degree = PAIR
        elif (text.readings[i], text.readings[i + 1]) in by.heard:
            degree = PAIR_HEARD
        else:
            continue
        covered[i], covered[i + 1] = max(covered[i], degree), max(covered[i + 1], degree)
    for span in text.spans:
        if span.meaning in by.meanings:
            degree = MEANING if span.exact else MEANING_HEARD
            for i in range(span.start, span.end):
                covered[i] = max(covered[i], degree)
    return covered


def _lone(word: str, read: str, by: Target) -> float:
    if word in by.words:
        return LONE if is_cjk(word) else LONE_WORD
    return LONE_HEARD if read in by.readings else 0.0


def coverage(text: Analysed, weight: tuple[float, ...], by: Target) -> float:
    """The share of the weight of `text` that is in `by`, 0..1."""
    mass = sum(weight)
    return sum(w * d for w, d in zip(weight, degrees(text, by), strict=True)) / mass if mass else 0.0
