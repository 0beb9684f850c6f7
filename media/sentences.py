"""PURE: from pieces of text, as a model writes them, to clauses a synthesizer can say without waiting for the rest.

Nothing is lost or added: the clauses of a text, joined, are the text. The first clause may be short (it decides how
soon she hears something), later ones are whole sentences or long clauses, because intonation needs them.
"""

import re
from dataclasses import dataclass

_SENTENCE = re.compile(r"[。！？!?；;\n…]+[”\"'）)]*|\.(?=\s)")
_CLAUSE = re.compile(r"[，、：—]|[,:](?!\d)")
FIRST, LATER, LONGEST = 8.0, 30.0, 120.0
"""Length in Chinese characters' worth of speech; a Latin letter counts for about a third of one."""


@dataclass(frozen=True, slots=True)
class Cutter:
    """What was not cut off yet, and how many clauses were."""

    rest: str = ""
    cut: int = 0

    def feed(self, piece: str) -> tuple["Cutter", tuple[str, ...]]:
        rest, clauses = self.rest + piece, list[str]()
        while end := _cut_at(rest, FIRST if self.cut + len(clauses) == 0 else LATER):
            clauses.append(rest[:end])
            rest = rest[end:]
        return Cutter(rest, self.cut + len(clauses)), tuple(clauses)

    def finish(self) -> tuple[str, ...]:
        return (self.rest,) if self.rest.strip() else ()


def weight(text: str) -> float:
    """How long it takes to say, in Chinese characters."""
    return sum(0.35 if char.isascii() else 1.0 for char in text)


def _cut_at(text: str, enough: float) -> int:
    """Where the first clause of `text` ends; 0 where it is not over yet."""
    for found in re.finditer(f"{_SENTENCE.pattern}|{_CLAUSE.pattern}", text):
        if found.end() == len(text) and text[-1] in ".,:":
            return 0  # the next piece may show that it was a number
        if _SENTENCE.fullmatch(found.group()) and _sayable(text[: found.end()]):
            return found.end()
        if found.group() == "." or weight(text[: found.end()]) >= enough:
            return found.end()
    return _break_long(text)


def _sayable(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _break_long(text: str) -> int:
    if weight(text) < LONGEST:
        return 0
    space = text.rfind(" ", 0, len(text) - 1)
    return space + 1 if space > 0 else len(text)
