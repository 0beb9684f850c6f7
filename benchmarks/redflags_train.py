"""Trains the learned layer of the red flags, and tells what it adds when one author's talks are kept from it.

`python -m benchmarks.redflags_train` leaves out each author (and the shop's questions) in turn and prints recall and
false alarms of tables and model together; `--write` trains on everything and writes tables/learned.npz. No randomness:
full-batch gradient steps from zero.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.redflags import ROOT, SET
from gateway.dialogue.safety import facts, rules
from gateway.dialogue.safety.check import flagged, joined
from gateway.dialogue.safety.learned import BUCKETS, SIGN_BUCKETS, Model, features
from gateway.dialogue.safety.normal import counted

STRANGERS = SET.with_name("redflags_strangers.jsonl")
WEIGHTS = ROOT / "gateway/dialogue/safety/tables/learned.npz"
SHOP = ROOT / "gateway/demo"
BASES = ROOT / "benchmarks/bases"
EVERYDAY = ROOT / "benchmarks/redflags_everyday.txt"
SIGNS = tuple(rules.ACTIONS)
THRESHOLD = 0.0
STEPS, RATE, MOMENTUM, DECAY = 250, 4.0, 0.9, 5e-5
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    author: str
    turns: tuple[str, ...]
    age_days: int | None
    sign: str | None


def _talks(path: Path, author: str = "") -> list[Case]:
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Case(author or f"{row['round']}", tuple(row["turns"]), row.get("age_days"), row.get("sign")) for row in read
    ]


def _questions() -> list[Case]:
    """Everyday questions of the shop: none is a danger."""
    golden = [json.loads(line)["question"] for line in (SHOP / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    known = [entry for path in sorted(SHOP.glob("knowledge_*.json")) for entry in json.loads(path.read_text("utf-8"))]
    asked = [text for entry in known for text in (entry["question"], entry["question_en"], *entry["phrasings"])]
    return [Case("shop", (text,), None, None) for text in [*golden, *asked]] + _foreign() + _everyday()


def _foreign() -> list[Case]:
    """What customers of other shops ask."""
    shops = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(BASES.glob("*.json"))]
    entries = [
        text
        for shop in shops
        for row in shop.get("entries", ())
        for text in (row["question"], *row.get("phrasings", ()))
    ]
    asked = [row["question"] for shop in shops for row in shop["questions"]]
    return [Case("bases", (text,), None, None) for text in [*entries, *asked]]


def _everyday() -> list[Case]:
    """Appointments, orders, thanks, names, anger: what chat is made of."""
    return [Case("every", (text,), None, None) for text in EVERYDAY.read_text(encoding="utf-8").splitlines()]


def _features(case: Case) -> list[int]:
    text = joined(case.turns)
    return features(text, facts.age(counted(text), case.age_days))


class Rows:
    """Talks as sparse unit vectors of their buckets' `scale`, folded to `width`."""

    def __init__(self, found: Sequence[Sequence[int]], scale: Floats, width: int) -> None:
        lengths = np.array([len(at) for at in found])
        buckets = np.concatenate([np.array(at, np.intp) for at in found])
        self.at, self.width = buckets % width, width
        self.row = np.repeat(np.arange(len(found)), lengths)
        self.begins = np.concatenate([[0], lengths.cumsum()[:-1]])
        values = scale[buckets]
        self.values = values / (np.sqrt(np.add.reduceat(values * values, self.begins))[self.row] + 1e-9)

    def times(self, weights: Floats) -> Floats:
        told: Floats = np.add.reduceat(self.values * weights[self.at], self.begins)
        return told

    def back(self, errors: Floats) -> Floats:
        return np.bincount(self.at, weights=self.values * errors[self.row], minlength=self.width)


def _telling(found: Sequence[Sequence[int]], is_danger: Floats, weight: Floats) -> Floats:
    """How rare each bucket is, times the root of how far its odds of danger are from even (Wang and Manning 2012)."""
    count = np.zeros((2, BUCKETS))
    for at, danger, much in zip(found, is_danger, weight, strict=True):
        count[int(danger), at] += much
    odds = (count + 0.5) / (count + 0.5).sum(1, keepdims=True)
    known = np.bincount(np.concatenate(found), minlength=BUCKETS)
    rare = np.log((1 + len(found)) / (1 + known))
    scale: Floats = rare * np.sqrt(np.abs(np.log(odds[1] / odds[0])) + 0.05)
    return scale


