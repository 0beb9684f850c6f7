"""What only one engine does; what all must do is in test_engine_conformance.py."""

import numpy as np
import pytest

from media.audio import EAR_HZ, WIRE_HZ, AudioChunk, dbfs, silence
from media.engines import EngineChoice, load
from media.engines.espeak import EspeakSynthesizer
from media.engines.silero import SileroDetector
from media.engines.tone import ToneSynthesizer
from media.ports import Speech, Synthesizer, Voice


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
