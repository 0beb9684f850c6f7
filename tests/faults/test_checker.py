"""The checker itself: each law broken once, and named."""

import pytest

from tests.faults.checker import Run, Seen, Sent, check


def good() -> Run:
    history = [Seen(n, f"m/{n}", f"d{n}") for n in range(1, 5)]
    sent = [Sent("c", "m", f"m/{n}", n) for n in range(1, 5)] + [Sent("c", "m", "m/never")]
    return Run(sent, {"c": history}, {("r", "c"): list(history)})


def test_a_good_run_breaks_nothing() -> None:
    assert check(good()) == []


def lose(run: Run) -> None:
    run.history["c"][1] = Seen(2, "", "d2")


def double(run: Run) -> None:
    run.history["c"].append(Seen(5, "m/2", "d5"))
    run.received["r", "c"].append(Seen(5, "m/2", "d5"))


def gap(run: Run) -> None:
    run.history["c"] = [Seen(1, "m/1", "d1"), *[Seen(n + 1, f"m/{n}", f"d{n}") for n in range(2, 5)]]


def swap(run: Run) -> None:
    run.sent[0].seq, run.sent[1].seq = 2, 1


def miss(run: Run) -> None:
    del run.received["r", "c"][2]


def twice(run: Run) -> None:
    run.received["r", "c"].append(run.received["r", "c"][-1])


def differ(run: Run) -> None:
    run.received["r", "c"][0] = Seen(1, "m/1", "other")


def move(run: Run) -> None:
    run.sent[3].seq = 3


CASES = [
    (lose, "lost"),
    (double, "doubled"),
    (gap, "gapless"),
    (swap, "order"),
    (miss, "received"),
    (twice, "received"),
]


@pytest.mark.parametrize(("damage", "law"), [*CASES, (differ, "differs"), (move, "moved")])
def test_each_broken_law_is_named(damage: object, law: str) -> None:
    run = good()
    damage(run)  # type: ignore[operator]
    assert law in {violation.law for violation in check(run)}
