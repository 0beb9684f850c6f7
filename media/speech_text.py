"""Text as it is shown -> text as it is said, with the way back from any said character to the shown ones.

PURE. The rules of each language are a list; they are tried left to right, and at one place the first that matches
wins. What no rule matches is said as it stands.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from media import speech_text_en, speech_text_zh
from media.ports import Language
from media.speech_rules import Rule

NARROW = {wide: wide - 0xFEE0 for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
"""Full-width digits and Latin letters to their usual form, one character for one."""


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

    @property
    def audible(self) -> bool:
        """Anything but punctuation and blanks."""
        return any(character.isalnum() for character in self.text)

    def given(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the given text that text[start:end] says. Monotonic in both arguments; a replaced
        piece counts as said as soon as its last character is."""
        first = self._back(start)
        return first, max(first, self._back(end))

    def _back(self, position: int) -> int:
        if not self.pieces:
            return 0
        if position >= len(self.text):
            return self.pieces[-1].end
        piece = self.pieces[max(0, bisect_right(self.pieces, position, key=lambda piece: piece.at) - 1)]
        return piece.start + (position - piece.at if piece.verbatim else 0)


def spoken(text: str, language: Language) -> Spoken:
    parts, pieces, at = list[str](), list[Piece](), 0
    for start, end, said in _scan(text, language):
        words = text[start:end] if said is None else said
        pieces.append(Piece(start, end, at, at + len(words), verbatim=said is None))
        parts.append(words)
        at += len(words)
    return Spoken("".join(parts), tuple(pieces))


def _scan(text: str, language: Language) -> Iterator[tuple[int, int, str | None]]:
    """Spans of the text in order; None: as it stands."""
    finder, rules = _rules(language)
    text = text.translate(NARROW)
    here = 0
    for found in finder.finditer(text):
        if found.start() > here:
            yield here, found.start(), None
        pattern, say = rules[int((found.lastgroup or "r0")[1:])]
        match = pattern.match(text, found.start())
        here = found.end()
        yield found.start(), here, say(match) if match else None
    if here < len(text):
        yield here, len(text), None


@cache
def _rules(language: Language) -> tuple[re.Pattern[str], tuple[Rule, ...]]:
    rules = speech_text_zh.RULES if language == "zh" else speech_text_en.RULES
    return re.compile("|".join(f"(?P<r{i}>{rule.pattern.pattern})" for i, rule in enumerate(rules)), re.ASCII), rules
