"""PURE: is a sentence of the model borne by what it was given? If not, it is not said.

Whatever a text talked the model into, only what the entries and tools say gets out: content must be covered by them,
every number must stand in them, nothing of the instructions may show.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.dialogue.knowledge.index import analyse
from gateway.dialogue.knowledge.match import coverage, weights
from gateway.dialogue.knowledge.text import is_cjk, normalise, tokens
from signaling.protocol import Language

COVERED = 0.5
LIGHT = 1.2
"""Below this weight a sentence says nothing (好的。 Of course.)."""
QUOTED = 14
"""As many characters of the instructions in a row are a leak."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything a sentence may rest on."""

    terms: frozenset[str]
    numbers: frozenset[str]
    secret: str
    language: Language


def grounds(sources: Iterable[str], question: str, secret: str, language: Language) -> Grounds:
    """`sources` bear facts; of the question only its numbers may be said back. `secret` must never show."""
    told = list(sources)
    terms = frozenset(term for text in told for term in analyse(text).terms)
    numbers = frozenset(n for text in (*told, question) for n in _NUMBER.findall(normalise(text)))
    return Grounds(terms, numbers, _bare(secret), language)


def borne(sentence: str, by: Grounds) -> bool:
    """True when the sentence may be said."""
    if not _NUMBER.findall(normalise(sentence)) or set(_NUMBER.findall(normalise(sentence))) <= by.numbers:
        return _same_language(sentence, by.language) and not _leaks(sentence, by.secret) and _covered(sentence, by)
    return False


def _covered(sentence: str, by: Grounds) -> bool:
    text = analyse(sentence)
    weight = weights(text, lambda _: 1.0)
    return float(weight.sum()) < LIGHT or coverage(text, weight, by.terms) >= COVERED


def _same_language(sentence: str, language: Language) -> bool:
    words = tokens(sentence)
    chinese = sum(map(is_cjk, words))
    if len(words) < 6:
        return True
    return chinese >= 0.4 * len(words) if language == "zh" else chinese <= 0.3 * len(words)


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text.lower())


def _leaks(sentence: str, secret: str) -> bool:
    bare = _bare(sentence)
    return any(bare[i : i + QUOTED] in secret for i in range(len(bare) - QUOTED + 1))
