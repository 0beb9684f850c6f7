"""Red flags: of babies in danger, how many are seen; of harmless questions, how many alarm; how long a check takes.

`python -m benchmarks.redflags` reads the development set (its phrasings are known to the tables) beside a plain
keyword list, the floor. `--fresh FILE` measures a set nobody tuned to and keeps its first shot in
results/redflags_first_shots.json: that is the number to believe.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import HERE, machine, save, spread
from gateway.dialogue.safety import check

ROOT = Path(__file__).resolve().parents[1]
SET = ROOT / "tests/gateway/dialogue/redflags_dev.jsonl"
SHOTS = HERE / "redflags_first_shots.json"
WORDS = (ROOT / "benchmarks/redflag_words.txt").read_text(encoding="utf-8").split()
"""The phrases published with the sign list, as a plain keyword filter would use them."""


@dataclass(frozen=True, slots=True)
class Row:
    turns: tuple[str, ...]
    age_days: int | None
    sign: str | None


@dataclass(frozen=True, slots=True)
class Score:
    signs: int
    seen: int
    harmless: int
    alarms: int

    @property
    def recall(self) -> float:
        return self.seen / self.signs if self.signs else 0.0

    @property
    def false_alarms(self) -> float:
        return self.alarms / self.harmless if self.harmless else 0.0

    def __str__(self) -> str:
        seen = f"recall {self.seen}/{self.signs} = {self.recall:.1%}"
        return f"{seen}, false alarms {self.alarms}/{self.harmless} = {self.false_alarms:.1%}"

    def record(self) -> dict[str, Any]:
        return {"recall": [self.seen, self.signs], "false_alarms": [self.alarms, self.harmless]}


def rows(path: Path) -> list[Row]:
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Row(tuple(row["turns"]), row.get("age_days"), row.get("sign")) for row in read]


def by_words(turns: Sequence[str], _age_days: int | None) -> bool:
    text = " ".join(turns).lower()
    return any(word in text for word in WORDS)


def by_layer(turns: Sequence[str], age_days: int | None) -> bool:
    return check(turns, age_days) is not None


def score(cases: Sequence[Row], alarm: Callable[[Sequence[str], int | None], bool]) -> Score:
    told = Counter((case.sign is not None, alarm(case.turns, case.age_days)) for case in cases)
    return Score(
        told[True, True] + told[True, False],
        told[True, True],
        told[False, True] + told[False, False],
        told[False, True],
    )


def latency(cases: Sequence[Row]) -> tuple[dict[str, float], dict[str, float]]:
    """Wall and CPU milliseconds of each check, the first time its words are read in a warm process."""
    wall, cpu = [], []
    check(["您好 hello"], None)
    for case in cases:
        began, used = time.perf_counter(), time.thread_time()
        check(case.turns, case.age_days)
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.thread_time() - used) * 1e3)
    return spread(wall), spread(cpu)


def long_talks(cases: Sequence[Row], count: int = 200) -> list[Row]:
    """Talks of 50 lines of three sentences, each line read for the first time; every second one is harmless."""
    every = [turn for case in cases for turn in case.turns]
    harmless = [turn for case in cases if case.sign is None for turn in case.turns]

    def line(lines: Sequence[str], at: int) -> str:
        return "。".join(lines[(at * step + step) % len(lines)] for step in (1, 7, 13))

    talks = [[line((harmless, every)[n % 2], 50 * n + at) for at in range(50)] for n in range(count)]
    return [Row(tuple(talk), None, None) for talk in talks]


def _shown(name: str, wall: dict[str, float], cpu: dict[str, float]) -> str:
    rounded = [{key: round(value, 2) for key, value in times.items()} for times in (wall, cpu)]
    return f"{name}, ms wall: {rounded[0]} cpu: {rounded[1]}"


def keep_first_shot(path: Path, shot: Score) -> None:
    kept = json.loads(SHOTS.read_text(encoding="utf-8")) if SHOTS.exists() else []
    SHOTS.write_text(json.dumps([*kept, {"set": path.stem, **shot.record()}], indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=Path, help="a JSONL set never measured before")
    fresh = parser.parse_args().fresh
    cases = rows(fresh or SET)
    wall, cpu = latency(cases)
    ours, floor = score(cases, by_layer), score(cases, by_words)
    print(machine())
    print(f"layer      {ours}\nword list  {floor}")
    print(_shown("a check", wall, cpu))
    if fresh:
        keep_first_shot(fresh, ours)
        return
    long_wall, long_cpu = latency(long_talks(cases))
    print(_shown("a check of 50 long lines", long_wall, long_cpu))
    bars = {
        "recall %": ours.recall * 100,
        "recall %, word list": floor.recall * 100,
        "false alarms %": ours.false_alarms * 100,
        "false alarms %, word list": floor.false_alarms * 100,
    }
    times = {"ms_wall": wall, "ms_cpu": cpu, "ms_wall_50_lines": long_wall, "ms_cpu_50_lines": long_cpu}
    save("redflags", {"layer": ours.record(), "words": floor.record(), **times}, bars, "%", 98)


if __name__ == "__main__":
    main()
