"""The small pure parts of the voice: clauses, language, waterfall, echo; and utterances with engines that misbehave."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio import EAR_HZ, AudioChunk
from media.echo import LIKENESS, WINDOW, likeness
from media.engines.fake import LevelDetector
from media.errors import EngineFailed
from media.hearing import BEGINNING_S, BEGINS_S, Hearing
from media.language import Following
from media.listening import FINAL_S, PACE_S, Utterances
from media.ports import Language, Transcript
from media.sentences import FIRST, LONGEST, Cutter, weight
from media.stats import PARTS, waterfall
from media.voicing import Voicing
from tests import virtual_time

# ---------------------------------------------------------------- clauses


def cut(text: str, size: int = 1) -> list[str]:
    cutter, clauses = Cutter(), list[str]()
    for start in range(0, len(text), size):
        cutter, more = cutter.feed(text[start : start + size])
        clauses += more
    return [*clauses, *cutter.finish()]


@given(st.text(alphabet="好的吗a1 .,，。！?;：\n", max_size=80), st.integers(1, 9))
def test_clauses_joined_are_the_text(text: str, size: int) -> None:
    """But for white space at the very end."""
    assert "".join(cut(text, size)).rstrip() == text.rstrip()


parts = st.sampled_from(
    ["好的，", "水温是四十度。", "a few ", "3.5", " kg. ", "1,299元", "吗？", "now: ", "这一款奶粉适合半岁以上"]
)


@given(st.lists(parts, max_size=30), st.integers(1, 9), st.integers(1, 9))
def test_clauses_do_not_depend_on_how_the_model_sends(texts: list[str], one: int, other: int) -> None:
    assert cut("".join(texts), one) == cut("".join(texts), other)


def test_the_first_clause_is_short_and_sentences_stay_whole() -> None:
    text = "您好呀，这款奶粉适合六个月以上的宝宝，水温四十度，不要太烫。还有别的问题吗？"
    first, rest, last = cut(text)
    assert weight(first) <= 3 * FIRST
    assert rest.endswith("。")
    assert last == "还有别的问题吗？"


def test_numbers_are_not_torn() -> None:
    assert cut("It is 3.5 kg. Good.") == ["It is 3.5 kg.", " Good."]
    assert cut("现在的价格是1,299元，很划算的一款。")[0] == "现在的价格是1,299元，"


def test_a_text_without_punctuation_is_broken_somewhere() -> None:
    assert max(weight(clause) for clause in cut("word " * 200)) <= LONGEST + 2


# ---------------------------------------------------------------- language


def test_language_is_followed_but_not_for_a_borrowed_word() -> None:
    zh = Following("zh")
    assert zh.hear("OK").language == "zh"
    assert zh.hear("OK").hear("有 Aptamil 吗").other_turns == 0
    assert zh.hear("hello").hear("hello there").language == "en"
    assert zh.hear("do you have this in stock").language == "en"
    assert Following("en").hear("我要转人工客服谢谢").language == "zh"
    assert zh.hear("138").language == "zh"


def test_what_she_types_is_believed_at_once() -> None:
    assert Following("en").hear("几点关门").language == "en"
    assert Following("en").read("几点关门").language == "zh"
    assert Following("zh").read("are you open").language == "en"
    assert Following("zh").read("OK").language == "zh"
    assert Following("zh").read("有 Aptamil 吗").language == "zh"


# ---------------------------------------------------------------- waterfall


@given(st.floats(0, 100), st.dictionaries(st.sampled_from(PARTS), st.floats(0, 200)))
def test_parts_add_up_and_none_is_negative(ended: float, marks: dict[str, float]) -> None:
    note = waterfall(3, ended, marks)
    assert all(part >= 0 for part in note.parts_ms.values())
    assert sum(note.parts_ms.values()) == pytest.approx(note.response_ms)
    assert note.response_ms == pytest.approx(max(0.0, max(marks.values(), default=ended) - ended) * 1000, abs=1e-6)


# ---------------------------------------------------------------- echo


def voice(seconds: float, pitch: float, seed: int) -> np.ndarray:
    """Speech-like: harmonics with a wandering pitch and syllables."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * EAR_HZ)) / EAR_HZ
    wander = np.interp(
        t, np.arange(0, seconds + 0.1, 0.1), rng.uniform(0.85, 1.2, len(np.arange(0, seconds + 0.1, 0.1)))
    )
    phase = 2 * np.pi * np.cumsum(pitch * wander) / EAR_HZ
    sound = sum(np.sin(h * phase + rng.uniform(0, 6)) / h for h in range(1, 20))
    syllables = np.abs(np.sin(2 * np.pi * rng.uniform(2, 4) * t))
    return np.asarray(6000 * syllables * sound / np.abs(sound).max())


@pytest.mark.parametrize("delay", [0.04, 0.12, 0.35, 0.6])
@pytest.mark.parametrize("gain", [0.1, 0.03])
def test_our_own_voice_is_known_again(delay: float, gain: float) -> None:
    ours = voice(2.0, 180, 1)
    noise = np.random.default_rng(2).standard_normal(len(ours)) * 10
    heard = np.concatenate((np.zeros(round(delay * EAR_HZ)), ours))[: len(ours)] * gain + noise
    sent = ours[-EAR_HZ:].astype(np.int16)
    assert likeness(heard[-WINDOW:].astype(np.int16), sent) >= LIKENESS


