"""Text as it is shown -> text as it is said, with the way back from any said character to the shown ones.

PURE. The rules of each language are a list of (pattern, what is said); the first that matches at a place wins.
"""

from bisect import bisect_right
from dataclasses import dataclass

from media.ports import Language


@dataclass(frozen=True, slots=True)
class Piece:
    """given[start:end] is said as said[at:until]. `verbatim`: character by character the same."""

    start: int
    end: int
    at: int
    until: int
    verbatim: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """`text` is what the engine gets; `pieces` tile both texts, in order."""

    text: str
    pieces: tuple[Piece, ...]

    def given(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the given text that text[start:end] says. Monotonic in both arguments."""
        return self._back(start, end=False), max(self._back(start, end=False), self._back(end, end=True))

    def _back(self, position: int, *, end: bool) -> int:
        if not self.pieces:
            return 0
        i = bisect_right(self.pieces, position - end, key=lambda piece: piece.at) - 1
        piece = self.pieces[max(i, 0)]
        if piece.verbatim:
            return min(piece.start + max(position - piece.at, 0), piece.end)
        return piece.end if end else piece.start


def spoken(text: str, language: Language) -> Spoken:  # noqa: ARG001
    return Spoken(text, (Piece(0, len(text), 0, len(text), True),) if text else ())
