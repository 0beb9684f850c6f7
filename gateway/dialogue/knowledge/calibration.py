"""PURE: fitted numbers that turn evidence into an order and a probability.

Fitted by `benchmarks/retrieval.py --fit` on the tuning half of the golden questions, over many random subsets of the
entries (right entry removed or kept), so that the numbers hold for five entries and for five thousand.
"""

from collections.abc import Sequence
from math import exp
from typing import Literal

FEATURES = ("forth", "back", "wide", "widest", "bm25", "clash")
"""Coverage of the question by the best wording, of that wording by the question, of the question by all wordings and by
the answer too; BM25 against its ideal; quantities that contradict."""
RANK = (2.53, 5.78, 4.99, 5.39, 6.41, -0.60)
SCORE, MARGIN, FORTH, BACK, BIAS = 0.54, 0.46, -1.92, 0.30, -5.87
WIDEST_MARGIN = 4.0
ANSWER, CLARIFY = 0.76, 0.33


def rank(features: Sequence[float]) -> float:
    """Linear score; only its order and differences mean something."""
    return sum(weight * value for weight, value in zip(RANK, features, strict=True))


def confidences(scores: Sequence[float], forth: float, back: float) -> list[float]:
    """Probability of each candidate to be the answer; `scores` best first, at least one; coverages are the best's."""
    margin = min(WIDEST_MARGIN, scores[0] - scores[1]) if len(scores) > 1 else WIDEST_MARGIN
    best = 1 / (1 + exp(-(BIAS + SCORE * scores[0] + MARGIN * margin + FORTH * forth + BACK * back)))
    return [best, *(min(best, 1 - best) * exp(SCORE * (score - scores[0])) for score in scores[1:])]


def decide(confidence: float) -> Literal["answer", "clarify", "handoff"]:
    """Answer, ask back with the best three, or leave it to a person."""
    return "answer" if confidence >= ANSWER else "clarify" if confidence >= CLARIFY else "handoff"
