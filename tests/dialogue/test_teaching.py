"""PURE parts of the teaching loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.evaluate import Question
from gateway.dialogue.knowledge import Entry
from gateway.dialogue.teaching import answered_by, changed, cluster_of, likeness, preview
from gateway.http.trend import drawn

A, B = Entry("a", "怎么退货", "七天内"), Entry("b", "停车收费吗", "免费两小时")


def test_rewordings_belong_together_and_other_topics_do_not() -> None:
    known = [("k1", "下雨天能借雨伞吗"), ("k2", "可以刷医保卡吗")]
    assert cluster_of("能借把雨伞吗", known) == "k1"
    assert cluster_of("宝宝怎么拍嗝", known) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert abs(likeness(one, other) - likeness(other, one)) < 1e-9
    assert 0 <= likeness(one, other) <= 1 + 1e-9


def test_a_preview_names_what_the_change_answers_and_what_it_costs() -> None:
    umbrella = Entry("u", "能借雨伞吗", "可以")
    golden = [Question("怎么退货", "a"), Question("停车收费吗", "b")]
    good = preview([A, B], changed([A, B], [umbrella]), golden, ["可以借雨伞吗", "停车收费吗"])
    assert good.answered == ("可以借雨伞吗",)
    assert not good.worse
    assert good.after["asked"] == 2
    assert preview([A, B], [B], golden, []).worse


MILK, SWIM = ("1", "店里可以检测母乳成分吗", ""), ("2", "游泳前要喂奶吗", "")
ANSWER = "有的，母乳成分检测每次58元。"


@pytest.mark.parametrize(
    "chat",
    [
        "您好，我是陈顾问",
        "您好，我是门店顾问，已看到您和 AI 助手的对话，我来帮您。",
        "请问宝宝现在多大了？",
        "好的",
        "我帮您查一下，请稍等一分钟。",
    ],
)
def test_what_greets_or_asks_back_is_no_draft(chat: str) -> None:
    assert answered_by(chat, [MILK]) is None


def test_an_answer_is_the_draft_of_the_question_it_takes_up() -> None:
    assert answered_by(ANSWER, [SWIM, MILK]) == "1"
    assert answered_by("不用，饿了会哭，游完再喂奶。", [SWIM, MILK]) == "2"


def test_the_draft_is_what_takes_up_most_of_the_question() -> None:
    drafted = (*MILK[:2], "每次58元，您直接到店就行，周末也可以。")
    assert answered_by(ANSWER, [drafted]) == "1"
    assert answered_by("每次58元，您直接到店就行，周末也可以。", [(*MILK[:2], ANSWER)]) is None


def test_the_trend_is_a_drawing_for_any_number_of_scores() -> None:
    for n in range(3):
        rows = [{"at": f"2026-11-2{i}T00:00", "totals": {"top1": 0.8, "helped": 0.7}} for i in range(n)]
        assert drawn(rows).startswith("<svg")
