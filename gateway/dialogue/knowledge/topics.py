"""PURE: what a text is about, as its nearness to curated topics (`topics_zh.txt`, `topics_en.txt`).

Two texts that share no word still agree when the same topics are near to both: "looks squashed in his shell" and "when
to change the infant seat". The idea is explicit semantic analysis (Gabrilovich and Markovitch 2007), with topics of a
shop in place of an encyclopedia's pages.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge.concepts import lines
from gateway.dialogue.knowledge.index import Analysed, analyse
from gateway.dialogue.knowledge.text import is_cjk

TABLES = ("topics_zh.txt", "topics_en.txt")
COMPILED = "topics.npz"
"""What `read_tables` makes of them, for it takes seconds (`make topics`)."""
BESIDE = "not_"
SHARP = 1.6
"""Of an English text, the strongest topics count for more: its words stand in many. Chinese pairs of characters tell
by themselves; sharpened, they lost five points of a hundred (English won six)."""
Vector = NDArray[np.float32]
Terms = Mapping[str, float]


class Topics:
    """Topics as weighted terms; `of(text)` is how near each of them is to a text."""

    def __init__(self, near: Mapping[str, tuple[NDArray[np.intp], Vector]], beside: NDArray[np.bool_]) -> None:
        """`near`: of a term, the topics it tells of and how much; `beside[i]`: topic i is nothing of the shop's (the
        weather, a joke)."""
        self.count, self.beside, self.near = len(beside), beside, near

    def of(self, text: Analysed) -> Vector:
        """Nearness to each topic, of length 1; zeros where nothing tells."""
        vector = np.zeros(self.count, np.float32)
        for term, weight in text.terms.items():
            if near := self.near.get(term):
                vector[near[0]] += near[1] * np.float32(weight)
        if not any(map(is_cjk, text.words)):
            vector **= np.float32(SHARP)
        length = float(np.sqrt(vector @ vector))
        return vector / np.float32(length) if length else vector

    def foreign(self, vector: Vector) -> float:
        """How much of a text's nearness (`of`) is to what is nothing of the shop's, 0..1."""
        other = vector[self.beside]
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


def topics(wordings: Sequence[Iterable[Terms]], beside: Sequence[bool] = ()) -> Topics:
    """Each topic from the terms of its wordings."""
    summed = [_summed(each) for each in wordings]
    held = Counter(term for terms in summed for term in terms)
    idf = {term: log(1 + len(summed) / (count + 0.5)) for term, count in held.items()}
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, terms in enumerate(summed):
        weighed = {term: log1p(weight) * idf[term] for term, weight in terms.items()}
        for term, weight in weighed.items():
            found[term].append((number, weight * idf[term] / (_length(weighed) or 1.0)))
    near = {
        term: (np.array([number for number, _ in each], np.intp), np.array([w for _, w in each], np.float32))
        for term, each in found.items()
    }
    return Topics(near, np.array(beside or [False] * len(summed)))


def read_tables() -> Topics:
    """The curated topics, from their wordings."""
    wordings: dict[str, list[Terms]] = defaultdict(list)
    for line in (line for table in TABLES for line in lines(table)):
        key, said = line.split(":", 1)
        wordings[key] += [analyse(text.strip()).terms for text in said.split("|")]
    return topics(list(wordings.values()), [key.startswith(BESIDE) for key in wordings])


@cache
def shop_topics() -> Topics:
    """The curated topics, as compiled, read once."""
    with (files(__package__) / COMPILED).open("rb") as file, np.load(file) as kept:
        terms = kept["terms"].tobytes().decode().split("\n")
        ends = np.cumsum(kept["sizes"])[:-1]
        numbers = np.split(kept["numbers"].astype(np.intp), ends)
        return Topics(
            dict(zip(terms, zip(numbers, np.split(kept["weights"], ends), strict=True), strict=True)), kept["beside"]
        )
