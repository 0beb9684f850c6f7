"""What every engine must do, run against every engine that can run here: whole utterances, silence, 30 seconds, calls
at the same time, leaving at any moment, and going on after a crash.

Whisper is the real engine on a toy model, edge-tts and the OpenAI-style service are the real clients of local servers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks import noises
from gateway.engines_http import RemoteRecognizer, RemoteSynthesizer, SpeechService
from media.audio import EAR_HZ, WIRE_HZ, AudioChunk, dbfs, silence
from media.engines.edge import EdgeSynthesizer
from media.engines.espeak import EspeakSynthesizer
from media.engines.fake import LevelDetector, ScriptedRecognizer, SteadySynthesizer
from media.engines.fallback import SynthesizerLadder
from media.engines.fast_whisper import WhisperRecognizer
from media.engines.instant import InstantRecognizer
from media.engines.phrasebook import PhrasebookRecognizer
from media.engines.prerendered import Prerendered
from media.engines.silero import SileroDetector
from media.engines.tone import ToneSynthesizer
from media.engines.webrtc import WebRtcDetector
from media.errors import EngineFailed
from media.ports import Recognizer, RecognizerStream, Speech, Synthesizer, Voice, VoiceDetector
from tests.fakes.edge_server import edge_server
from tests.fakes.openai_server import openai_server
from tests.fakes.toy_whisper import write_toy_whisper

LINE = "where is my order"


@dataclass
class Rig:
    """`break_it(True)` makes the next answer fail, `break_it(False)` mends it; None: it cannot fail."""

    engine: Recognizer
    break_it: Callable[[bool], None] | None = None


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_whisper(tmp_path_factory.mktemp("models") / "toy", LINE)


@asynccontextmanager
async def recognizer(name: str, toy: Path) -> AsyncIterator[Rig]:
    async with _recognizer(name, toy) as rig:
        yield rig
        await rig.engine.close()


@asynccontextmanager
async def _recognizer(name: str, toy: Path) -> AsyncIterator[Rig]:
    match name:
        case "instant":
            yield Rig(InstantRecognizer(LINE))
        case "scripted":
            scripted = ScriptedRecognizer([LINE] * 20)
            yield Rig(scripted, lambda broken: setattr(scripted, "broken", broken))
        case "whisper":
            whisper = WhisperRecognizer(toy)
            yield Rig(whisper, _breaker(whisper.model, "transcribe"))
        case "phrasebook":
            book = PhrasebookRecognizer((LINE, "book an appointment", "opening hours", "营业时间"))
            yield Rig(book, _breaker(book.grammars["en"], "hear"))
        case _:
            async with openai_server() as server:
                server.text = LINE
                engine = RemoteRecognizer(SpeechService(server.url, "key"), "whisper-1")
                yield Rig(engine, lambda broken: setattr(server, "mode", "broken" if broken else "ok"))


def _breaker(owner: object, method: str) -> Callable[[bool], None]:
    """The worker's own function dies, as it would of a bad model or no memory."""
    works = getattr(owner, method)

    def crash(*_: object) -> None:
        raise RuntimeError("worker crashed")

    return lambda broken: setattr(owner, method, crash if broken else works)


RECOGNIZERS = pytest.mark.parametrize("name", ["instant", "scripted", "whisper", "phrasebook", "openai"])


@cache
def spoken_line() -> AudioChunk:
    return AudioChunk(noises.said(LINE, "en-us+f2", 150), EAR_HZ)


def feed(stream: RecognizerStream, audio: AudioChunk) -> None:
    """In frames of 20 ms, as the ear does."""
    for start in range(0, len(audio.samples), 320):
        stream.feed(AudioChunk(audio.samples[start : start + 320], EAR_HZ))


async def heard(engine: Recognizer) -> str:
    stream = engine.stream("en")
    feed(stream, spoken_line())
    transcript = await stream.final()
    stream.close()
    assert transcript.final
    assert transcript.language == "en"
    return transcript.text


