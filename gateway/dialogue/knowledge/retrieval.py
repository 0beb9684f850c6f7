"""PURE: a question to the three entries that may answer it, with calibrated confidence and a decision."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge import calibration
from gateway.dialogue.knowledge.concepts import table_speller
from gateway.dialogue.knowledge.entries import Entry
from gateway.dialogue.knowledge.index import Analysed, Floats, analyse, analysed, invert, presence
from gateway.dialogue.knowledge.kinds import alike, kinds
from gateway.dialogue.knowledge.match import Cover, coverage, covers, degrees, shares, weights
from gateway.dialogue.knowledge.shape import Shapes
from gateway.dialogue.knowledge.spelling import Speller
from gateway.dialogue.knowledge.text import Quantity, quantities, tokens
from gateway.dialogue.knowledge.topics import shop_topics

CANDIDATES = 12
TOP = 3
ANSWER_WEIGHT, TOPIC_WEIGHT = 0.25, 6.0
TOPIC_ALONE = 0.4
"""From here on a topic makes a candidate of an entry that shares no word with the question."""
NEAR_TOPICS = 12
HOT_ROWS = 4_096
LONGEST = 1_000
"""Characters of a question that are looked at: more than the tokens that are."""
Decision = Literal["answer", "clarify", "handoff"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry and the probability that it answers the question."""

    entry: Entry
    confidence: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best three, best first, and what the numbers call for."""

    hits: tuple[Hit, ...]
    decision: Decision

    @property
    def confidence(self) -> float:
        return self.hits[0].confidence if self.hits else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an entry; `features` feed the calibration (names in `calibration.FEATURES`)."""

    entry: int
    features: tuple[float, ...]
    score: float


