"""A whole voice on virtual time, beyond the sixteen cases: captions, keys, broken engines, languages, takeover."""

import pytest

from media.ports import CaptionNote, Heard, TroubleNote, TurnNote
from media.profile import Profile
from tests.fakes.call import CharacterSynthesizer, MarkRecognizer, ScriptedCall
from tests.media.long_answer import QUESTION, call_with_long_answer, play


def test_captions_light_up_as_they_are_said() -> None:
    call = play(call_with_long_answer())
    lits = [(at, n.lit) for at, n in call.notes if isinstance(n, CaptionNote) and n.who == "assistant"]
    began = call.first_sound(0.0)
    for at, lit in lits[1:-1]:
        assert lit * 0.2 == pytest.approx(at - began, abs=0.25)


def test_an_engineless_call_still_reads_and_types() -> None:
    call = ScriptedCall(8.0)
    call.recognizer = None
    call.synthesizer.broken = True
    call.at(1.0, lambda voice: voice.hear("尿布多少钱"))
    play(call)
    assert call.said("assistant") == ["答：尿布多少钱。"]
    assert call.of(TroubleNote)[0].part == "synthesizer"


def test_keys_are_one_entry_and_stop_the_voice() -> None:
    call = call_with_long_answer()
    for i, key in enumerate("1385"):
        call.at(5.0 + 0.2 * i, lambda voice, key=key: voice.hear(key, "key"))
    call.at(9.0, lambda voice: voice.hear("1", "key"))
    call.at(9.3, lambda voice: voice.hear("*", "key"))
    play(call)
    assert call.audible(5.06, 6.3) == 0
    assert [heard.text for heard in call.responder.asked if heard.source == "key"] == ["1385"]
    assert call.said("assistant")[1] == "答：1385。"
    shown = [note.who for note in call.of(CaptionNote) if note.text in ("1385", "答：1385。")]
    assert shown[0] == "customer"  # above its answer
    assert "1385" in call.said("customer")  # in the log, for whoever reads there what number she gave


def test_a_broken_recognizer_is_said_and_the_call_goes_on() -> None:
    call = call_with_long_answer()
    assert isinstance(call.recognizer, MarkRecognizer)
    call.recognizer.broken = True
    play(call)
    assert call.of(TroubleNote)[0].part == "recognizer"
    assert call.said("assistant")[0] == call.profile.not_heard["zh"]


def test_a_recognizer_that_dies_while_she_speaks_is_said_and_the_call_goes_on() -> None:
    call = ScriptedCall(12.0)
    assert isinstance(call.recognizer, MarkRecognizer)
    recognizer = call.recognizer
    recognizer.crashing = True
    call.ear.says(1.0, 3.0, "宝宝一直哭怎么办")
    call.at(4.0, lambda _voice: setattr(recognizer, "crashing", False))
    call.ear.says(8.0, 9.0, "转人工")
    play(call)
    assert call.said("assistant")[0] == call.profile.not_heard["zh"]
    assert call.first_sound(3.0) < 4.0
    assert "转人工" in call.said("customer")


def test_consequences_that_fail_do_not_end_the_call() -> None:
    call = ScriptedCall(10.0)

    async def broken(_heard: Heard) -> None:
        raise RuntimeError("told to break")

    call.responder.committed = broken  # type: ignore[method-assign]
    for at in (1.0, 5.0):
        call.ear.says(at, at + 1.0, "转人工")
    play(call)
    assert call.said("assistant") == ["答：转人工。"] * 2


def test_an_advisor_has_the_call_and_gives_it_back() -> None:
    call = call_with_long_answer(25.0)
    call.at(4.0, lambda voice: voice.hand_over())
    call.ear.says(6.0, 7.0, "顾问你好")
    call.at(10.0, lambda voice: voice.take_back())
    play(call)
    assert call.audible(4.06, 10.0) == 0
    assert "顾问你好" in call.said("customer")
    assert call.said("assistant")[1] == call.profile.greeting["zh"]
    assert {heard.text for heard in call.responder.asked} == {QUESTION}


def test_the_first_sound_is_the_notice() -> None:
    call = play(ScriptedCall(10.0, greet=True))
    assert call.said("assistant")[0] == call.profile.greeting["zh"]
    assert call.first_sound(0.0) <= 0.1


def test_what_follows_the_notice_is_said_after_it_and_may_be_interrupted() -> None:
    profile = Profile(after_greeting={"zh": "门店现在已经打烊。我可以先回答您的问题，也可以帮您预约回电。"})
    call = ScriptedCall(14.0, profile, greet=True)
    ended = len(profile.greeting["zh"]) * 0.2
    call.ear.says(ended + 1.0, ended + 2.0, QUESTION)
    call.responder.replies[QUESTION] = ("好的。",)
    play(call)
    notice, closed, answer = call.said("assistant")
    assert notice == profile.greeting["zh"]
    assert closed
    assert profile.after_greeting["zh"].startswith(closed)
    assert closed != profile.after_greeting["zh"]
    assert answer == "好的。"


def test_the_language_follows_her() -> None:
    call = ScriptedCall(15.0)
    call.ear.says(1.0, 2.5, "Do you have size two diapers in store?")
    call.at(9.0, lambda voice: setattr(call, "language", voice.language))
    play(call)
    assert call.responder.asked[-1].language == "en"


def test_a_borrowed_word_does_not_change_the_language_of_the_answer() -> None:
    call = ScriptedCall(15.0)
    call.ear.says(1.0, 1.6, "Hello")
    call.at(6.0, lambda voice: voice.hear("WiFi"))
    play(call)
    assert [heard.language for heard in call.responder.commits] == ["zh", "en"]  # twice in a row is no borrowing


def test_at_most_ten_tasks_a_call() -> None:
    call = call_with_long_answer()
    call.ear.says(4.0, 5.0, "不是我问的是尿布")
    call.ear.says(5.4, 6.0, "多少钱")
    play(call)
    assert call.most_tasks - 2 <= 8  # less the test itself and the fake track; two more belong to the leg


def test_ten_minutes_of_conversation() -> None:
    call = ScriptedCall(600.0)
    for i in range(60):
        call.ear.says(1.0 + 10 * i, 2.5 + 10 * i, f"第{i}个问题怎么办")
        if i % 5 == 4:
            call.ear.says(4.0 + 10 * i, 4.8 + 10 * i, "等一下我还没说完吗")
    play(call)
    said = call.said("customer")
    assert len([text for text in said if text.startswith("第")]) == 60
    assert len(call.responder.commits) == len(said)
    assert call.responder.closed == len(call.responder.asked)
    assert len(call.of(TurnNote)) == len(said)


def test_recognizer_delay_is_in_the_waterfall() -> None:
    call = call_with_long_answer()
    assert isinstance(call.recognizer, MarkRecognizer)
    call.recognizer.delay, call.recognizer.partials = 0.3, False
    call.synthesizer = CharacterSynthesizer(delay=0.15)
    play(call)
    parts = call.of(TurnNote)[0].parts_ms
    assert parts["transcription"] == pytest.approx(300, abs=25)
    assert parts["first_audio"] == pytest.approx(150, abs=5)


def test_partials_start_the_reply_before_the_turn_is_over() -> None:
    call = call_with_long_answer()
    call.responder.first = 0.08
    call.synthesizer = CharacterSynthesizer(delay=0.05)
    play(call)
    assert call.responder.asked[0].speculative
    assert call.first_sound(0.0) - 2.0 <= 0.3
