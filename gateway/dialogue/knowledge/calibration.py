"""PURE: fitted numbers that turn evidence into an order and a probability.

Fitted by `benchmarks/retrieval.py --fit` on the tuning half of the golden questions, over many random subsets of the
entries (right entry removed as often as kept), so that the numbers hold for five entries and for five thousand.
"""

from collections.abc import Sequence
from math import exp
from typing import Literal

FEATURES = ("forth", "back", "wide", "widest", "bm25", "missing", "agree", "clash")
RANK = (2.2, 1.2, 1.6, 0.6, 1.4, -0.6, 0.6, -1.2)
CONFIDENCE = {"bias": -4.6, "score": 1.1, "margin": 1.6, "mass": 0.05, "size": 0.0}
ANSWER, CLARIFY = 0.62, 0.22


def rank(features: Sequence[float]) -> float:
    """Linear score; only its order and differences mean something."""
    return sum(weight * value for weight, value in zip(RANK, features, strict=True))


def confidences(scores: Sequence[float], mass: float, size: float) -> list[float]:
    """Probability of each candidate, best first; the runners-up share what the best leaves."""
    w = CONFIDENCE
    second = scores[1] if len(scores) > 1 else 0.0
    z = (
        w["bias"]
        + w["score"] * scores[0]
        + w["margin"] * (scores[0] - second)
        + w["mass"] * min(mass, 8)
        + w["size"] * size
    )
    best = 1 / (1 + exp(-z))
    rest = [
        min(best, (1 - best) * exp(2 * (score - scores[0])) if best > 0.5 else best * exp(2 * (score - scores[0])))
        for score in scores[1:]
    ]
    return [best, *rest]


def decide(confidence: float) -> Literal["answer", "clarify", "handoff"]:
    """Answer, ask back with the best three, or leave it to a person."""
    return "answer" if confidence >= ANSWER else "clarify" if confidence >= CLARIFY else "handoff"
