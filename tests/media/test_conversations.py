"""Long conversations by chance, on virtual time: what she heard is held against when she spoke, sample by sample."""

import random

import pytest

from media.ports import CaptionNote, TurnNote
from media.profile import Profile
from tests import virtual_time
from tests.fakes.call import MarkRecognizer, ScriptedCall

SENTENCES = (
    "这个奶粉多少钱",
    "宝宝一直哭怎么办",
    "我想预约周六到店可以吗",
    "纸尿裤怎么退",
    "do you have size two please",
    "转人工",
)
SIGNS = ("嗯", "对对", "好的", "")
TO_SILENCE_S = 0.2
"""Onset to silence: 64 ms of voice, a frame of the ear, a frame of the mouth, a fade."""


def conversation(seed: int, seconds: float) -> ScriptedCall:
    """She asks, interrupts, coughs, says mm-hm, types; the recognizer and the responder take their time."""
    rng = random.Random(seed)
    call = ScriptedCall(seconds, Profile(greet=True))
    assert isinstance(call.recognizer, MarkRecognizer)
    call.recognizer.delay = rng.choice([0.0, 0.1, 0.3])
    call.responder.first = rng.choice([0.0, 0.2, 0.9])
    call.synthesizer.delay = rng.choice([0.0, 0.1])
    at = 1.0
    while at < seconds - 3:
        length = rng.uniform(0.8, 2.0)
        kind = rng.random()
        if kind < 0.6:
            call.ear.says(at, at + length, rng.choice(SENTENCES))
        elif kind < 0.85:
            length = rng.uniform(0.1, 0.35)
            call.ear.says(at, at + length, rng.choice(SIGNS))
        else:
            call.at(at, lambda voice: voice.hear("转人工"))
        at += length + rng.choice([0.3, 0.6, 1.5, 4.0, 8.0])
    return call


def protected(call: ScriptedCall) -> float:
    """When the notice is over."""
    return 0.2 * len(call.profile.greeting["zh"]) + 0.5


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_it_never_speaks_over_her(seed: int) -> None:
    call = virtual_time.run(conversation(seed, 120.0).run())
    for line in call.ear.script:
        if line.start > protected(call) and line.end - line.start > 0.5:
            over = call.audible(line.start + TO_SILENCE_S, line.end)
            assert over == 0, (seed, line, over)


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_what_is_kept_is_what_was_heard(seed: int) -> None:
    call = virtual_time.run(conversation(100 + seed, 120.0).run())
    kept = sum(len(text) for text in call.said("assistant"))
    heard = sum(call.sound) * 0.02
    assert kept * 0.2 == pytest.approx(heard, abs=0.1 + 0.2 * len(call.said("assistant")))


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_every_turn_is_answered_or_taken_up_again(seed: int) -> None:
    """Nothing she said is lost: each sentence is in exactly one finished caption of hers."""
    call = virtual_time.run(conversation(200 + seed, 120.0).run())
    said = call.said("customer")
    spoken = [line.text for line in call.ear.script if line.end - line.start > 0.5]
    whole = "".join(said).replace(" ", "")
    assert all(whole.count(text.replace(" ", "")) >= spoken.count(text) for text in spoken)
    turns = [note.turn for note in call.of(CaptionNote) if note.done and note.who == "customer"]
    assert turns == sorted(set(turns))
    assert len(call.of(TurnNote)) <= len(call.responder.asked)
    assert call.responder.closed == len(call.responder.asked)
