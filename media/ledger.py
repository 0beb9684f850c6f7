"""PURE: which words lie in which samples, at the sender: the only truth about what she has heard.

A `Line` is what is said for one (turn, revision): spans in order, and how many samples of them have left for her ear.
Everything else reads from it: the conversation keeps `heard`, captions light up `lit` characters, a resume goes on at
`played`.
"""

import re
from dataclasses import dataclass, replace

_WORD_START = re.compile(r"[A-Za-z0-9']+$")


@dataclass(frozen=True, slots=True)
class Span:
    """`text` is said by these `samples` (48 kHz); either may be empty: a breath, or a sign that has no sound."""

    text: str
    samples: int


@dataclass(frozen=True, slots=True)
class Line:
    turn: int
    revision: int
    spans: tuple[Span, ...] = ()
    played: int = 0
    """Samples that have left."""
    complete: bool = False
    """Nothing will be added."""

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    @property
    def samples(self) -> int:
        return sum(span.samples for span in self.spans)

    @property
    def over(self) -> bool:
        """Complete, and all of it has left."""
        return self.complete and self.played >= self.samples

    @property
    def lit(self) -> int:
        """Characters of `text` begun to be heard; grows steadily within a span."""
        return _lit(self.spans, self.played)

    @property
    def heard(self) -> str:
        """What of it she heard, without a Latin word broken in the middle."""
        lit = self.lit
        return whole_words(self.text, lit)

    def add(self, text: str, samples: int) -> "Line":
        return replace(self, spans=(*self.spans, Span(text, samples)))

    def play(self, samples: int) -> "Line":
        return replace(self, played=self.played + samples)

    def finish(self) -> "Line":
        return replace(self, complete=True)


def _lit(spans: tuple[Span, ...], played: int) -> int:
    lit = 0
    for span in spans:
        if played < span.samples:
            return lit + len(span.text) * played // span.samples
        lit += len(span.text)
        played -= span.samples
    return lit


def whole_words(text: str, end: int) -> str:
    """`text[:end]`, less a Latin word or number that `end` cuts in two. A Chinese character is a word."""
    heard = text[:end]
    if text[end : end + 1].isascii() and text[end : end + 1].isalnum():
        heard = _WORD_START.sub("", heard)
    return heard.rstrip() if end < len(text) else heard
