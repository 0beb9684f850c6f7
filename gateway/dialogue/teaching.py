"""PURE: what unanswered questions have in common, and what a change of the knowledge would change."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.dialogue.evaluate import Question, Search, evaluate, totals
from gateway.dialogue.intents import intent
from gateway.dialogue.knowledge import Entry, Knowledge
from gateway.dialogue.knowledge.index import analyse
from gateway.dialogue.knowledge.match import coverage, covers, weights

_NO_ANSWER = re.compile(
    r"[?？]$|^(?:您好|你好|嗨)[,，!！。 ]*(?:我是|这里是)|稍等"
    r"|^(?:hello|hi)\b.{0,20}\b(?:i am|i'm|this is)\b|\b(?:one|a) (?:moment|minute)\b",
    re.IGNORECASE,
)
"""An advisor introduces herself, asks back, or looks something up."""

ALIKE = 0.62
"""Two questions belong together when they cover each other this far, on average."""

WATCHED = ("asked", "top1", "answered_right", "helped", "answered_wrong", "coverage_at_95")
RATES = ("top1", "answered_right", "helped")


def likeness(one: str, other: str) -> float:
    """0..1: how far two questions cover each other."""
    left, right = analyse(one), analyse(other)
    there = coverage(covers(left), weights(left, lambda _: 1.0), right.terms)
    back = coverage(covers(right), weights(right, lambda _: 1.0), left.terms)
    return (there + back) / 2


def cluster_of(question: str, known: Iterable[tuple[str, str]]) -> str | None:
    """The cluster of the likest known (cluster, question); None: a new one."""
    scored = [(likeness(question, other), cluster) for cluster, other in known]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= ALIKE else None


def bears(question: str, answer: str) -> float:
    """0..1: how much of the question an answer takes up."""
    asked = analyse(question)
    return coverage(covers(asked), weights(asked, lambda _: 1.0), analyse(answer).terms)


def answered_by(text: str, open_: Sequence[tuple[str, str, str]]) -> str | None:
    """The id among (id, question, draft), newest first, for which an advisor's words are a better draft than the one
    there is: they take up more of the question, or as much at greater length. What greets or asks back is no draft."""
    if intent(text) is not None or _NO_ANSWER.search(text.strip()):
        return None
    worth = {id: (bears(question, text), len(text)) for id, question, _ in open_}
    for id, question, draft in sorted(open_, key=lambda one: -worth[one[0]][0]):
        if worth[id] > (bears(question, draft), len(draft)):
            return id
    return None


def changed(entries: Iterable[Entry], new: Sequence[Entry]) -> list[Entry]:
    """The entries with the new ones in place of those of their ids, or added."""
    ids = {entry.id for entry in new}
    return [*(one for one in entries if one.id not in ids), *new]


@dataclass(frozen=True, slots=True)
class Preview:
    """`answered`: past questions the change would now answer; scores of the golden questions before and after."""

    answered: tuple[str, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def worse(self) -> bool:
        """Fewer found, answered or helped, or more wrong answers: publishing it asks for confirmation.

        Not by how many are helped alone: a second entry for the same question turns answers into questions back.
        """
        if not self.before:
            return False
        fewer = any(self.after[name] < self.before[name] for name in RATES)
        return fewer or self.after["answered_wrong"] > self.before["answered_wrong"]


def score(knowledge: Knowledge, golden: Sequence[Question]) -> dict[str, float]:
    """The watched numbers; empty without golden questions."""
    if not golden:
        return {}
    scored = totals(evaluate(golden, knowledge.search))
    return {name: scored[name] for name in WATCHED}


def preview(
    before: Sequence[Entry], after: Sequence[Entry], golden: Sequence[Question], past: Sequence[str]
) -> Preview:
    """Judge a change. Takes about 3 ms a question twice over: run it off the event loop."""
    old, new = Knowledge(before), Knowledge(after)
    fresh = {entry.id for entry in after} - {entry.id for entry in before if entry in after}
    answered = tuple(text for text in past if _answers(new.search, text, fresh))
    return Preview(answered, score(old, golden), score(new, golden))


def _answers(search: Search, text: str, ids: set[str]) -> bool:
    found = search(text)
    return found.decision == "answer" and found.hits[0].entry.id in ids
