"""PURE: two witnesses of what she means: the words (retrieval) and the vectors.

Cosines of different models have different scales, and none could be measured here, so only their lead counts: vectors
may turn "not sure" into an answer when they clearly name what the words name too, and into a question back when they
clearly name something else. They never speak alone, and never make the shop sure of a sensitive topic.
"""

from collections.abc import Sequence
from dataclasses import replace

from gateway.dialogue.knowledge import Found, Hit
from gateway.dialogue.knowledge.calibration import ANSWER, CLARIFY
from gateway.dialogue.knowledge.retrieval import decided

CLEAR = 0.05
"""The lead of the best cosine over the second's that counts as clear."""


def weighed(hits: Sequence[Hit], cosines: Sequence[float]) -> Found:
    """`hits` best first, and how near each is to the question; the new order, confidence and decision."""
    nearest = sorted(range(len(hits)), key=lambda n: -cosines[n])
    lead = cosines[nearest[0]] - cosines[nearest[1]] if len(nearest) > 1 else 0.0
    if lead < CLEAR:
        return decided(hits)
    order = sorted(range(len(hits)), key=lambda n: (n != nearest[0], n + nearest.index(n)))
    best = hits[nearest[0]]
    sure = nearest[0] == 0 and not best.entry.sensitive and best.confidence >= CLARIFY
    first = replace(best, confidence=max(best.confidence, ANSWER) if sure else CLARIFY)
    return decided([first, *(replace(hits[n], confidence=min(hits[n].confidence, CLARIFY)) for n in order[1:])])