@pytest.mark.parametrize("seed", range(5))
def test_her_voice_is_not_ours_even_over_an_echo(seed: int) -> None:
    ours, hers = voice(2.0, 180, 1), voice(2.0, 230, 10 + seed)
    echo = np.concatenate((np.zeros(1600), ours))[: len(ours)] * 0.1
    sent = ours[-EAR_HZ:].astype(np.int16)
    assert likeness((hers + echo)[-WINDOW:].astype(np.int16), sent) < LIKENESS


def test_silence_is_like_nothing() -> None:
    nothing, ours = np.zeros(WINDOW, np.int16), voice(1.0, 180, 1).astype(np.int16)
    assert likeness(nothing, ours) == 0
    assert likeness(ours[:WINDOW], np.zeros(EAR_HZ, np.int16)) == 0
    assert likeness(ours[:WINDOW], np.zeros(0, np.int16)) == 0


# ---------------------------------------------------------------- utterances


class Stream:
    """Partials take `slow`; the final fails, hangs, or comes."""

    def __init__(self, final: str | Exception | None = "好", slow: float = 0.0) -> None:
        self._final, self._slow = final, slow
        self.partials, self.closed, self.fed = 0, False, 0

    def feed(self, chunk: AudioChunk) -> None:
        self.fed += 1

    async def partial(self) -> Transcript | None:
        self.partials += 1
        await asyncio.sleep(self._slow)
        return None

    async def final(self) -> Transcript:
        if self._final is None:
            await asyncio.sleep(1e6)
        if isinstance(self._final, Exception):
            raise self._final
        return Transcript(str(self._final), final=True)

    def close(self) -> None:
        self.closed = True


class Engine:
    name = "one"

    def __init__(self, stream: Stream | None) -> None:
        self._stream = stream

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> Stream:
        if self._stream is None:
            raise EngineFailed("one", "full")
        return self._stream

    async def close(self) -> None:
        pass


async def utter(
    stream: Stream | None, speak: float, guess: bool = False
) -> tuple[list[Transcript | None], list[str], float]:
    """She speaks for `speak` seconds; (what was heard, failures, seconds the final took)."""
    heard, failures = list[Transcript | None](), list[str]()
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        utterances = Utterances(Engine(stream), tasks.create_task, lambda _, t: heard.append(t), failures.append)
        utterances.listen(1, (), "zh", ())
        await asyncio.sleep(speak)
        if guess:
            utterances.guess(1)
            await asyncio.sleep(0.01)
        began = loop.time()
        utterances.finalize(1)
    return heard, failures, loop.time() - began


def test_partials_are_paced_and_a_question_is_answered_even_with_nothing() -> None:
    stream = Stream()
    heard, failures, _ = virtual_time.run(utter(stream, 3.0, guess=True))
    assert stream.partials == pytest.approx(3.0 / PACE_S + 1, abs=1)
    assert heard == [None, Transcript("好", final=True)]
    assert not failures
    assert stream.closed


def test_a_partial_under_way_does_not_delay_the_final() -> None:
    _, _, took = virtual_time.run(utter(Stream(slow=5.0), 1.0))
    assert took < 0.01


def test_a_slow_engine_is_asked_less_often() -> None:
    stream = Stream(slow=0.5)
    virtual_time.run(utter(stream, 9.0))
    assert stream.partials <= 6


@pytest.mark.parametrize(("final", "code"), [(EngineFailed("whisper", "crashed"), "whisper"), (None, "timeout")])
def test_a_failing_or_hanging_engine_is_an_utterance_without_words(final: Exception | None, code: str) -> None:
    heard, failures, took = virtual_time.run(utter(Stream(final), 1.0))
    assert heard[-1] == Transcript("", final=True)
    assert failures == [code]
    assert took <= FINAL_S + 0.1


def test_an_engine_that_takes_no_more_is_an_utterance_without_words() -> None:
    heard, failures, _ = virtual_time.run(utter(None, 1.0))
    assert heard == [Transcript("", final=True)]
    assert failures == ["one"]


# ---------------------------------------------------------------- hearing


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_quick_word_comes_with_each_chunk_and_adds_no_time(loud: list[bool]) -> None:
    """20 ms chunks, frames of 32 ms: what the quick detector says of a beginning is never later than its chunk."""
    hearing = Hearing(LevelDetector(), LevelDetector(320), lambda: np.zeros(0, np.int16))
    seconds, voice, onset = 0.0, Voicing(), 0.0
    for n, sounds in enumerate(loud):
        heard = list(hearing.feed(AudioChunk(np.full(320, 8_000 * sounds, np.int16), EAR_HZ)))
        onset = onset + 0.02 if sounds else 0.0
        if BEGINS_S < onset <= BEGINNING_S:
            assert heard[-1].onset == pytest.approx(onset)
        for frame in heard:
            seconds += frame.seconds
            after = voice.hear(n * 0.02, frame.seconds, frame.speech)
            assert frame.seconds or after == voice
            voice = after
    assert seconds == pytest.approx(len(loud) * 320 // 512 * 0.032)
