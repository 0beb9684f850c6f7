"""What the rules of all languages are made of. PURE."""

import re
from collections.abc import Callable
from typing import NamedTuple


class Rule(NamedTuple):
    """Patterns use no named groups and no back-references (all rules of a language are joined into one)."""

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str]


def rule(pattern: str, say: Callable[[re.Match[str]], str] | str) -> Rule:
    return Rule(re.compile(pattern, re.ASCII), (lambda _: say) if isinstance(say, str) else say)


NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
"""Digits, maybe with thousands commas and a fraction."""
START = r"(?<![\d.,])(?<![A-Za-z])"
"""Before a number: not in the middle of another, nor of a code such as A2."""
END = r"(?![\d])(?!\.\d)"
DASH = r"\s?[-–—~～至]\s?"
EMOJI = "[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d\u20e3]+"
MARKUP = r"\*\*|__|`+|(?:(?<=\n)|^)(?:#+|[-*]) +"


def spelled(letters: str) -> str:
    """DHA -> D H A."""
    return " ".join(letters.upper())


def words(table: dict[str, str]) -> str:
    """A pattern for any key, longest first."""
    return "|".join(re.escape(key) for key in sorted(table, key=len, reverse=True))
