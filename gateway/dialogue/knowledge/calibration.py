"""PURE: fitted numbers that turn evidence into an order and a probability.

Fitted by `benchmarks/retrieval.py --fit` on the tuning half of the golden questions, over many random subsets of the
entries (right entry removed as often as kept), so that the numbers hold for five entries and for five thousand.
"""

from collections.abc import Sequence
from math import exp
from typing import Literal

FEATURES = ("forth", "back", "wide", "widest", "bm25", "clash")
"""Coverage of the question by the best wording, of that wording by the question, of the question by all wordings and by
the answer too; BM25 against its ideal; quantities that contradict."""
RANK = (0.71, 4.40, 4.24, 7.60, 2.93, -1.05)
SCORE, MARGIN, BIAS = 0.48, 0.50, -5.40
WIDEST_MARGIN = 4.0
ANSWER, CLARIFY = 0.68, 0.28


def rank(features: Sequence[float]) -> float:
    """Linear score; only its order and differences mean something."""
    return sum(weight * value for weight, value in zip(RANK, features, strict=True))


def confidences(scores: Sequence[float]) -> list[float]:
    """Probability of each candidate to be the answer; `scores` best first, at least one."""
    margin = min(WIDEST_MARGIN, scores[0] - scores[1]) if len(scores) > 1 else WIDEST_MARGIN
    best = 1 / (1 + exp(-(BIAS + SCORE * scores[0] + MARGIN * margin)))
    return [best, *(min(best, 1 - best) * exp(SCORE * (score - scores[0])) for score in scores[1:])]


def decide(confidence: float) -> Literal["answer", "clarify", "handoff"]:
    """Answer, ask back with the best three, or leave it to a person."""
    return "answer" if confidence >= ANSWER else "clarify" if confidence >= CLARIFY else "handoff"
