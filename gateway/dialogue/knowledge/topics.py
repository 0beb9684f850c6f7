"""PURE: what a text is about, as its nearness to curated topics (`topics_zh.txt`, `topics_en.txt`).

Two texts that share no word still agree when the same topics are near to both: "looks squashed in his shell" and "when
to change the infant seat". The idea is explicit semantic analysis (Gabrilovich and Markovitch 2007), with topics of a
shop in place of an encyclopedia's pages.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge.concepts import lines
from gateway.dialogue.knowledge.index import analyse

TABLES = ("topics_zh.txt", "topics_en.txt")
BESIDE = "not_"
Vector = NDArray[np.float32]
Terms = Mapping[str, float]


class Topics:
    """Topics as weighted terms; `of(terms)` is how near each of them is to a text."""

    def __init__(self, topics: Sequence[Iterable[Terms]], beside: Sequence[bool] = ()) -> None:
        """`beside[i]`: topic i is nothing of the shop's (the weather, a joke)."""
        self.count = len(topics)
        self._beside = np.array(beside or [False] * self.count)
        summed = [_summed(wordings) for wordings in topics]
        held = Counter(term for terms in summed for term in terms)
        idf = {term: log(1 + self.count / (count + 0.5)) for term, count in held.items()}
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, terms in enumerate(summed):
            weighed = {term: log1p(weight) * idf[term] for term, weight in terms.items()}
            for term, weight in weighed.items():
                found[term].append((number, weight * idf[term] / (_length(weighed) or 1.0)))
        self._near = {
            term: (np.array([number for number, _ in near], np.intp), np.array([w for _, w in near], np.float32))
            for term, near in found.items()
        }

    def of(self, terms: Terms) -> Vector:
        """Nearness to each topic, of length 1; zeros where nothing tells."""
        vector = np.zeros(self.count, np.float32)
        for term, weight in terms.items():
            if near := self._near.get(term):
                vector[near[0]] += near[1] * np.float32(weight)
        length = float(np.sqrt(vector @ vector))
        return vector / np.float32(length) if length else vector

    def foreign(self, vector: Vector) -> float:
        """How much of a text's nearness (`of`) is to what is nothing of the shop's, 0..1."""
        other = vector[self._beside]
        return float(np.sqrt(other @ other))


def _summed(wordings: Iterable[Terms]) -> dict[str, float]:
    """The terms of all wordings, each wording of the same length."""
    total: dict[str, float] = defaultdict(float)
    for terms in wordings:
        length = _length(terms) or 1.0
        for term, weight in terms.items():
            total[term] += weight / length
    return total


def _length(terms: Terms) -> float:
    return sqrt(sum(weight * weight for weight in terms.values()))


@cache
def shop_topics() -> Topics:
    """The curated topics, read once."""
    wordings: dict[str, list[Terms]] = defaultdict(list)
    for line in (line for table in TABLES for line in lines(table)):
        key, said = line.split(":", 1)
        wordings[key] += [analyse(text.strip()).terms for text in said.split("|")]
    return Topics(list(wordings.values()), [key.startswith(BESIDE) for key in wordings])