class Knowledge:
    """Entries, indexed. Immutable: a new version of the entries is a new Knowledge."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        wordings = [(i, wording) for i, entry in enumerate(self.entries) for wording in entry.asked()]
        self._rows = [analyse(wording) for _, wording in wordings]
        self._owner = np.array([i for i, _ in wordings], np.int32)
        self._first = np.searchsorted(self._owner, np.arange(len(self.entries) + 1))
        self._asked = invert([row.terms for row in self._rows], [i for i, _ in wordings])
        self._shapes = Shapes([wording for _, wording in wordings], [i for i, _ in wordings])
        told = [analyse(f"{entry.answer} {entry.answer_en}") for entry in self.entries]
        self._told = invert([answer.terms for answer in told], range(len(told)))
        self._topics = np.array([shop_topics().of(row) for row in self._rows], np.float32)
        self._told_topics = np.array([shop_topics().of(answer) for answer in told], np.float32)
        self._about = self._gists()
        self._by_topic = np.ascontiguousarray(self._about.T)
        self._speller = Speller((word for row in self._rows for word in row.words), table_speller())
        self._kinds = [frozenset[str]().union(*map(kinds, entry.asked())) for entry in self.entries]
        self._weighed = lru_cache(maxsize=HOT_ROWS)(self._weigh)

    def evidence(self, text: str, store: str | None = None, today: str = "") -> list[Evidence]:
        """The candidates in order of promise, with their features."""
        text = text[:LONGEST]
        asked = analysed(self._spelt(text))
        if not asked.words or not self.entries:
            return []
        rows = self._asked.score(asked.terms)
        best = np.maximum.reduceat(rows, self._first[:-1])
        about = shop_topics().of(asked)
        near = self._near(about)
        total = best + ANSWER_WEIGHT * self._told.score(asked.terms)
        total += TOPIC_WEIGHT * near * ((total > 0) | (near > TOPIC_ALONE))
        most = np.argpartition(-total, min(CANDIDATES * 4, len(total) - 1))[: CANDIDATES * 4]
        order = [int(i) for i in most[np.argsort(-total[most], kind="stable")] if total[i] > 0]
        order = [i for i in order if self.entries[i].serves(store, today)][:CANDIDATES]
        if not order:
            return []
        return sorted(self._judged(text, asked, about, order, best), key=lambda e: -e.score)

    def _near(self, about: Floats) -> Floats:
        """Of every entry, by the question's strongest topics alone: all of them would read 5 MB a question at 5,000."""
        strongest = np.argpartition(-about, NEAR_TOPICS)[:NEAR_TOPICS]
        near: Floats = about[strongest] @ self._by_topic[strongest]
        return near

    def _spelt(self, text: str) -> tuple[str, ...]:
        return tuple(word for one in tokens(text) for word in self._speller.mended(one))

    def _judged(self, text: str, asked: Analysed, about: Floats, order: list[int], best: Floats) -> Iterator[Evidence]:
        """Stage two: the few candidates, token by token."""
        weight = weights(asked, self._asked.weight)
        sizes = self._sizes(order)
        rows = np.concatenate([np.arange(self._first[i], self._first[i + 1]) for i in order])
        starts = np.searchsorted(np.repeat(range(len(order)), sizes), range(len(order)))
        by_row, by_entry = presence(self._asked, rows), presence(self._told, np.array(order))
        found = covers(asked, self._asked.weight)
        covered = degrees(found, len(weight), by_row, len(rows))
        asked_for: NDArray[np.float64] = np.maximum.reduceat(covered, starts, axis=1)
        known = np.maximum(asked_for, degrees(found, len(weight), by_entry, len(order)))
        forth, wide, widest = shares(weight, covered), shares(weight, asked_for), shares(weight, known)
        shape = np.maximum.reduceat(self._shapes.nearness(text, rows), starts)
        topic = np.maximum.reduceat(self._topics[rows] @ about, starts)
        foreign, strongest = shop_topics().foreign(about), int(about.argmax())
        gist, told = self._about[order] @ about, self._told_topics[order] @ about
        ideal, wanted, measured = self._asked.ideal(asked.terms) or 1.0, kinds(text), quantities(text)
        for n, (entry, size) in enumerate(zip(order, sizes, strict=True)):
            mine = slice(starts[n], starts[n] + size)
            closest = self._closest(asked, rows[mine], forth[mine])
            shared = (float(wide[n]), float(widest[n]), min(1.5, float(best[entry]) / ideal))
            one = self.entries[entry]
            fits = (_fit(measured, one.asked()), _fit(measured, (one.answer, one.answer_en)))
            first = (float(self._about[entry, strongest]), float(about[strongest]))
            topics = (float(topic[n]), float(gist[n]), float(told[n]), foreign, *first)
            features = (*closest, *shared, alike(wanted, self._kinds[entry]), float(shape[n]), *fits, *topics)
            yield Evidence(entry, features, calibration.rank(features))

    def _gists(self) -> Floats:
        """Topics of each entry: the mean of its wordings', of length 1."""
        if not len(self._topics):
            return np.zeros((0, shop_topics().count), np.float32)
        summed: Floats = np.add.reduceat(self._topics, self._first[:-1], axis=0)
        lengths: Floats = np.linalg.norm(summed, axis=1, keepdims=True).astype(np.float32)
        summed /= np.maximum(lengths, np.float32(1e-6))
        return summed

    def _sizes(self, order: list[int]) -> list[int]:
        return [int(self._first[i + 1] - self._first[i]) for i in order]

    def _closest(self, asked: Analysed, rows: NDArray[np.int64], forth: NDArray[np.float64]) -> tuple[float, float]:
        """(question covered by wording, wordings covered by question) of the two nearest wordings.

        The first is of the one where both are best, the second the mean: what two wordings have in common with the
        question is the entry's topic, what only one has may be chance.
        """
        pairs = [(float(forth[i]), self._back(int(rows[i]), asked)) for i in np.argsort(-forth)[:2]]
        best = max(pairs, key=lambda pair: pair[0] + 0.5 * pair[1])
        return best[0], sum(back for _, back in pairs) / len(pairs)

    def _back(self, row: int, asked: Analysed) -> float:
        return coverage(*self._weighed(row), asked.terms)

    def _weigh(self, row: int) -> tuple[tuple[Cover, ...], NDArray[np.float64]]:
        text = self._rows[row]
        return covers(text, self._asked.weight), weights(text, self._asked.weight)

    def candidates(self, text: str, store: str | None = None, today: str = "") -> list[Hit]:
        """Up to `CANDIDATES` of what `store` may tell on `today` (ISO date), best first."""
        judged = self.evidence(text, store, today)
        if not judged:
            return []
        confident = calibration.confidences([e.score for e in judged], judged[0].features)
        return [Hit(self.entries[e.entry], c) for e, c in zip(judged, confident, strict=True)]

    def search(self, text: str, store: str | None = None, today: str = "") -> Found:
        """The best three of the `candidates`, and the decision."""
        return decided(self.candidates(text, store, today))


def decided(hits: Sequence[Hit]) -> Found:
    """The best three of `hits` (best first), and what the first one's confidence calls for."""
    return Found(tuple(hits[:TOP]), calibration.decide(hits[0].confidence) if hits else "handoff")


def _fit(wanted: frozenset[Quantity], texts: Iterable[str]) -> float:
    """Ages, weights, stages: 1 where `texts` name one that may be the same, -1 where only others, 0 where none."""
    offered = frozenset[Quantity]().union(*map(quantities, texts)) if wanted else frozenset[Quantity]()
    same = [q for q in wanted if any(q.kind == o.kind for o in offered)]
    if not same:
        return 0.0
    return 1.0 if all(any(q.meets(o) for o in offered) for q in same) else -1.0
