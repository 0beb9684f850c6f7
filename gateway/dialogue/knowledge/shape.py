"""PURE: a text as one run of letters (as it sounds, for Chinese): near even where words are cut or run together.

"form ula" and "formula", "tea thing" and "teething" share no word, but most groups of three letters.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.knowledge.index import invert, presence
from gateway.dialogue.knowledge.text import is_cjk, normalise, reading

SIZE = 3
_OTHER = re.compile(r"[^a-z0-9\u3400-\u9fff]")


def grams(text: str) -> frozenset[str]:
    """Groups of `SIZE` letters of `text` without its spaces; a shorter text is one group."""
    plain = _OTHER.sub("", normalise(text))
    run = "".join(reading(char) if is_cjk(char) else char for char in plain)
    return frozenset(run[i : i + SIZE] for i in range(max(1, len(run) - SIZE + 1)))


class Shapes:
    """The wordings of a knowledge base; `groups[i]` is the entry of wording i."""

    def __init__(self, wordings: Sequence[str], groups: Sequence[int]) -> None:
        rows = [grams(text) for text in wordings]
        self._index = invert(rows, groups)
        self._mass = np.array([self._sum(row) for row in rows])

    def nearness(self, text: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cosine of `text` to each of the wordings `rows`, 0..1, rare groups counting more."""
        wanted, present = grams(text), presence(self._index, rows)
        shared = np.zeros(len(rows))
        for gram in wanted & self._index.idf.keys():
            shared += self._index.idf[gram] * present(gram)
        near: NDArray[np.float64] = shared / np.sqrt(self._mass[rows] * self._sum(wanted))
        return near

    def _sum(self, row: frozenset[str]) -> float:
        return sum(self._index.idf.get(gram, self._index.unseen) for gram in row)
