"""PURE: how well one wording covers another, token by token.

Each token of a text is covered to a degree by another: by a shared pair of characters, a shared meaning, the same
sounds, or a lone character. The sum over tokens, weighted by how telling each token is, is the coverage.
"""

from collections.abc import Callable, Container, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge.concepts import lexicon
from gateway.dialogue.knowledge.index import Analysed, lone_sound_term, meaning_term, pair_term, sound_term
from gateway.dialogue.knowledge.text import is_cjk

PAIR, MEANING, MEANING_HEARD, PAIR_HEARD, LONE, LONE_HEARD, WORD = 1.0, 0.9, 0.6, 0.75, 0.5, 0.15, 1.0
WORD_HEARD = 0.6
LONE_TELLING = 0.7
"""A lone character covers at most `LONE`, and no more than this share of how telling it is."""
IDLE, COMMON, LEAST = 0.06, 0.2, 0.35
UNITS = frozenset("月岁周天斤元块次").union(("month", "year", "week", "day", "old", "kg", "kilo"))
"""After a number: how much is compared apart (`text.quantities`); the word itself says little."""


Cover = tuple[str, int, int, float]
"""(term, start, end, degree): if the other text holds `term`, tokens `start:end` are covered to `degree`.

A plain tuple, which the garbage collector leaves alone: hundreds of thousands of them are kept for large bases."""


def covers(text: Analysed, telling: Callable[[str], float] = lambda _: 1.0) -> tuple[Cover, ...]:
    """Everything that could cover a token of `text`; a lone character counts as far as it is telling (天 is not)."""
    words = text.words
    found: list[Cover] = [
        (word, i, i + 1, min(LONE, LONE_TELLING * telling(word)) if is_cjk(word) else WORD)
        for i, word in enumerate(words)
        if not text.stops[i]
    ]
    found += [
        (lone_sound_term(text, i), i, i + 1, LONE_HEARD if is_cjk(word) else WORD_HEARD)
        for i, word in enumerate(words)
        if not (text.stops[i] or word[0].isdigit())
    ]
    for i in range(len(words) - 1):
        found.append((pair_term(text, i), i, i + 2, PAIR))
        found.append((sound_term(text, i), i, i + 2, PAIR_HEARD))
    for span in text.spans:
        degree = MEANING if span.exact else MEANING_HEARD
        found.append((meaning_term(span.meaning), span.start, span.end, degree))
    return tuple(found)


def weights(text: Analysed, telling: Callable[[str], float]) -> NDArray[np.float64]:
    """Weight of each token. `telling(term)` is 0..1 (see `Inverted.weight`)."""
    common = [False] * len(text.words)
    for span in text.spans:
        if span.meaning in lexicon().common:
            common[span.start : span.end] = [True] * (span.end - span.start)
    return np.array([_weight(text, i, common[i], telling) for i in range(len(text.words))])


def _weight(text: Analysed, i: int, common: bool, telling: Callable[[str], float]) -> float:
    word, words = text.words[i], text.words
    if text.idle[i] or (word in UNITS and any(w[0].isdigit() for w in words[max(0, i - 2) : i])):
        return IDLE
    if common or word[0].isdigit():
        return COMMON
    near = [pair_term(text, j) for j in (i - 1, i) if 0 <= j < len(words) - 1]
    rare = telling(word) if not is_cjk(word) or not near else sum(map(telling, near)) / len(near)
    return LEAST + (1 - LEAST) * rare


def coverage(found: Sequence[Cover], weight: NDArray[np.float64], held: Container[str]) -> float:
    """The share of a text's weight that the terms in `held` cover, 0..1; `found` are its covers."""
    degrees = [0.0] * len(weight)
    for term, start, end, degree in found:
        if term in held:
            for i in range(start, end):
                degrees[i] = max(degrees[i], degree)
    mass = float(weight.sum())
    return float(np.dot(weight, degrees)) / mass if mass else 0.0


def degrees(
    found: Sequence[Cover], tokens: int, present: Callable[[str], NDArray[np.bool_]], columns: int
) -> NDArray[np.float64]:
    """To what degree each of the `tokens` is covered by each of `columns` texts: `present(term)` says which hold it."""
    covered = np.zeros((tokens, columns))
    for term, start, end, degree in found:
        held = present(term) * degree
        for i in range(start, end):
            np.maximum(covered[i], held, out=covered[i])
    return covered


def shares(weight: NDArray[np.float64], covered: NDArray[np.float64]) -> NDArray[np.float64]:
    """`coverage` of each column of `degrees`."""
    mass = float(weight.sum())
    return weight @ covered / mass if mass else np.zeros(covered.shape[1])
