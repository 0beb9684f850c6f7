"""Frames, pause at the exact sample, flush within one frame, and the ledger of what was heard."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.audio import WIRE_HZ, AudioChunk
from media.ledger import Line, whole_words
from media.playout import FRAME, Playout, Progress


def ramp(samples: int, start: int = 1) -> AudioChunk:
    return AudioChunk((np.arange(start, start + samples) % 20_000 + 1).astype(np.int16), WIRE_HZ)


def loud(frames: int) -> AudioChunk:
    return AudioChunk(np.full(frames * FRAME, 8_000, np.int16), WIRE_HZ)


def test_silence_when_there_is_nothing() -> None:
    frame = Playout().next_frame()
    assert frame.shape == (FRAME,)
    assert frame.dtype == np.int16
    assert not frame.any()


def test_frames_carry_the_samples_in_order_across_pieces() -> None:
    playout = Playout()
    whole = ramp(3 * FRAME)
    for part in np.split(whole.samples, [100, 1_500, 1_501]):
        playout.play(AudioChunk(part, WIRE_HZ), "", turn=1, revision=0)
    heard = np.concatenate([playout.next_frame() for _ in range(3)])
    assert (heard == whole.samples).all()
    assert not playout.next_frame().any()


def test_flush_is_silent_within_one_frame_and_forgets_the_rest() -> None:
    playout = Playout()
    playout.play(loud(10), "十个字的一句话就在这里", turn=1, revision=0)
    playout.next_frame()
    playout.flush()
    assert not playout.next_frame()[FRAME // 4 :].any()
    assert not playout.playing
    assert not playout.next_frame().any()
    assert playout.spoken_text(1) == "十"


def test_two_replies_dropped_in_one_frame_are_both_gone() -> None:
    playout = Playout()
    for turn in (1, 2):
        playout.play(loud(5), "不要听到", turn=turn, revision=0)
    last = ramp(FRAME)
    playout.play(last, "要", turn=3, revision=0)
    playout.next_frame()
    playout.drop(turn=1, revision=0)
    playout.drop(turn=2, revision=0)
    assert not playout.next_frame()[FRAME // 4 :].any()
    assert (playout.next_frame()[FRAME // 4 :] == last.samples[FRAME // 4 :]).all()
    assert not playout.next_frame().any()


def test_resume_goes_on_at_the_exact_sample() -> None:
    playout = Playout()
    audio = ramp(4 * FRAME)
    playout.play(audio, "四", turn=1, revision=0)
    playout.next_frame()
    playout.pause()
    assert not playout.next_frame()[FRAME // 4 :].any()
    assert not playout.next_frame().any()
    playout.resume()
    resumed = playout.next_frame()
    assert (resumed[FRAME // 4 :] == audio.samples[FRAME + FRAME // 4 : 2 * FRAME]).all()
    assert playout.line(1, 0).played == 2 * FRAME


def test_a_reply_after_a_flush_starts_with_its_first_sample() -> None:
    playout = Playout()
    playout.play(loud(5), "旧", turn=1, revision=0)
    playout.next_frame()
    playout.flush()
    playout.play(loud(1), "新", turn=2, revision=0)
    playout.next_frame()
    playout.next_frame()
    assert playout.spoken_text(2) == "新"


def test_duck_lowers_and_restores() -> None:
    playout = Playout()
    playout.play(loud(4), "话", turn=1, revision=0)
    full = playout.next_frame()[-1]
    playout.duck(True)
    ducked = playout.next_frame()[-1]
    playout.duck(False)
    assert 0 < ducked < full / 4
    assert playout.next_frame()[-1] == full


def test_listener_hears_first_sound_characters_and_the_end() -> None:
    told: list[Progress] = []
    playout = Playout(told.append)
    playout.play(AudioChunk(np.zeros(FRAME, np.int16), WIRE_HZ), "", turn=1, revision=0)
    playout.play(loud(2), "你好", turn=1, revision=0)
    playout.finish(turn=1, revision=0)
    for _ in range(4):
        playout.next_frame()
    assert [(p.lit, p.audible, p.over) for p in told] == [(1, True, False), (2, False, True)]


def test_finishing_after_the_last_sample_still_tells_the_end() -> None:
    told: list[Progress] = []
    playout = Playout(told.append)
    playout.play(loud(1), "好", turn=1, revision=0)
    playout.next_frame()
    playout.finish(turn=1, revision=0)
    assert told[-1].over


def test_a_broken_listener_does_not_break_the_track() -> None:
    def broken(_: Progress) -> None:
        raise RuntimeError

    playout = Playout(broken)
    playout.play(loud(1), "好", turn=1, revision=0)
    assert playout.next_frame().any()


def test_whole_words_keeps_chinese_characters_and_whole_latin_words() -> None:
    assert whole_words("好的, Aptamil 三段", 7) == "好的,"
    assert whole_words("好的, Aptamil 三段", 11) == "好的, Aptamil"
    assert whole_words("宝宝几个月", 2) == "宝宝"


spans = st.lists(st.tuples(st.text(max_size=6), st.integers(0, 5_000)), max_size=8)


@given(spans, st.lists(st.integers(0, 3_000), max_size=12))
def test_what_was_heard_is_a_growing_prefix(parts: list[tuple[str, int]], plays: list[int]) -> None:
    line = Line(1, 0)
    for text, samples in parts:
        line = line.add(text, samples)
    before = 0
    for samples in plays:
        line = line.play(min(samples, line.samples - line.played))
        assert before <= line.lit <= len(line.text)
        assert line.text.startswith(line.heard)
        before = line.lit
    if line.played == line.samples:
        assert line.heard == line.text
