"""PURE: follow the customer when she changes language, but not for a borrowed word."""

from dataclasses import dataclass

from media.backchannel import words
from media.ports import Language

CLEAR = 4
"""Words of one language that need no second turn to be believed."""
WRITTEN = 2
"""The same of what she types: nothing was misheard."""


@dataclass(frozen=True, slots=True)
class Following:
    language: Language
    other_turns: int = 0
    """Turns in a row that were in the other language."""

    def read(self, text: str) -> "Following":
        return self.hear(text, WRITTEN)

    def hear(self, text: str, clear: int = CLEAR) -> "Following":
        counted = _count(text)
        other: Language = "en" if self.language == "zh" else "zh"
        if counted[other] <= counted[self.language]:
            return Following(self.language) if counted[self.language] else self
        if counted[other] >= clear or self.other_turns >= 1:
            return Following(other)
        return Following(self.language, self.other_turns + 1)


def _count(text: str) -> dict[Language, int]:
    """Words of each language; a Chinese word is about two characters."""
    said = words(text)
    chinese = sum("\u3400" <= word <= "\u9fff" for word in said)
    latin = sum(word[0].isascii() and word[0].isalpha() for word in said)
    return {"zh": (chinese + 1) // 2, "en": latin}
