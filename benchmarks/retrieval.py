"""Does it answer the right thing, and does it know when it does not?

    make evaluate          the golden questions: ours beside BM25 over words (jieba) and TF-IDF over characters; latency
    .venv/bin/python -m benchmarks.retrieval --fit     print the numbers for gateway/dialogue/knowledge/calibration.py

The golden questions are halved by a hash of their text. Synonyms and calibration were tuned on the `tune` half; the
`report` half is what counts. Baselines: best score of any wording of an entry; confidence is the score itself.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import jieba
import numpy as np

from benchmarks import results
from gateway.commands.evaluate import GOLDEN, read_questions
from gateway.dialogue.evaluate import Question, Verdict, coverage_at, evaluate, totals
from gateway.dialogue.knowledge import Entry, Knowledge, calibration
from gateway.dialogue.knowledge.entries import from_dict
from gateway.dialogue.knowledge.index import invert
from gateway.dialogue.knowledge.text import normalise
from gateway.store.knowledge import demo_entries

SHARES = (1.0, 0.7, 0.35, 0.5)
"""Of a base's entries, each in turn; the last without phrasings."""
OWN = 2.0
"""How much our own base weighs beside another: it has most questions, the others more kinds of shop."""
BASES = Path(__file__).with_name("bases")
LARGE = 5_000
Ranker = Callable[[str], list[tuple[str, float]]]


def half(question: str) -> str:
    return "tune" if hashlib.sha256(question.encode()).digest()[0] % 2 == 0 else "report"


# ---------------------------------------------------------------- baselines


def words_bm25(entries: Sequence[Entry]) -> Ranker:
    """Okapi BM25 over jieba's words."""
    rows = [(i, wording) for i, entry in enumerate(entries) for wording in entry.asked()]
    index = invert([jieba.lcut(normalise(text)) for _, text in rows], [i for i, _ in rows])
    owners = [i for i, _ in rows]

    def rank(question: str) -> list[tuple[str, float]]:
        scores = index.score(dict.fromkeys(jieba.lcut(normalise(question)), 1.0))
        return best_of(entries, owners, scores)

    return rank


def chars_tfidf(entries: Sequence[Entry]) -> Ranker:
    """Cosine of TF-IDF over characters and pairs of characters."""
    rows = [(i, wording) for i, entry in enumerate(entries) for wording in entry.asked()]
    grams = [pairs(text) for _, text in rows]
    found = {gram for row in grams for gram in row}
    idf = {g: log((1 + len(rows)) / (1 + sum(g in row for row in grams))) + 1 for g in found}
    vectors = [unit({g: row.count(g) * idf[g] for g in set(row)}) for row in grams]
    owners = [i for i, _ in rows]

    def rank(question: str) -> list[tuple[str, float]]:
        row = pairs(question)
        asked = unit({g: row.count(g) * idf.get(g, 1.0) for g in set(row)})
        return best_of(
            entries, owners, np.array([sum(asked.get(g, 0.0) * v for g, v in one.items()) for one in vectors])
        )

    return rank


def pairs(text: str) -> list[str]:
    plain = "".join(normalise(text).split())
    return [*plain, *(plain[i : i + 2] for i in range(len(plain) - 1))]


def unit(vector: dict[str, float]) -> dict[str, float]:
    length = sum(v * v for v in vector.values()) ** 0.5 or 1.0
    return {gram: value / length for gram, value in vector.items()}


def best_of(entries: Sequence[Entry], owners: Sequence[int], scores: Any) -> list[tuple[str, float]]:
    best: dict[int, float] = {}
    for owner, score in zip(owners, scores, strict=True):
        best[owner] = max(best.get(owner, 0.0), float(score))
    top = sorted(best.items(), key=lambda item: -item[1])[:3]
    return [(entries[i].id, score) for i, score in top]


def judged(rank: Ranker, questions: Sequence[Question]) -> list[Verdict]:
    return [Verdict(asked, tuple(rank(asked.question)), "answer") for asked in questions]


# ---------------------------------------------------------------- latency at size


