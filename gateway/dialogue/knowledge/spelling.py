"""PURE: a misspelt Latin word as the known word it was meant to be.

Known words are found over deletions: two words one edit apart share a spelling with a letter left out (the idea of
SymSpell, Garbe 2012), so a look-up is a few dictionary reads however many words there are.
"""

from collections.abc import Iterable

SHORT, LONG = 4, 8
"""A shorter word is never mended (too many neighbours); from `LONG` on two edits are."""


def deletions(word: str, depth: int) -> set[str]:
    """`word`, and every spelling with up to `depth` letters left out."""
    found = last = {word}
    for _ in range(depth):
        last = {one[:i] + one[i + 1 :] for one in last for i in range(len(one))}
        found = found | last
    return found


def depth_of(word: str) -> int:
    return 0 if len(word) < SHORT else 1 if len(word) < LONG else 2


def distance(one: str, other: str) -> int:
    """Edits between two words; two letters exchanged are one edit (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, match in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != match))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == match:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


class Speller:
    """Knows words, and those of `beside`; `mended(word)` is the nearest one, or `word` itself when it is known or
    nothing is near."""

    def __init__(self, words: Iterable[str], beside: "Speller | None" = None) -> None:
        others = beside.words if beside else frozenset[str]()
        own = frozenset(word for word in words if word.isascii() and word.isalpha()) - others
        self.words: frozenset[str] = own | others
        self._beside = beside
        self._near: dict[str, tuple[str, ...]] = {}
        for word in own:
            for spelling in deletions(word, depth_of(word)):
                self._near[spelling] = (*self._near.get(spelling, ()), word)

    def mended(self, word: str) -> tuple[str, ...]:
        """One word, or two where two were written together (carseat)."""
        depth = depth_of(word)
        if not depth or word in self.words or not (word.isascii() and word.isalpha()):
            return (word,)
        near = {one for spelling in deletions(word, depth) for one in self._neighbours(spelling)}
        ranked = sorted((distance(word, one), one) for one in near if one[0] == word[0])
        if ranked and ranked[0][0] <= depth:
            return (ranked[0][1],)
        return self._halves(word) or (word,)

    def _neighbours(self, spelling: str) -> tuple[str, ...]:
        own = self._near.get(spelling, ())
        return own + self._beside._neighbours(spelling) if self._beside else own

    def _halves(self, word: str) -> tuple[str, ...]:
        cuts = range(3, len(word) - 2)
        return next(((word[:i], word[i:]) for i in cuts if word[:i] in self.words and word[i:] in self.words), ())