@RECOGNIZERS
async def test_an_utterance_becomes_its_words(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        assert await heard(rig.engine) == LINE


@RECOGNIZERS
async def test_each_stream_begins_anew(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        left = rig.engine.stream("en")
        feed(left, spoken_line())
        left.close()
        assert await heard(rig.engine) == LINE
        assert await heard(rig.engine) == LINE


@RECOGNIZERS
async def test_nothing_fed_is_nothing_said(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        text = (await rig.engine.stream("en").final()).text
        assert text == (LINE if name in ("instant", "scripted") else "")


@RECOGNIZERS
@pytest.mark.parametrize("seconds", [0.02, 2.0, 31.0])
async def test_silence_of_any_length_is_answered(name: str, seconds: float, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        stream = rig.engine.stream("zh")
        feed(stream, silence(seconds, EAR_HZ))
        transcript = await stream.final()
        assert transcript.final
        if name == "phrasebook":  # the others here do not listen
            assert transcript.text == ""


@RECOGNIZERS
async def test_thirty_seconds_of_speech_are_answered(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        stream = rig.engine.stream("en")
        feed(stream, AudioChunk(np.resize(spoken_line().samples, 30 * EAR_HZ), EAR_HZ))
        assert (await stream.final()).final


@RECOGNIZERS
async def test_partials_come_only_of_what_was_fed(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        stream = rig.engine.stream("en")
        assert await stream.partial() is None
        feed(stream, spoken_line())
        guess = await stream.partial()
        assert guess is None or not guess.final
        assert await stream.partial() is None
        assert (await stream.final()).text == LINE


@RECOGNIZERS
async def test_calls_at_the_same_time_do_not_mix(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        assert await asyncio.gather(*(heard(rig.engine) for _ in range(6))) == [LINE] * 6


@RECOGNIZERS
async def test_leaving_at_any_moment_hurts_nobody(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        for yields in range(4):
            stream = rig.engine.stream("en")
            feed(stream, spoken_line())
            task = asyncio.create_task(stream.final())
            for _ in range(yields):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            stream.close()
            stream.close()
            stream.feed(silence(0.02, EAR_HZ))
        assert await heard(rig.engine) == LINE


@pytest.mark.parametrize("name", ["scripted", "whisper", "phrasebook", "openai"])
async def test_a_crash_is_engine_failed_and_the_next_utterance_works(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        assert rig.break_it
        rig.break_it(True)
        with pytest.raises(EngineFailed):
            await heard(rig.engine)
        rig.break_it(False)
        assert await heard(rig.engine) == LINE


@pytest.mark.parametrize("name", ["whisper", "phrasebook"])
async def test_a_closed_engine_says_so(name: str, toy: Path) -> None:
    async with recognizer(name, toy) as rig:
        await rig.engine.close()
        with pytest.raises(EngineFailed, match="closed"):
            await heard(rig.engine)


# ---------------------------------------------------------------- synthesizers


@dataclass
class Mouthpiece:
    engine: Synthesizer
    break_it: Callable[[bool], None] | None = None


@asynccontextmanager
async def synthesizer(name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mouthpiece]:
    async with _synthesizer(name, monkeypatch) as rig:
        yield rig
        await rig.engine.close()


@asynccontextmanager
async def _synthesizer(name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mouthpiece]:
    steady = SteadySynthesizer()
    match name:
        case "tone":
            yield Mouthpiece(ToneSynthesizer())
        case "steady":
            yield Mouthpiece(steady, lambda broken: setattr(steady, "broken", broken))
        case "espeak":
            espeak = EspeakSynthesizer()
            yield Mouthpiece(espeak, _breaker(espeak._process, "ask"))
        case "prerendered":
            yield Mouthpiece(Prerendered(steady), lambda broken: setattr(steady, "broken", broken))
        case "ladder":
            ladder = SynthesizerLadder([EdgeSynthesizer(), steady])
            async with edge_server(monkeypatch) as edge:
                edge.mode = "refuse"
                yield Mouthpiece(ladder, lambda broken: setattr(steady, "broken", broken))
        case "edge":
            async with edge_server(monkeypatch) as edge:
                yield Mouthpiece(EdgeSynthesizer(), lambda broken: setattr(edge, "mode", "half" if broken else "ok"))
        case _:
            async with openai_server() as server:
                engine = RemoteSynthesizer(SpeechService(server.url), "tts-1", "alloy")
                yield Mouthpiece(engine, lambda broken: setattr(server, "mode", "half" if broken else "ok"))


SYNTHESIZERS = pytest.mark.parametrize("name", ["tone", "steady", "espeak", "prerendered", "ladder", "edge", "openai"])
TEXTS = ("您好，请问宝宝几个月大了？", "3段 800g 现价 ¥298/罐，拨打 13800138000 😊", "好", "Aptamil 2段，37.5℃")


async def said(engine: Synthesizer, text: str) -> list[Speech]:
    pieces = [speech async for speech in engine.speak(text, Voice(reply=1))]
    assert {piece.chunk.rate_hz for piece in pieces} <= {WIRE_HZ}
    return pieces


def tiles(pieces: list[Speech], text: str) -> bool:
    return "".join(text[piece.start : piece.end] for piece in pieces) == text


@SYNTHESIZERS
@pytest.mark.parametrize("text", TEXTS)
async def test_spans_tile_the_shown_text(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with synthesizer(name, monkeypatch) as rig:
        pieces = await said(rig.engine, text)
        assert tiles(pieces, text)
        assert dbfs(np.concatenate([piece.chunk.samples for piece in pieces])) > -40


@SYNTHESIZERS
@pytest.mark.parametrize("text", ["", " ", "，。", "😊"])
async def test_nothing_to_say_is_no_failure(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with synthesizer(name, monkeypatch) as rig:
        assert all(piece.end <= len(text) for piece in await said(rig.engine, text))


@SYNTHESIZERS
async def test_a_long_text_is_said_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "宝宝六个月以后可以开始添加辅食，先从强化铁的米粉开始。" * 8
    async with synthesizer(name, monkeypatch) as rig:
        assert tiles(await said(rig.engine, text), text)


@SYNTHESIZERS
async def test_speaking_at_the_same_time_does_not_mix(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"您好，这是第{i}位" for i in range(6)]
    async with synthesizer(name, monkeypatch) as rig:
        spoken = await asyncio.gather(*(said(rig.engine, text) for text in texts))
        assert all(tiles(pieces, text) for pieces, text in zip(spoken, texts, strict=True))


@SYNTHESIZERS
async def test_interrupted_speech_leaves_nothing_behind(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with synthesizer(name, monkeypatch) as rig:
        before = asyncio.all_tasks()
        async with aclosing(rig.engine.speak(TEXTS[0], Voice())) as pieces:
            await anext(pieces)
        for yields in range(4):
            task = asyncio.create_task(said(rig.engine, TEXTS[0]))
            for _ in range(yields):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert tiles(await said(rig.engine, TEXTS[0]), TEXTS[0])
        ours = {task for task in asyncio.all_tasks() - before if "RequestHandler" not in str(task)}
        assert not ours


@pytest.mark.parametrize("name", ["steady", "espeak", "prerendered", "ladder", "edge", "openai"])
async def test_a_crash_is_engine_failed_and_the_next_sentence_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with synthesizer(name, monkeypatch) as rig:
        assert rig.break_it
        rig.break_it(True)
        with pytest.raises(EngineFailed):
            await said(rig.engine, TEXTS[0])
        rig.break_it(False)
        assert tiles(await said(rig.engine, TEXTS[0]), TEXTS[0])


# ---------------------------------------------------------------- detectors

DETECTORS = pytest.mark.parametrize("make", [SileroDetector, WebRtcDetector, LevelDetector])


def scores(detector: VoiceDetector, audio: AudioChunk) -> list[float]:
    size = detector.frame_samples
    frames = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    return [detector.is_speech(AudioChunk(frame, EAR_HZ)) for frame in frames]


@DETECTORS
def test_speech_is_told_from_silence(make: Callable[[], VoiceDetector]) -> None:
    assert np.mean(scores(make(), spoken_line())) > 0.5
    assert np.mean(scores(make(), silence(1.0, EAR_HZ))) < 0.05


@DETECTORS
def test_a_reset_detector_is_a_new_one(make: Callable[[], VoiceDetector]) -> None:
    detector = make()
    first = scores(detector, spoken_line())
    detector.reset()
    assert scores(detector, spoken_line()) == first


@DETECTORS
def test_detectors_of_two_calls_do_not_mix(make: Callable[[], VoiceDetector]) -> None:
    alone, mine, other = scores(make(), spoken_line()), make(), make()
    size = mine.frame_samples
    frames = spoken_line().samples[: len(alone) * size].reshape(-1, size)
    mixed = []
    for frame in frames:
        mixed.append(mine.is_speech(AudioChunk(frame, EAR_HZ)))
        other.is_speech(AudioChunk(np.zeros(size, np.int16), EAR_HZ))
    assert mixed == alone