def large(entries: Sequence[Entry]) -> list[Entry]:
    """`LARGE` entries: the demo's wordings with words of others exchanged, so that grams stay natural."""
    dice = random.Random(5)
    wordings = [w for e in entries for w in e.asked()]
    made = list(entries)
    while len(made) < LARGE:
        a, b = dice.choice(entries), dice.sample(wordings, 4)
        mixed = tuple(w[: len(w) // 2] + v[len(v) // 2 :] for w, v in zip(b, reversed(b), strict=True))
        made.append(Entry(f"x{len(made)}", mixed[0], a.answer, mixed[1:], a.question_en, a.answer_en))
    return made


def latency(entries: Sequence[Entry], questions: Sequence[Question]) -> dict[str, Any]:
    """Milliseconds a question, by the clock and of this thread's CPU (the machine may be shared); seconds to build."""
    began = perf_counter()
    base = Knowledge(entries)
    built = perf_counter() - began
    wall, cpu = [], []
    for asked in questions:
        began, busy = perf_counter(), thread_time()
        base.search(asked.question)
        wall.append(1_000 * (perf_counter() - began))
        cpu.append(1_000 * (thread_time() - busy))
    return {
        "entries": len(entries),
        "build_s": round(built, 2),
        "wall": results.spread(wall),
        "cpu": results.spread(cpu),
    }


# ---------------------------------------------------------------- fitting


Asked = tuple[str | None, list[tuple[str, tuple[float, ...]]]]
"""The id expected, and the candidates (id, features)."""


def bare(entry: Entry) -> Entry:
    """The entry of a shop that has written no phrasings."""
    return replace(entry, phrasings=())


def subsets(entries: Sequence[Entry], questions: Sequence[Question]) -> Iterator[tuple[Knowledge, list[Question]]]:
    """Bases of several sizes; questions whose entry is left out become questions that nothing answers."""
    dice = random.Random(3)
    for share in SHARES:
        some = dice.sample(list(entries), max(3, int(len(entries) * share)))
        ids = {entry.id for entry in some}
        inside = [q for q in questions if q.expect in ids]
        rest = [Question(q.question) for q in questions if q.expect not in ids]
        base = Knowledge([bare(e) for e in some] if share == SHARES[-1] else some)
        yield base, inside + (rest if share == 1 else dice.sample(rest, min(len(rest), max(10, len(inside) // 2))))


def foreign() -> dict[str, tuple[list[Entry], list[Question]]]:
    """The bases of other shops: hard paraphrases, near misses, homophones. One without entries asks the demo's."""
    found = {}
    for path in sorted(BASES.glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        asked = [Question(row["question"], row["expect"]) for row in data["questions"]]
        rows = data.get("entries")
        found[path.stem] = ([from_dict(row) for row in rows] if rows else demo_entries(), asked)
    return found


def seen(entries: Sequence[Entry], questions: Sequence[Question]) -> list[Asked]:
    return [
        (q.expect, [(base.entries[e.entry].id, e.features) for e in base.evidence(q.question)])
        for base, asked in subsets(entries, questions)
        for q in asked
    ]


def logistic(rows: list[list[float]], right: list[bool], weight: list[float], *, bias: bool) -> Any:
    """Ridge logistic regression by Newton's method."""
    x = np.array([[*row, 1.0] if bias else row for row in rows])
    y, much, w = np.array(right, float), np.array(weight), np.zeros(x.shape[1])
    ridge = np.diag([3.0] * (x.shape[1] - bias) + [1e-6] * bias)
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        step = np.linalg.solve((x * (much * p * (1 - p))[:, None]).T @ x + ridge, x.T @ (much * (p - y)) + ridge @ w)
        w = w - step
        if abs(step).max() < 1e-4:
            break
    return w


def fit_rank(bases: Sequence[list[Asked]], much: Sequence[float]) -> tuple[float, ...]:
    """Every base weighs `much`, however many questions it has."""
    rows, right, weight = [], [], []
    for base, one in zip(bases, much, strict=True):
        pairs_of = [
            np.array(mine) - np.array(other)
            for expect, evidence in base
            for mine in (f for id, f in evidence if id == expect)
            for other in (f for id, f in evidence if id != expect)
        ]
        for pair in pairs_of:
            rows += [list(pair), list(-pair)]
            right += [True, False]
            weight += [one * 5_000 / len(pairs_of)] * 2
    return tuple(round(float(v), 2) for v in logistic(rows, right, weight, bias=False))


def fit_confidence(bases: Sequence[list[Asked]], much: Sequence[float], rank: Sequence[float]) -> tuple[float, ...]:
    rows, right, weight = [], [], []
    for base, one in zip(bases, much, strict=True):
        for expect, evidence in base:
            scored = sorted(((float(np.dot(rank, f)), id, f) for id, f in evidence), key=lambda one: -one[0])
            if scored:
                rows.append(calibration.signs([score for score, _, _ in scored], scored[0][2]))
                right.append(scored[0][1] == expect)
                weight.append(one * 600 / len(base))
    return tuple(round(float(v), 2) for v in logistic(rows, right, weight, bias=True))


def calibrated(bases: dict[str, list[Asked]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(RANK, CONFIDENCE)."""
    much = [OWN if name == "own" else 1.0 for name in bases]
    rank = fit_rank(list(bases.values()), much)
    return rank, fit_confidence(list(bases.values()), much, rank)


def fit(entries: Sequence[Entry], questions: Sequence[Question]) -> None:
    """Print the fitted numbers, then every foreign base scored with numbers fitted without it."""
    found = {"own": seen(entries, questions)} | {name: seen(*base) for name, base in foreign().items()}
    rank, confidence = calibrated(found)
    print(f"RANK = {rank}\nCONFIDENCE = {confidence}", flush=True)
    for name, (some, asked) in foreign().items():
        rest = {other: base for other, base in found.items() if other != name}
        calibration.RANK, calibration.CONFIDENCE = calibrated(rest)
        scored = totals(evaluate(asked, Knowledge(some).search))
        print(f"{name:16}", {c: scored[c] for c in ("top1", "coverage_at_95", "answered", "precision", "abstained")})


# ---------------------------------------------------------------- the run


def curve(verdicts: Sequence[Verdict]) -> tuple[list[float], list[float]]:
    """(coverage, precision) while ever less confident answers are given."""
    ranked = sorted(verdicts, key=lambda v: -v.confidence)
    inside = sum(v.asked.expect is not None for v in verdicts)
    right = np.cumsum([v.first for v in ranked])
    return list(right / inside), list(right / np.arange(1, len(ranked) + 1))


def plot(curves: dict[str, Sequence[Verdict]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, verdicts in curves.items():
        x, y = curve(verdicts)
        axes.plot(x, y, label=f"{name}: {coverage_at(verdicts)[0]:.0%} at 95 %")
    axes.axhline(0.95, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="answered right, of all that can be answered", ylabel="precision of what is answered", ylim=(0.5, 1.02)
    )
    axes.set_title("Golden questions, report half")
    axes.legend(loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--no-save", action="store_true")
    chosen = parser.parse_args()
    entries, golden = demo_entries(), read_questions(GOLDEN)[0]
    if chosen.fit:
        fit(entries, [q for q in golden if half(q.question) == "tune"])
        return
    ours = Knowledge(entries)
    bm25, tfidf = words_bm25(entries), chars_tfidf(entries)
    report: dict[str, Any] = {"scores": {}}
    curves = {}
    columns = ("asked", "top1", "top3", "coverage_at_95", "auc_in_out", "answered_wrong", "abstained")
    print(f"{'':34}" + "".join(f"{c:>16}" for c in columns))
    for which in ("tune", "report"):
        questions = [q for q in golden if half(q.question) == which]
        runs = {
            "ours": evaluate(questions, ours.search),
            "BM25 over words (jieba)": judged(bm25, questions),
            "TF-IDF over characters": judged(tfidf, questions),
        }
        for name, verdicts in runs.items():
            groups = {"": verdicts} | {tag: [v for v in verdicts if tag in v.asked.tags] for tag in ("heard", "en")}
            for tag, group in groups.items():
                scored = totals(group)
                if name != "ours":  # a baseline has no threshold of its own: it always answers
                    scored |= {"answered_wrong": 0, "abstained": 0.0}
                label = f"{which:6} {name} {tag}"
                report["scores"][label.strip()] = scored
                print(
                    f"{label:34}"
                    + "".join(
                        f"{scored[c]:16.3f}" if isinstance(scored[c], float) else f"{scored[c]:16}" for c in columns
                    )
                )
        if which == "report":
            curves = runs
    report["latency_ms"] = [latency(entries, golden), latency(large(entries), golden)]
    for row in report["latency_ms"]:
        print(row)
    if not chosen.no_save:
        covered = {name: scored["coverage_at_95"] for name, scored in report["scores"].items()}
        results.save("retrieval", report, covered, "coverage at 95 % precision")
        plot(curves, results.HERE / "retrieval.png")


if __name__ == "__main__":
    main()
