"""Misheard words are asked back before anything is done about them."""

import pytest

from gateway.calls.answers import SpokenAnswers
from gateway.calls.doubt import weigh
from gateway.dialogue.ports import Closing, Context, RedFlag, Say
from media.ports import Heard

CONTEXT = Context("v-1", "c-1", "s-1", "zh", "voice")


def heard(text: str, turn: int = 1, *, confirm: bool = True, source: str = "speech") -> Heard:
    return Heard(text, turn, 0, "zh", confirm=confirm, source=source)  # type: ignore[arg-type]


class Echo:
    """Answers with the words it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, text: str, context: Context):  # type: ignore[no-untyped-def]
        self.asked.append(text)
        yield Say(text)
        yield Closing(text, "answer")

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        return None

    def red_flag_text(self, flag: RedFlag, language: str, *, staffed: bool = True) -> str:
        return ""


async def say(answers: SpokenAnswers, words: Heard, *, commit: bool = True) -> str:
    text = "".join([piece async for piece in answers.reply(words)])
    if commit:
        await answers.committed(words)
    return text


async def test_yes_answers_what_was_asked_back() -> None:
    dialogue = Echo()
    answers = SpokenAnswers(dialogue, lambda: CONTEXT)
    assert "回电话给我" in await say(answers, heard("回电话给我"))
    assert dialogue.asked == []
    assert await say(answers, heard("是的", 2)) == "回电话给我"
    assert dialogue.asked == ["回电话给我"]


async def test_no_forgets_it() -> None:
    dialogue = Echo()
    answers = SpokenAnswers(dialogue, lambda: CONTEXT)
    await say(answers, heard("回电话给我"))
    assert "再说一遍" in await say(answers, heard("不是", 2))
    assert "您是说" in await say(answers, heard("是的", 3))
    assert dialogue.asked == []


async def test_a_question_she_never_heard_is_not_pending() -> None:
    dialogue = Echo()
    answers = SpokenAnswers(dialogue, lambda: CONTEXT)
    await say(answers, heard("回电话给我"), commit=False)
    assert "您是说" in await say(answers, heard("是的", 2))
    assert dialogue.asked == []


@pytest.mark.parametrize("source", ["typed", "key"])
def test_what_is_typed_is_never_doubted(source: str) -> None:
    assert weigh(heard("转人工", source=source), None).text == "转人工"


def test_a_recognizer_that_is_sure_is_believed() -> None:
    assert weigh(heard("转人工", confirm=False), None).text == "转人工"
