"""PURE: how well a knowledge base answers a list of questions, as numbers that can be compared."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gateway.dialogue.knowledge import Found
from gateway.dialogue.knowledge.retrieval import TOP

Search = Callable[[str], Found]
PRECISION = 0.95


@dataclass(frozen=True, slots=True)
class Question:
    """`expect` is the entry that answers it; None: nothing does, and nothing should be answered."""

    question: str
    expect: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came back for one question."""

    asked: Question
    top: tuple[tuple[str, float], ...]
    decision: str

    @property
    def first(self) -> bool:
        return bool(self.top) and self.top[0][0] == self.asked.expect

    @property
    def among(self) -> bool:
        return any(id == self.asked.expect for id, _ in self.top)

    @property
    def confidence(self) -> float:
        return self.top[0][1] if self.top else 0.0

    def as_dict(self, ids: Sequence[str] = ()) -> dict[str, Any]:
        """`top` is filled up to three from `ids`: what nothing speaks for has no confidence."""
        found = dict(self.top)
        rest = (id for id in ids if id not in found)
        filled = [*self.top, *((id, 0.0) for id in islice(rest, TOP - len(self.top)))]
        top = [{"id": id, "confidence": round(confidence, 4)} for id, confidence in filled]
        return {"question": self.asked.question, "expect": self.asked.expect, "top": top, "decision": self.decision}


def judge(asked: Question, search: Search) -> Verdict:
    found = search(asked.question)
    return Verdict(asked, tuple((hit.entry.id, hit.confidence) for hit in found.hits), found.decision)


def evaluate(questions: Iterable[Question], search: Search) -> list[Verdict]:
    """Every question through `search`."""
    return [judge(asked, search) for asked in questions]


def coverage_at(verdicts: Sequence[Verdict], precision: float = PRECISION) -> tuple[float, float]:
    """(share of the answerable questions that are answered, the confidence needed) at this precision.

    Answering starts with the most confident; an answer to a question outside the knowledge is a wrong answer.
    """
    answerable = sum(v.asked.expect is not None for v in verdicts)
    best, threshold, right = 0.0, 1.0, 0
    ranked = sorted(verdicts, key=lambda v: -v.confidence)
    for answered, verdict in enumerate(ranked, 1):
        right += verdict.first
        tied = answered < len(ranked) and ranked[answered].confidence == verdict.confidence
        if not tied and verdict.confidence > 0 and right / answered >= precision and answerable:
            best, threshold = right / answerable, verdict.confidence
    return best, threshold


def auc(verdicts: Sequence[Verdict]) -> float:
    """Chance that a question inside the knowledge is trusted more than one outside it (0.5: no idea)."""
    inside = [v.confidence for v in verdicts if v.asked.expect is not None]
    outside = [v.confidence for v in verdicts if v.asked.expect is None]
    if not inside or not outside:
        return float("nan")
    wins = sum((a > b) + 0.5 * (a == b) for a in inside for b in outside)
    return wins / (len(inside) * len(outside))


def totals(verdicts: Sequence[Verdict]) -> dict[str, float | int]:
    """The scores of a run; shares are 0..1."""
    inside = [v for v in verdicts if v.asked.expect is not None]
    outside = [v for v in verdicts if v.asked.expect is None]
    answered = [v for v in verdicts if v.decision == "answer"]
    helped = [v for v in inside if (v.decision == "answer" and v.first) or (v.decision == "clarify" and v.among)]
    coverage, threshold = coverage_at(verdicts)
    return {
        "asked": len(verdicts),
        "in_scope": len(inside),
        "out_of_scope": len(outside),
        "top1": _share(sum(v.first for v in inside), len(inside)),
        "top3": _share(sum(v.among for v in inside), len(inside)),
        "answered": len(answered),
        "answered_right": _share(sum(v.first for v in answered), len(inside)),
        "answered_wrong": sum(not v.first for v in answered),
        "precision": _share(sum(v.first for v in answered), len(answered)),
        "helped": _share(len(helped), len(inside)),
        "abstained": _share(sum(v.decision != "answer" for v in outside), len(outside)),
        "handed_off": _share(sum(v.decision == "handoff" for v in outside), len(outside)),
        "coverage_at_95": round(coverage, 4),
        "confidence_at_95": round(threshold, 4),
        "auc_in_out": round(auc(verdicts), 4) if inside and outside else 0.0,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
