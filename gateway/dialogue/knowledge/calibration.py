"""PURE: fitted numbers that turn evidence into an order and a probability.

Fitted by `benchmarks/retrieval.py --fit` on the tuning half of the golden questions and on the bases of
`benchmarks/bases`, over random subsets of the entries (right entry removed or kept, phrasings removed or kept), so
that the numbers hold for five entries and for five thousand, and for a shop that is not ours.
"""

from collections.abc import Sequence
from math import exp
from typing import Literal

FEATURES = (
    "forth",
    "back",
    "wide",
    "widest",
    "bm25",
    "kind",
    "shape",
    "fits",
    "told",
    "topic",
    "gist",
    "told_topic",
    "foreign",
    "first",
    "peak",
)
"""Coverage of the question by the best wording, of the two nearest wordings by the question, of the question by all
wordings and by the answer too; BM25 against its ideal; the same kind of question; letters in common; ages, weights and
stages that fit the wordings' and the answer's; the same topics (`topics`) as the nearest wording, as all wordings
together and as the answer; nearness of the question to what is nothing of the shop's (the same for all candidates);
how much the wordings are of the question's first topic, and how clearly that is its first (the same for all)."""
RANK = (0.88, 0.45, 0.11, 7.3, -4.97, 0.61, 6.48, 1.01, 0.8, 1.41, 5.53, 4.55, 0.0, 1.4, 0.0)
CONFIDENCE = (0.72, 0.0, 0.42, -0.59, -0.68, -1.39, -0.53, 0.91, 0.03, 2.7, -2.48, 0.87, -1.66, -2.44)
"""Of the `signs` in order; the last is the bias."""
WIDEST_MARGIN = 4.0
BORNE = 0.3
FALL = 0.3
"""How fast the confidence in the others falls with their distance to the best."""
ANSWER, CLARIFY = 0.85, 0.3


def rank(features: Sequence[float]) -> float:
    """Linear score; only its order and differences mean something."""
    return sum(weight * value for weight, value in zip(RANK, features, strict=True))


def signs(scores: Sequence[float], features: Sequence[float]) -> list[float]:
    """What speaks for the best candidate: `scores` best first, at least one; `features` are the best's.

    A lead over the second counts only as far as the question is covered: nothing else fits is no proof that this does.
    Nor is a word of the answer: it counts in full only where the wordings bear `BORNE` of the question.
    """
    named = dict(zip(FEATURES, features, strict=True))
    wide, widest, topic = named["wide"], named["widest"], named["topic"]
    lead = min(WIDEST_MARGIN, scores[0] - scores[1]) if len(scores) > 1 else WIDEST_MARGIN
    borne = lead * widest**2 * min(1.0, wide / BORNE)
    return [
        borne,
        named["back"],
        lead,
        wide,
        widest,
        named["shape"],
        topic,
        named["gist"],
        lead * topic,
        scores[0] / 10,
        named["foreign"],
        named["first"],
        named["peak"],
    ]


def confidences(scores: Sequence[float], features: Sequence[float]) -> list[float]:
    """Probability of each candidate to be the answer; arguments as of `signs`."""
    total = sum(w * s for w, s in zip(CONFIDENCE, (*signs(scores, features), 1.0), strict=True))
    best = 1 / (1 + exp(-total))
    return [best, *(min(best, 1 - best) * exp(FALL * (score - scores[0])) for score in scores[1:])]


def decide(confidence: float) -> Literal["answer", "clarify", "handoff"]:
    """Answer, ask back with the best three, or leave it to a person."""
    return "answer" if confidence >= ANSWER else "clarify" if confidence >= CLARIFY else "handoff"