def _danger(rows: Rows, is_danger: Floats, weight: Floats) -> tuple[Floats, float]:
    weights, speed, bias = np.zeros(BUCKETS), np.zeros(BUCKETS), 0.0
    for _ in range(STEPS):
        error = weight * (1 / (1 + np.exp(-(rows.times(weights) + bias))) - is_danger)
        speed = MOMENTUM * speed - RATE * (rows.back(error) / len(error) + DECAY * weights)
        weights, bias = weights + speed, bias - RATE * float(error.mean())
    return weights, bias


def _which(rows: Rows, signs: NDArray[np.intp]) -> Floats:
    """Of talks in danger: softmax regression over the signs."""
    weights, truth = np.zeros((len(SIGNS), SIGN_BUCKETS)), np.eye(len(SIGNS))[signs]
    for _ in range(STEPS // 2):
        logits = np.stack([rows.times(row) for row in weights], 1)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        errors = (odds / odds.sum(1, keepdims=True) - truth) / len(truth)
        weights -= 40 * (np.stack([rows.back(error) for error in errors.T]) + 1e-4 * weights)
    return weights


def train(cases: Sequence[Case]) -> Model:
    """Strangers' talks weigh double: the development set was written by the hand that wrote the tables."""
    found = [_features(case) for case in cases]
    is_danger = np.array([case.sign is not None for case in cases], float)
    weight = np.array([1.0 if case.author.isalpha() and case.author.isupper() else 0.5 for case in cases])
    weight /= weight.mean()
    scale = _telling(found, is_danger, weight)
    danger, bias = _danger(Rows(found, scale, BUCKETS), is_danger, weight)
    bad = [(at, SIGNS.index(case.sign)) for at, case in zip(found, cases, strict=True) if case.sign]
    signs = _which(Rows([at for at, _ in bad], scale, SIGN_BUCKETS), np.array([sign for _, sign in bad]))
    kept = [part.astype(np.float32) for part in (scale, danger, signs)]
    return Model(kept[0], kept[1], bias, kept[2])


def _told(name: str, fires: Sequence[bool], cases: Sequence[Case]) -> str:
    seen = [fire for fire, case in zip(fires, cases, strict=True) if case.sign]
    wrong = [fire for fire, case in zip(fires, cases, strict=True) if not case.sign]
    return f"{name} recall {sum(seen) / max(1, len(seen)):.1%} false alarms {sum(wrong) / max(1, len(wrong)):.1%}"


def left_out(cases: Sequence[Case], author: str) -> None:
    """`author`'s talks judged by a model that never saw them."""
    model, unseen = train([c for c in cases if c.author != author]), [c for c in cases if c.author == author]
    scores = [model.score(_features(case)) if rules.touched(joined(case.turns)) else -9.0 for case in unseen]
    tables = [flagged(case.turns, case.age_days) is not None for case in unseen]
    print(f"{author:6}", len(unseen), _told("tables", tables, unseen), end=" ")
    for threshold in (THRESHOLD - 0.5, THRESHOLD - 0.25, THRESHOLD, THRESHOLD + 0.25):
        both = [table or score > threshold for table, score in zip(tables, scores, strict=True)]
        print(_told(f"| {threshold:+.2f}", both, unseen), end=" ")
    right = [SIGNS[model.sign(_features(case))] for case in unseen if case.sign]
    same = [
        rules.ACTIONS[r] == rules.ACTIONS[c.sign] for r, c in zip(right, (c for c in unseen if c.sign), strict=True)
    ]
    print(f"| right action {sum(same) / max(1, len(same)):.1%}")


def write(model: Model) -> None:
    """int8 of each row's largest weight; about 200 kB."""
    step = float(np.abs(model.danger).max() / 127)
    signs = model.signs / (np.abs(model.signs).max() / 127)
    np.savez_compressed(
        WEIGHTS,
        scale=model.scale.astype(np.float16),
        danger=np.round(model.danger / step).astype(np.int8),
        danger_step=np.float32(step),
        bias=np.float32(model.bias),
        signs=np.round(signs).astype(np.int8),
        names=np.array(SIGNS),
        threshold=np.float32(THRESHOLD),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument(
        "--left-out", nargs="*", default=["A", "B", "J", "K", "L", "Y", "Z", "9", "shop", "bases", "every"]
    )
    parser.add_argument("--without", default="", help="an author whose talks are not trained on")
    options = parser.parse_args()
    cases = [*_talks(SET), *_talks(STRANGERS), *_questions()]
    if options.write:
        write(train([case for case in cases if case.author != options.without]))
        return
    for author in options.left_out:
        left_out(cases, author)


if __name__ == "__main__":
    main()
