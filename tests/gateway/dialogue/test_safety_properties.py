"""Nothing from outside stops the check, and what is known of the development set stays known."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialogue.safety import check, question, red_flag_text
from gateway.dialogue.safety.normal import MAX_CHARS, counted, plain
from gateway.dialogue.safety.rules import ACTIONS, RULES

DEV = [
    json.loads(line) for line in Path(__file__).with_name("redflags_dev.jsonl").read_text(encoding="utf-8").splitlines()
]
PIECES = st.sampled_from(
    ["宝宝", "发烧", "没有", "三十八度五", "两个半月", "抽", "嘴唇", "发紫", "不", "如果", "去年", "电池", "吞", "。"]
    + ["his ", "lips ", "not ", "blue ", "if ", "100.4f ", "6 weeks ", "38.5", ",", " "]
)
TALK = st.lists(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join)), max_size=12)


@given(TALK, st.one_of(st.none(), st.integers(0, 40_000)))
@settings(deadline=None)
def test_any_talk_is_read(turns: list[str], age_days: int | None) -> None:
    flag = check(turns, age_days)
    assert question(turns, age_days) in {None, "needs_age"}
    if flag is not None:
        assert ACTIONS[flag.sign] == flag.action
        assert red_flag_text(flag, "zh") != red_flag_text(flag, "en")


@given(st.text(max_size=400))
@settings(deadline=None)
def test_normalising_twice_changes_no_verdict(text: str) -> None:
    assert check([text], None) == check([text], None)
    assert isinstance(counted(plain(text)), str)


@pytest.mark.parametrize(
    "unit",
    ["嘴", "不", "一", "a ", "no ", "没", "。", "3", "8小时", "吐", "he ate ", "按了不", "\ud800", "\x00", "\u202e"],
)
def test_the_longest_monotonous_talk_ends(unit: str) -> None:
    check([unit * (MAX_CHARS // len(unit))] * 50, 20)


def test_the_order_of_sayings_does_not_hide_the_age() -> None:
    assert check(["体温38.3", "宝宝26天"], None) == check(["宝宝26天", "体温38.3"], None) is not None


def test_the_development_set_stays_within_its_aims() -> None:
    told = [(row["sign"], check(row["turns"], row.get("age_days"))) for row in DEV]
    signs = [flag is not None for sign, flag in told if sign]
    harmless = [flag is not None for sign, flag in told if not sign]
    assert len(told) >= 300
    assert sum(signs) / len(signs) >= 0.98
    assert sum(harmless) / len(harmless) <= 0.08


def test_every_sign_of_the_list_has_an_action_and_something_that_finds_it() -> None:
    measured = {"S01", "S02"}
    assert {rule.sign for rule in RULES} | measured == set(ACTIONS)
