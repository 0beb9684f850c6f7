"""PURE: a question to the three entries that may answer it, with calibrated confidence and a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge import calibration
from gateway.dialogue.knowledge.entries import Entry
from gateway.dialogue.knowledge.index import Analysed, Inverted, analyse, invert
from gateway.dialogue.knowledge.match import Target, coverage, target, weights
from gateway.dialogue.knowledge.text import quantities

CANDIDATES = 12
TOP = 3
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
class Row:
    """One wording of an entry."""

    entry: int
    text: Analysed
    target: Target
    weight: tuple[float, ...]
    plain: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an entry; `features` feed the calibration (names in `calibration.FEATURES`)."""

    entry: int
    features: tuple[float, ...]
    score: float = field(default=0.0)


class Knowledge:
    """Entries, indexed. Immutable: a new version of the entries is a new Knowledge."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        texts = [(i, wording) for i, entry in enumerate(self.entries) for wording in entry.asked()]
        analysed = [analyse(wording) for _, wording in texts]
        self._inverted: Inverted = invert([a.terms for a in analysed], [i for i, _ in texts])
        self._answers: Inverted = invert(
            [analyse(e.answer + " " + e.answer_en).terms for e in self.entries], range(len(self.entries))
        )
        self._texts, self._analysed = texts, analysed
        self._owner: NDArray[np.int32] = np.array([i for i, _ in texts], np.int32)
        self._first: NDArray[np.int64] = np.searchsorted(self._owner, np.arange(len(self.entries)))
        self.row = lru_cache(maxsize=4_096)(self._row)
        self.whole = lru_cache(maxsize=4_096)(self._whole)

    def _row(self, number: int) -> Row:
        owner, plain = self._texts[number]
        text = self._analysed[number]
        return Row(owner, text, target([text]), weights(text, self._inverted.weight), plain)

    def _whole(self, entry: int) -> tuple[Target, Target]:
        """All wordings of an entry, and the same with its answer."""
        asked = [self._analysed[i] for i in self._rows_of(entry)]
        told = self.entries[entry]
        return target(asked), target([*asked, analyse(told.answer), analyse(told.answer_en)])

    def _rows_of(self, entry: int) -> range:
        after = self._first[entry + 1] if entry + 1 < len(self._first) else len(self._texts)
        return range(int(self._first[entry]), int(after))

    def evidence(self, text: str, store: str | None = None, today: str = "") -> list[Evidence]:
        """The candidates in order of promise, with their features."""
        asked = analyse(text)
        if not asked.words or not self.entries:
            return []
        rows = self._inverted.score(asked.terms)
        best = np.maximum.reduceat(rows, self._first) if len(rows) else np.zeros(0, np.float32)
        total = best + 0.25 * self._answers.score(asked.terms)
        ideal = self._inverted.ideal(asked.terms) or 1.0
        weight = weights(asked, self._inverted.weight)
        order = [int(i) for i in np.argsort(-total)[: CANDIDATES * 4] if total[i] > 0]
        order = [i for i in order if self.entries[i].serves(store, today)][:CANDIDATES]
        judged = [self._judge(text, asked, weight, i, rows, float(best[i]) / ideal) for i in order]
        return sorted(judged, key=lambda e: -e.score)

    def _judge(
        self, text: str, asked: Analysed, weight: tuple[float, ...], entry: int, rows: NDArray[np.float32], bm25: float
    ) -> Evidence:
        numbers = self._rows_of(entry)
        near = sorted(numbers, key=lambda i: -rows[i])[:2]
        pairs = [(coverage(asked, weight, r.target), _back(r, asked)) for r in map(self.row, near)]
        forth, back = max(pairs, key=lambda p: p[0] + 0.5 * p[1])
        wide, widest = self.whole(entry)
        features = (
            forth,
            back,
            coverage(asked, weight, wide),
            coverage(asked, weight, widest),
            min(1.5, bm25),
            _clash(text, self.entries[entry]),
        )
        return Evidence(entry, features, calibration.rank(features))

    def search(self, text: str, store: str | None = None, today: str = "") -> Found:
        """The best three of what `store` may tell on `today` (ISO date), with confidences."""
        judged = self.evidence(text, store, today)
        if not judged:
            return Found((), "handoff")
        confident = calibration.confidences([e.score for e in judged])
        hits = tuple(Hit(self.entries[e.entry], c) for e, c in zip(judged, confident, strict=True))[:TOP]
        return Found(hits, calibration.decide(hits[0].confidence))


def _back(row: Row, asked: Analysed) -> float:
    return coverage(row.text, row.weight, target([asked]))


def _clash(text: str, entry: Entry) -> float:
    """1 when both name an age, a weight or a stage and they cannot be the same; else 0."""
    wanted = quantities(text)
    if not wanted:
        return 0.0
    offered = frozenset().union(*(quantities(wording) for wording in entry.asked()))
    same = [q for q in wanted if any(q.kind == o.kind for o in offered)]
    return float(any(not any(q.meets(o) for o in offered) for q in same))
