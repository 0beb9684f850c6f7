"""What neither the assistant nor an advisor may write: diagnosis, prescription drug, dose, marketing of first formula.

Sources: 互联网诊疗监管细则 (a shop is no doctor), 广告法 20 (no claim to replace breast milk; formula of 0-12 months).
For an advisor's draft each concern is a warning with its place; the assistant's text gives way to a fixed sentence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.dialogue.safety.tables import table
from signaling.protocol import Language

_WORDS = table("drafts")
_FLAGS = re.IGNORECASE


class Concern(StrEnum):
    DIAGNOSIS = "diagnosis"
    DRUG = "drug"
    DOSE = "dose"
    BREAST_MILK_CLAIM = "breast_milk_claim"
    FORMULA_PUSH = "formula_push"


@dataclass(frozen=True, slots=True)
class Warned:
    """`text[start:end]` is what raised the concern."""

    concern: Concern
    start: int
    end: int


def _compile(name: str) -> re.Pattern[str]:
    return re.compile(_WORDS[name], _FLAGS)


_DISEASE = f"(?:{_WORDS['disease']})"
_FRAME = tuple(re.compile(frame.replace("<d>", _DISEASE), _FLAGS) for frame in _WORDS["frame"])
_NO_FRAME, _DRUG, _MEDICINE = _compile("frame_not"), _compile("drug"), _compile("medicine")
_AMOUNT, _PER_WEIGHT, _NO_DOSE = _compile("amount"), _compile("per_weight"), _compile("dose_not")
_NO_MARKETING = _compile("marketing_not")
_COMPARISON, _PUSH = _compile("comparison"), _compile("push")
_SENTENCE = re.compile(r"[^。!?!?\n;;]+")
_CLAUSE = re.compile(r"[,,、。!?!?\n;;]")


def _diagnoses(text: str) -> Iterator[Warned]:
    for frame in _FRAME:
        for match in frame.finditer(text):
            clauses = _CLAUSE.split(text[: match.start()])
            if not _NO_FRAME.search(clauses[-1][-40:] + match.group(0)):
                yield Warned(Concern.DIAGNOSIS, *match.span())


def _doses(text: str) -> Iterator[Warned]:
    for match in _PER_WEIGHT.finditer(text):
        yield Warned(Concern.DOSE, *match.span())
    for sentence in _SENTENCE.finditer(text):
        words = sentence.group(0)
        medicine = _MEDICINE.search(words) or _DRUG.search(words)
        if not medicine or (
            _NO_DOSE.search(words) and not _DRUG.search(words) and medicine.group(0) in {"药", "drops", "syrup"}
        ):
            continue
        for match in _AMOUNT.finditer(words):
            yield Warned(Concern.DOSE, sentence.start() + match.start(), sentence.start() + match.end())


def _each(concern: Concern, pattern: re.Pattern[str], text: str) -> Iterator[Warned]:
    return (Warned(concern, *match.span()) for match in pattern.finditer(text))


def _marketing(concern: Concern, pattern: re.Pattern[str], text: str) -> Iterator[Warned]:
    """Not where it is denied: 婴儿配方奶不参加促销, 不用鲜牛奶代替母乳."""
    for warned in _each(concern, pattern, text):
        clause = _CLAUSE.split(text[: warned.start])[-1][-16:] + text[warned.start : warned.end]
        if not _NO_MARKETING.search(clause):
            yield warned


def warnings(text: str) -> list[Warned]:
    """Concerns of a draft in the order of the text; none twice at one place."""
    found = {
        *_diagnoses(text),
        *_each(Concern.DRUG, _DRUG, text),
        *_doses(text),
        *_marketing(Concern.BREAST_MILK_CLAIM, _COMPARISON, text),
        *_marketing(Concern.FORMULA_PUSH, _PUSH, text),
    }
    return sorted(found, key=lambda warned: (warned.start, warned.end, warned.concern))


_MARKETING = {Concern.BREAST_MILK_CLAIM, Concern.FORMULA_PUSH}


def spoken_safely(text: str, language: Language) -> str:
    """The assistant's text, or the fixed sentence that takes its place."""
    concerns = {warned.concern for warned in warnings(text)}
    if concerns - _MARKETING:
        return str(_WORDS["referral"][language])
    return str(_WORDS["breastfeeding"][language]) if concerns else text
