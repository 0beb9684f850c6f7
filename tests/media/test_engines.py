"""What only one engine does; what all must do is in test_engine_conformance.py."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from media.audio import EAR_HZ, WIRE_HZ, AudioChunk, dbfs, silence
from media.engines import EngineChoice, load
from media.engines.espeak import EspeakSynthesizer
from media.engines.fast_whisper import GUARD_S, WINDOW_S, Guess, WhisperModel, WhisperRecognizer
from media.engines.hearing import LONGEST_S, Utterance
from media.engines.silero import SileroDetector
from media.engines.tone import ToneSynthesizer
from media.engines.workers import Workers
from media.errors import EngineFailed
from media.ports import Language, Speech, Synthesizer, Voice
from tests.fakes.toy_whisper import write_toy_whisper


async def said(engine: Synthesizer, text: str, voice: Voice) -> list[Speech]:
    return [speech async for speech in engine.speak(text, voice)]


def pitch(pieces: list[Speech]) -> float:
    """Loudest frequency, Hz."""
    samples = np.concatenate([piece.chunk.samples for piece in pieces]).astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * WIRE_HZ / len(samples))


async def test_tone_tells_greeting_and_replies_apart() -> None:
    greeting = await said(ToneSynthesizer(), "您好", Voice())
    assert pitch(greeting) == 500
    assert sum(p.chunk.seconds for p in greeting) == pytest.approx(1.0)
    heard = []
    for k in range(1, 7):
        reply = await said(ToneSynthesizer(), "a reply", Voice(reply=k))
        assert sum(p.chunk.seconds for p in reply) == pytest.approx(8.0)
        heard.append(pitch(reply))
    assert heard == [650, 800, 950, 1100, 1250, 650]


async def test_instant_and_tone_are_chosen_by_settings() -> None:
    engines = load(EngineChoice(recognizer="instant", synthesizer="tone", instant_text="奶粉"))
    assert engines.names == {"recognizer": "instant", "synthesizer": "tone"}
    assert engines.recognizer
    assert (await engines.recognizer.stream("zh").final()).text == "奶粉"
    await engines.close()


async def test_silero_hears_speech_and_not_noise() -> None:
    espeak = EspeakSynthesizer()
    pieces = await said(espeak, "Hello, how old is your baby now?", Voice(language="en"))
    await espeak.close()
    speech = np.concatenate([p.chunk.samples for p in pieces])[::3]
    assert share(speech) > 0.5
    assert share(np.random.default_rng(0).normal(0, 3000, 2 * EAR_HZ).astype(np.int16)) < 0.05
    assert share(silence(2, EAR_HZ).samples) == 0


def share(samples: np.ndarray) -> float:
    detector = SileroDetector()
    frames = [samples[i : i + 512] for i in range(0, len(samples) - 511, 512)]
    return float(np.mean([detector.is_speech(AudioChunk(f, EAR_HZ)) > 0.5 for f in frames]))


async def test_espeak_spans_tile_the_given_text() -> None:
    text = "您好，请问宝宝几个月大了？"
    espeak = EspeakSynthesizer()
    pieces = await said(espeak, text, Voice())
    await espeak.close()
    assert "".join(text[p.start : p.end] for p in pieces) == text
    assert max(dbfs(p.chunk.samples) for p in pieces) > -30


# ---------------------------------------------------------------- Whisper's guard


async def hears(directory: Path, seconds: float) -> str:
    engine = WhisperRecognizer(directory)
    stream = engine.stream("zh")
    stream.feed(silence(seconds, EAR_HZ))
    text = (await stream.final()).text
    await engine.close()
    return text


class Scripted(WhisperModel):
    """The guard alone: `short` on the real length, `full` on 30 s."""

    def __init__(self, short: str, full: str) -> None:
        self._said, self.windows = {GUARD_S: short, WINDOW_S: full}, list[float]()

    def _features(self, audio: object, silence_s: float) -> float:
        self.windows.append(silence_s)
        return silence_s

    def _decode(self, features: float, language: Language, hotwords: tuple[str, ...]) -> Guess:
        return Guess(self._said[features], -0.2, 0.0)


@pytest.mark.parametrize(
    ("short", "full", "text", "windows"),
    [
        ("好的", "不该问", "好的", [GUARD_S]),
        ("谢谢" * 40, "好的", "好的", [GUARD_S, WINDOW_S]),
        ("谢谢" * 40, "谢谢" * 50, "", [GUARD_S, WINDOW_S]),
    ],
)
def test_a_loop_on_the_short_window_is_heard_again_on_the_full_one(
    short: str, full: str, text: str, windows: list[float]
) -> None:
    model = Scripted(short, full)
    assert model.transcribe(np.zeros(EAR_HZ, np.float32), "zh", ()).text == text
    assert model.windows == windows


async def test_an_ordinary_text_is_believed(tmp_path: Path) -> None:
    assert await hears(write_toy_whisper(tmp_path / "talks", "宝宝三个月"), 1.0) == "宝宝三个月"


@pytest.mark.parametrize(("text", "loops"), [("", False), ("你好你好", False), ("谢谢" * 30, True), ("no " * 60, True)])
def test_looping_is_told_by_how_well_it_compresses(text: str, loops: bool) -> None:
    assert Guess(text, -0.1, 0.0).repetitive is loops


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "speech"), [(0.9, -1.5, False), (0.9, -0.2, True), (0.1, -3.0, True)]
)
def test_silence_is_only_believed_when_the_text_is_unsure_too(
    no_speech: float, log_probability: float, speech: bool
) -> None:
    assert Guess("嗯", log_probability, no_speech).speech is speech


async def test_an_utterance_forgets_its_beginning_before_it_grows_without_bound() -> None:
    heard = Utterance()
    for i in range(130):
        heard.feed(AudioChunk(np.full(EAR_HZ, i, np.int16), EAR_HZ))
    assert heard.seconds <= LONGEST_S
    assert heard.samples()[-1] == 129
    heard.close()
    assert not len(heard.samples())


# ---------------------------------------------------------------- workers


async def test_a_job_too_many_is_refused_at_once() -> None:
    workers, gate = Workers("w", threads=1, waiting=1), threading.Event()
    running = [asyncio.create_task(workers.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not workers.idle
    with pytest.raises(EngineFailed, match="too busy"):
        await workers.run(gate.wait)
    gate.set()
    await asyncio.gather(*running)
    assert workers.idle
    assert await workers.run(lambda: 7) == 7
    workers.close()


async def test_a_job_whose_asker_left_before_it_began_never_runs() -> None:
    workers, gate, ran = Workers("w", threads=1, waiting=4), threading.Event(), list[int]()
    first = asyncio.create_task(workers.run(gate.wait))
    second = asyncio.create_task(workers.run(lambda: ran.append(1)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    gate.set()
    await first
    await workers.run(lambda: None)
    assert ran == []
    workers.close()
