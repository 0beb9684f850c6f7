"""Trains the learned layer of the red flags, and tells what it adds when one author's talks are kept from it.

`python -m benchmarks.redflags_train` leaves out each author in turn and prints recall and false alarms of tables and
model together; `--write` trains on everything and writes tables/learned.npz. No randomness: full-batch gradient steps
from zero.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from benchmarks.redflags import ROOT
from benchmarks.redflags_talks import CARDS, Case, everything
from gateway.dialogue.safety import check, facts, learned, rules
from gateway.dialogue.safety.check import flagged, joined
from gateway.dialogue.safety.learned import SIGN_BUCKETS, Keys, Model, is_chinese, keys
from gateway.dialogue.safety.normal import counted

WEIGHTS = ROOT / "gateway/dialogue/safety/tables/learned.npz"
SIGNS = tuple(rules.ACTIONS)
ALARM, HARMLESS = -0.3, -1.75
"""Above, the model alarms by itself; below, it takes an alarm of the tables back."""
CALM = 0.5
"""Taken off every score. Learning that a danger among questions of the shop is one makes the model see more danger in
all talks; with this left out, the authors kept from it get as many false alarms as before and more is seen."""
AMONG = 0.5
"""What a talk weighs the second time, among questions of the shop."""
TRIED = ((0.0, -9.0), (0.0, -2.0), (0.0, -1.0), (0.5, -1.0), (0.5, 0.0))
STEPS, RATE, MOMENTUM, DECAY = 300, 60.0, 0.95, 1e-6
LEAST = 2
"""Talks a gram must stand in to be known: one said once teaches nothing, and costs room."""
SHOP_TALK = ("shop", "bases", "every", "topics")
LONGEST_ERRAND = {True: 40, False: 90}
"""Characters of a question put beside a talk, Chinese or not."""
Floats = NDArray[np.float32]


@cache
def _keys(case: Case) -> Keys:
    text = joined(case.turns)
    return keys(text, facts.age(counted(text), case.age_days))


def among_errands(cases: Sequence[Case]) -> list[Case]:
    """Each talk once more, with what else she wants of the shop before it, behind it, or around it; a danger with an
    age on the card, as the shop's talk has it: else an age known would speak against danger."""
    asked = {zh: [case.turns[0] for case in cases if _is_errand(case, zh)] for zh in LONGEST_ERRAND}
    mixed = []
    for at, case in enumerate(case for case in cases if case.author not in SHOP_TALK):
        questions = asked[is_chinese(" ".join(case.turns))]
        first, second = questions[at * 7 % len(questions)], questions[(at * 13 + 1) % len(questions)]
        turns = ((first, second, *case.turns), (*case.turns, first, second), (first, *case.turns, second))[at % 3]
        card = CARDS[at % len(CARDS)] if case.sign and case.age_days is None else case.age_days
        mixed.append(replace(case, turns=turns, age_days=card))
    return mixed


def _is_errand(case: Case, zh: bool) -> bool:
    text = case.turns[0]
    return case.author in SHOP_TALK and is_chinese(text) == zh and len(text) < LONGEST_ERRAND[zh]


class Rows:
    """Talks as sparse unit vectors over the known grams."""

    def __init__(self, found: Sequence[NDArray[np.intp]], scale: Floats) -> None:
        lengths = np.array([len(at) for at in found])
        self.at, self.width = np.concatenate(found), len(scale)
        self.row = np.repeat(np.arange(len(found)), lengths)
        self.begins = np.concatenate([[0], lengths.cumsum()[:-1]])
        values = scale[self.at]
        self.values = values / (np.sqrt(np.add.reduceat(values * values, self.begins))[self.row] + 1e-9)

    def times(self, weights: Floats) -> Floats:
        told: Floats = np.add.reduceat(self.values * weights[self.at], self.begins)
        return told

    def back(self, errors: Floats) -> Floats:
        return np.bincount(self.at, weights=self.values * errors[self.row], minlength=self.width).astype(np.float32)


def _telling(found: Sequence[NDArray[np.intp]], width: int, is_danger: Floats, weight: Floats) -> Floats:
    """How rare each gram is, times the root of how far its odds of danger are from even (Wang and Manning 2012)."""
    count = np.zeros((2, width), np.float32)
    for at, danger, much in zip(found, is_danger, weight, strict=True):
        count[int(danger), at] += much
    odds = (count + 0.5) / (count + 0.5).sum(1, keepdims=True)
    rare = np.log((1 + len(found)) / (1 + np.bincount(np.concatenate(found), minlength=width)))
    scale = rare * np.sqrt(np.abs(np.log(odds[1] / odds[0])) + 0.05)
    return scale.astype(np.float32)


def _danger(rows: Rows, is_danger: Floats, weight: Floats) -> tuple[Floats, float]:
    weights, speed, bias, drift = np.zeros(rows.width, np.float32), np.zeros(rows.width, np.float32), 0.0, 0.0
    for _ in range(STEPS):
        error = weight * (1 / (1 + np.exp(-(rows.times(weights) + np.float32(bias)))) - is_danger)
        speed = np.float32(MOMENTUM) * speed - np.float32(RATE) * (
            rows.back(error) / np.float32(len(error)) + np.float32(DECAY) * weights
        )
        drift = MOMENTUM * drift - RATE / 10 * float(error.mean())
        weights, bias = weights + speed, bias + drift
    return weights, bias


