"""PURE: is a sentence of the model borne by what it was given? If not, it is not said.

Whatever a text talked the model into, only what the entries and tools say gets out: content must be covered by them,
every number must stand in them, nothing of the instructions may show.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.dialogue.knowledge.index import analyse
from gateway.dialogue.knowledge.match import coverage, covers, weights
from gateway.dialogue.knowledge.text import is_cjk, normalise, tokens
from signaling.protocol import Language

COVERED, CLAUSE_COVERED = 0.5, 0.34
LIGHT = 1.2
"""Below this weight a sentence says nothing (好的。 Of course.)."""
QUOTED = 14
"""As many characters of the instructions in a row are a leak."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CLAUSE = re.compile(r"[,\uff0c、;\uff1b:\uff1a]|(?<=[\u3400-\u9fff])\s|\s(?=[\u3400-\u9fff])")
ASKED_DIGITS = 3
"""A longer number is said only when the sources say it: it may name somebody else's order."""


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
    numbers = {n for text in told for n in _NUMBER.findall(normalise(text))}
    numbers |= {n for n in _NUMBER.findall(normalise(question)) if len(n) <= ASKED_DIGITS}
    return Grounds(terms, frozenset(numbers), _bare(secret), language)


def borne(sentence: str, by: Grounds) -> bool:
    """True when the sentence may be said."""
    if not by.numbers.issuperset(_NUMBER.findall(normalise(sentence))):
        return False
    return _same_language(sentence, by.language) and not _leaks(sentence, by.secret) and _covered(sentence, by)


def _covered(sentence: str, by: Grounds) -> bool:
    """The sentence as a whole, and each of its clauses: a true clause must not carry an invented one."""
    clauses = _CLAUSE.split(sentence)
    return _share(sentence, by) >= COVERED and all(_share(clause, by) >= CLAUSE_COVERED for clause in clauses)


def _share(text: str, by: Grounds) -> float:
    taken = analyse(text)
    weight = weights(taken, lambda _: 1.0)
    return 1.0 if float(weight.sum()) < LIGHT else coverage(covers(taken), weight, by.terms)


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
