"""The scores of `nestcall evaluate`, and the command itself on files of others."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import build
from gateway.dialogue.evaluate import Question, Verdict, auc, coverage_at, totals
from gateway.errors import SettingsBroken


def verdict(expect: str | None, got: str, confidence: float, decision: str = "answer") -> Verdict:
    return Verdict(Question("q", expect), ((got, confidence),), decision)


def test_coverage_stops_where_precision_would_fall_below() -> None:
    right = [verdict("a", "a", 0.9 - n / 100) for n in range(19)]
    wrong = [verdict("a", "b", 0.5), verdict(None, "b", 0.4)]
    assert coverage_at([*right, *wrong]) == (pytest.approx(19 / 20), 0.5)


def test_ties_are_answered_together() -> None:
    assert coverage_at([verdict("a", "a", 0.9), verdict("a", "b", 0.9)]) == (0.0, 1.0)


def test_an_answer_outside_the_knowledge_is_a_wrong_answer() -> None:
    scores = totals([verdict(None, "a", 0.9), verdict("a", "a", 0.8)])
    assert (scores["answered_wrong"], scores["abstained"], scores["precision"]) == (1, 0.0, 0.5)
    assert auc([verdict(None, "a", 0.9), verdict("a", "a", 0.8)]) == 0.0


def files(folder: Path, entries: object, questions: list[object]) -> list[str]:
    knowledge, asked = folder / "k.json", folder / "q.jsonl"
    knowledge.write_text(json.dumps(entries), "utf-8")
    asked.write_text("\n".join(json.dumps(row) for row in questions), "utf-8")
    return ["evaluate", "--knowledge", str(knowledge), "--questions", str(asked), "--json"]


def test_any_knowledge_and_any_questions(tmp_path: Path) -> None:
    entries = [
        {"id": 7, "question": "怎么退货", "phrasings": ["不想要了"], "answer": "七天内"},
        {"id": "park", "question": "Where can I park?", "phrasings": None, "answer": "Behind the store", "extra": 1},
    ]
    questions = [
        {"question": "我要退货", "expect": "7"},
        {"question": "parking lot?", "expect": "park"},
        {"question": "你会唱歌吗", "expect": None},
    ]
    done = CliRunner().invoke(build(), files(tmp_path, entries, questions))
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert [q["top"][0]["id"] for q in said["questions"][:2]] == ["7", "park"]
    assert said["questions"][2]["decision"] == "handoff"
    assert {"top1", "coverage_at_95", "abstained", "latency_ms"} <= said.keys()
    assert said["vectors"] == {"off": 3}  # offline unless an embeddings model is configured


def test_a_floor_under_the_score_is_an_exit_code(tmp_path: Path) -> None:
    arguments = files(tmp_path, [{"id": "a", "question": "x", "answer": ""}], [{"question": "完全无关", "expect": "a"}])
    assert CliRunner().invoke(build(), [*arguments, "--fail-under", "0.5"]).exit_code == 2


def test_a_broken_file_is_named_with_its_row(tmp_path: Path) -> None:
    done = CliRunner().invoke(build(), files(tmp_path, [{"question": "no id"}], []))
    assert isinstance(done.exception, SettingsBroken)
    assert "row 1" in done.exception.detail


def test_the_demo_answers_its_golden_questions() -> None:
    done = CliRunner().invoke(build(), ["evaluate", "--json"])
    scores = json.loads(done.output)
    assert scores["questions"][0].keys() == {"question", "expect", "top", "decision"}
    for one in scores["questions"]:
        assert len({hit["id"] for hit in one["top"]}) == 3
        assert all(hit.keys() == {"id", "confidence"} for hit in one["top"])
    assert len(scores["questions"]) >= 300
    assert scores["coverage_at_95"] > 0.5
    assert scores["abstained"] > 0.9


def test_bare_entries_and_empty_lines(tmp_path: Path) -> None:
    arguments = files(
        tmp_path, [{"id": "a", "question": "怎么退货"}], [{"question": "怎么退货", "expect": "a", "note": 1}]
    )
    asked = tmp_path / "q.jsonl"
    asked.write_text("\n\n" + asked.read_text("utf-8") + "\n\n", "utf-8")
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["asked"] == 1


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    entries = [
        {"id": "a", "question": "怎么退货", "phrasings": "不想要了", "answer": None},
        {"id": "a", "question": "again"},
        {"question": "no id"},
    ]
    asked: list[object] = [{"question": None}, {"expect": "a"}, [1], {"question": "退货\u2028流程", "expect": "gone"}]
    arguments = files(tmp_path, entries, [])
    lines = [json.dumps(row, ensure_ascii=False) for row in asked]
    (tmp_path / "q.jsonl").write_text("\ufeff\n" + "\r\n".join([*lines, "{"]), "utf-8")
    said = json.loads(CliRunner().invoke(build(), arguments).stdout)
    assert [one["question"] for one in said["questions"]] == ["退货\u2028流程"]
    assert said["entries"] == 1
    assert [fault.split(":")[0] for fault in said["faults"]] == [
        "k.json row 2 (a)",
        "k.json row 3 (no id)",
        *(f"q.jsonl line {n}" for n in (2, 3, 4, 6)),
        "expected id gone is not in the knowledge",
    ]


def test_a_question_without_end_is_answered_by_its_beginning(tmp_path: Path) -> None:
    entries = [{"id": "a", "question": "怎么退货", "answer": "七天内"}]
    arguments = files(tmp_path, entries, [{"question": "怎么退货 " + "x" * 100_000, "expect": "a"}])
    said = json.loads(CliRunner().invoke(build(), arguments).stdout)
    assert said["top1"] == 1.0