def _which(found: Sequence[NDArray[np.intp]], scale: Floats, signs: NDArray[np.intp]) -> Floats:
    """Of talks in danger: softmax regression over the signs."""
    told = np.zeros((len(found), SIGN_BUCKETS), np.float32)
    for row, at in zip(told, found, strict=True):
        np.add.at(row, at % SIGN_BUCKETS, scale[at])
    told /= np.linalg.norm(told, axis=1, keepdims=True) + 1e-9
    weights, truth = np.zeros((len(SIGNS), SIGN_BUCKETS), np.float32), np.eye(len(SIGNS), dtype=np.float32)[signs]
    for _ in range(120):
        logits = told @ weights.T
        odds = np.exp(logits - logits.max(1, keepdims=True))
        errors = (odds / odds.sum(1, keepdims=True) - truth) / np.float32(len(truth))
        weights -= np.float32(40) * (errors.T @ told + np.float32(1e-4) * weights)
    return weights


def train(plainly: Sequence[Case]) -> Model:
    """Strangers' talks weigh double: the development set was written by the hand that wrote the tables."""
    mixed = among_errands(plainly)
    cases = [*plainly, *mixed]
    every = [_keys(case) for case in cases]
    talks = Counter(chain.from_iterable(each.tolist() for each in every[: len(plainly)]))
    model = Model(np.array(sorted(key for key, n in talks.items() if n >= LEAST), np.uint32))
    found = [model.at(each) for each in every]
    is_danger = np.array([case.sign is not None for case in cases], np.float32)
    weight = np.array([1.0 if case.author[0].isupper() else 0.5 for case in cases], np.float32)
    weight[len(plainly) :] *= AMONG
    weight /= weight.mean()
    model.scale = _telling(found, len(model.keys), is_danger, weight)
    model.danger, model.bias = _danger(Rows(found, model.scale), is_danger, weight)
    model.bias -= CALM
    bad = [(at, SIGNS.index(case.sign)) for at, case in zip(found, plainly, strict=False) if case.sign]
    model.signs = _which([at for at, _ in bad], model.scale, np.array([sign for _, sign in bad]))
    return model


def _told(name: str, fires: Sequence[bool], cases: Sequence[Case]) -> str:
    seen = [fire for fire, case in zip(fires, cases, strict=True) if case.sign]
    wrong = [fire for fire, case in zip(fires, cases, strict=True) if not case.sign]
    return f"{name} {sum(seen) / max(1, len(seen)):.1%} / {sum(wrong) / max(1, len(wrong)):.1%}"


Judged = list[tuple[Case, bool, bool, float]]
"""A talk, whether the tables alarm, whether `check` does with a model that never saw its author, and its score."""


def left_out(cases: Sequence[Case], author: str) -> Judged:
    model = train([case for case in cases if case.author != author])
    learned._MODEL = model  # the check as it would be
    unseen = [case for case in cases if case.author == author]
    return [
        (
            case,
            bool(flagged(case.turns, case.age_days)),
            bool(check(case.turns, case.age_days)),
            model.score(_keys(case)),
        )
        for case in unseen
    ]


def told(name: str, judged: Judged) -> None:
    """With no guard but the two limits of `TRIED`, too."""
    cases = [case for case, *_ in judged]
    line = [
        _told("tables", [table for _, table, *_ in judged], cases),
        _told("check", [all_ for *_, all_, _ in judged], cases),
    ]
    for alarm, harmless in TRIED:
        fires = [score > alarm or (table and score > harmless) for _, table, _, score in judged]
        line.append(_told(f"{alarm:+.1f} {harmless:+.1f}:", fires, cases))
    print(f"{name:6}", len(judged), "recall / false alarms", *line, sep=" | ", flush=True)


def write(model: Model) -> None:
    """int8 of the largest weight; about 500 kB."""
    step = float(np.abs(model.danger).max() / 127)
    signs = model.signs / (np.abs(model.signs).max() / 127)
    np.savez_compressed(
        WEIGHTS,
        gaps=np.diff(model.keys, prepend=np.uint32(0)),
        scale=model.scale.astype(np.float16),
        danger=np.round(model.danger / step).astype(np.int8),
        danger_step=np.float32(step),
        bias=np.float32(model.bias),
        signs=np.round(signs).astype(np.int8),
        names=np.array(SIGNS),
        alarm=np.float32(ALARM),
        harmless=np.float32(HARMLESS),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument(
        "--left-out", nargs="*", default=["T1", "T2", "T3", "T4", "J", "K", "L", "Y", "Z", "U1", "U2", "U3", "V1", "V2"]
    )
    parser.add_argument("--without", default="", help="an author whose talks are not trained on")
    options = parser.parse_args()
    cases = everything()
    if options.write:
        write(train([case for case in cases if case.author != options.without]))
        return
    judged = {author: left_out(cases, author) for author in options.left_out}
    for author, talks in judged.items():
        told(author, talks)
    told("all", list(chain.from_iterable(judged.values())))


if __name__ == "__main__":
    main()
