"""PURE: BM25 over grams of characters, of readings, of words and of meanings, fused in one inverted index.

A row is one wording of one question (or one answer). Impacts are computed at build: a query is a few array additions.
BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge.concepts import Span, lexicon, spans, stop_mask
from gateway.dialogue.knowledge.text import is_cjk, reading, tokens

K1, B = 1.2, 0.4
GRAM, CHAR, HEARD, LONE_HEARD, MEANING, WORD, COMMON = 1.0, 0.3, 0.5, 0.1, 1.0, 1.0, 0.2
WORD_HEARD = 0.4

Floats = NDArray[np.float32]
_NONE = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Analysed:
    """A text taken apart once: everything that matching needs."""

    words: tuple[str, ...]
    readings: tuple[str, ...]
    stops: tuple[bool, ...]
    """Tokens that carry no topic when alone."""
    idle: tuple[bool, ...]
    """Those that carry none here: together they may mean something (how long, money back)."""
    spans: tuple[Span, ...]
    terms: dict[str, float]
    """Index terms with their weight."""


def pair_term(text: "Analysed", i: int) -> str:
    """The term of tokens i and i + 1."""
    return f"{text.words[i]}{text.words[i + 1]}"


def sound_term(text: "Analysed", i: int) -> str:
    """The term of how tokens i and i + 1 sound."""
    return f"{text.readings[i]} {text.readings[i + 1]}"


def lone_sound_term(text: "Analysed", i: int) -> str:
    """The term of how token i sounds."""
    return f"~{text.readings[i]}"


def meaning_term(meaning: int) -> str:
    return f"#{meaning}"


def analyse(text: str) -> Analysed:
    """Tokens, readings, meanings and index terms of `text`."""
    return analysed(tokens(text))


def analysed(words: tuple[str, ...]) -> Analysed:
    """`analyse` of a text already in tokens."""
    readings, stops = tuple(map(reading, words)), stop_mask(words)
    found = spans(words, readings, stops)
    bare = Analysed(words, readings, stops, _idle(stops, found), found, {})
    return replace(bare, terms=_terms(bare))


def _terms(text: Analysed) -> dict[str, float]:
    terms: dict[str, float] = {}
    for i, word in enumerate(text.words):
        if not text.stops[i]:
            terms[word] = CHAR if is_cjk(word) else WORD
            if not word[0].isdigit():
                terms[lone_sound_term(text, i)] = LONE_HEARD if is_cjk(word) else WORD_HEARD
        if i + 1 < len(text.words) and not (text.idle[i] and text.idle[i + 1]) and is_cjk(word):
            terms[pair_term(text, i)] = GRAM
            terms[sound_term(text, i)] = HEARD
    for span in text.spans:
        if not all(text.idle[span.start : span.end]):
            key = meaning_term(span.meaning)
            terms[key] = max(_meant(span), terms.get(key, 0.0))
    return terms


def _meant(span: Span) -> float:
    if span.meaning in lexicon().common:
        return COMMON
    return MEANING if span.exact else HEARD


def _idle(stops: tuple[bool, ...], found: tuple[Span, ...]) -> tuple[bool, ...]:
    """Topicless tokens, except where several of them mean something together (how long, 几点下班)."""
    mask = list(stops)
    for span in found:
        if span.exact and span.end - span.start > 1:
            mask[span.start : span.end] = [False] * (span.end - span.start)
    return tuple(mask)


@dataclass(frozen=True, slots=True)
class Inverted:
    """Term -> (rows, impacts). `idf` is over groups (entries), so ten phrasings of one entry count once."""

    postings: dict[str, tuple[NDArray[np.int32], Floats]]
    idf: dict[str, float]
    unseen: float
    rows: int

    def weight(self, term: str) -> float:
        """How telling a term is, 0..1; a term never seen is the most telling of all."""
        return self.idf.get(term, self.unseen) / self.unseen

    def holders(self, term: str) -> NDArray[np.int32]:
        """The rows that hold `term`, ascending."""
        posting = self.postings.get(term)
        return posting[0] if posting else _NONE

    def score(self, terms: dict[str, float]) -> Floats:
        """BM25 of every row."""
        total = np.zeros(self.rows, np.float32)
        for term, weight in terms.items():
            if posting := self.postings.get(term):
                total[posting[0]] += posting[1] * np.float32(weight)
        return total

    def ideal(self, terms: dict[str, float]) -> float:
        """The score of a row of mean length that holds every term once: the scale for `score`."""
        return sum(weight * self.idf.get(term, self.unseen) for term, weight in terms.items())


def invert(rows: Sequence[Iterable[str]], groups: Sequence[int]) -> Inverted:
    """Index `rows` (each its terms); `groups[i]` is the entry of row i."""
    counted = [Counter(row) for row in rows]
    mean = max(1.0, sum(c.total() for c in counted) / max(1, len(counted)))
    members: dict[str, set[int]] = {}
    where: dict[str, list[tuple[int, float]]] = {}
    for row, (counts, group) in enumerate(zip(counted, groups, strict=True)):
        norm = K1 * (1 - B + B * counts.total() / mean)
        for term, count in counts.items():
            members.setdefault(term, set()).add(group)
            where.setdefault(term, []).append((row, count * (K1 + 1) / (count + norm)))
    population = len(set(groups))
    idf = {t: log(1 + (population - len(m) + 0.5) / (len(m) + 0.5)) for t, m in members.items()}
    postings = {
        term: (np.array([r for r, _ in hits], np.int32), np.array([idf[term] * v for _, v in hits], np.float32))
        for term, hits in where.items()
    }
    return Inverted(postings, idf, log(1 + (population + 0.5) / 0.5), len(counted))


def presence(index: Inverted, columns: NDArray[Any]) -> Callable[[str], NDArray[np.bool_]]:
    """Which of the index's rows `columns` hold a term; each term is looked up once."""
    columns = columns.astype(np.int32)  # as the postings are: else each look-up would convert a whole posting

    @cache
    def present(term: str) -> NDArray[np.bool_]:
        holders = index.holders(term)
        if not len(holders):
            return np.zeros(len(columns), np.bool_)
        spots = holders.searchsorted(columns)
        found: NDArray[np.bool_] = holders.take(spots, mode="clip") == columns
        return found

    return present
