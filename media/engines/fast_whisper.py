"""faster-whisper used for speed: the encoder runs on the real length of the utterance instead of 30 s of padding.

Whisper was trained on windows of 30 s; with shorter ones it may loop. The guard: at least 128 positions (2.56 s) of
silence behind the speech, and a text that compresses too well is decoded again on the full window. Temperature 0 and
one pass; the language is given (guessing it costs a second encoding). Feature frames are 10 ms, positions 20 ms.
"""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.audio import EAR_HZ, AudioChunk
from media.engines.hearing import Utterance
from media.engines.workers import Workers
from media.errors import EngineFailed
from media.ports import Language, Transcript

WINDOW_S, GUARD_S = 30.0, 2.56
WINDOW_FRAMES = 3000
TOO_REPETITIVE = 2.4
NO_SPEECH, TOO_UNSURE = 0.6, -1.0
"""Whisper's own thresholds: probability of no speech, average log probability."""
NEW_S = 0.5
"""A partial is worth its price when this much was added."""
THREADS = 2


@dataclass(frozen=True, slots=True)
class Guess:
    """What one window says. `log_probability` is the average per token."""

    text: str
    log_probability: float
    no_speech: float

    @property
    def repetitive(self) -> bool:
        raw = self.text.encode()
        return len(raw) > 0 and len(raw) / len(zlib.compress(raw)) > TOO_REPETITIVE

    @property
    def speech(self) -> bool:
        return not (self.no_speech > NO_SPEECH and self.log_probability < TOO_UNSURE)


class WhisperModel:
    """Blocking; used from worker threads. CTranslate2 lets THREADS of them decode at once, one core each."""

    def __init__(self, directory: Path) -> None:
        import faster_whisper

        try:
            self._whisper = faster_whisper.WhisperModel(
                str(directory), device="cpu", compute_type="int8", cpu_threads=1, num_workers=THREADS
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineFailed("whisper", f"{directory}: {error}", retryable=False) from error

    def transcribe(self, audio: NDArray[np.float32], language: Language, hotwords: tuple[str, ...]) -> Transcript:
        guesses = [self._window(window, language, hotwords) for window in _windows(audio)]
        spoken = [guess for guess in guesses if guess.speech and guess.text]
        text = ("" if language == "zh" else " ").join(guess.text for guess in spoken)
        sure = min((guess.log_probability for guess in spoken), default=0.0)
        return Transcript(text, final=True, language=language, confidence=math.exp(min(sure, 0.0)))

    def _window(self, audio: NDArray[np.float32], language: Language, hotwords: tuple[str, ...]) -> Guess:
        guess = self._decode(self._features(audio, GUARD_S), language, hotwords)
        if guess.repetitive:
            full = self._decode(self._features(audio, WINDOW_S), language, hotwords)
            return full if not full.repetitive else Guess("", full.log_probability, 1.0)
        return guess

    def _features(self, audio: NDArray[np.float32], silence_s: float) -> Any:
        """Log-mel frames, shape [mels, frames], `silence_s` longer than the speech and never above the window."""
        padded = np.pad(audio, (0, round(silence_s * EAR_HZ)))
        return self._whisper.feature_extractor(padded)[:, :WINDOW_FRAMES]

    def _decode(self, features: Any, language: Language, hotwords: tuple[str, ...]) -> Guess:
        from faster_whisper.tokenizer import Tokenizer

        whisper = self._whisper
        tokenizer = Tokenizer(whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language)
        prompt = whisper.get_prompt(tokenizer, [], without_timestamps=True, hotwords=", ".join(hotwords) or None)
        seconds = features.shape[-1] / 100
        result = whisper.model.generate(
            whisper.encode(features),
            [prompt],
            beam_size=1,
            max_length=min(len(prompt) + 2 * round(30 + 10 * seconds), whisper.max_length),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
        )[0]
        tokens = result.sequences_ids[0]
        average = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return Guess(tokenizer.decode(tokens).strip(), average, result.no_speech_prob)


def _windows(audio: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    size = round(WINDOW_S * EAR_HZ)
    for start in range(0, len(audio), size):
        if len(audio) - start >= EAR_HZ // 10 or not start:
            yield audio[start : start + size]


class WhisperStream:
    def __init__(self, engine: "WhisperRecognizer", language: Language, hotwords: tuple[str, ...]) -> None:
        self._engine, self._language, self._hotwords = engine, language, hotwords
        self._heard = Utterance()
        self._seen_s = 0.0

    def feed(self, chunk: AudioChunk) -> None:
        self._heard.feed(chunk)

    async def partial(self) -> Transcript | None:
        """Only when a thread is free: a guess must not delay somebody's final."""
        if self._heard.seconds - self._seen_s < NEW_S or not self._engine.workers.idle:
            return None
        self._seen_s = self._heard.seconds
        guess = await self._transcribe()
        return Transcript(guess.text, False, self._language, guess.confidence)

    async def final(self) -> Transcript:
        if not self._heard.seconds:
            return Transcript("", final=True, language=self._language)
        return await self._transcribe()

    async def _transcribe(self) -> Transcript:
        audio = self._heard.floats()
        return await self._engine.workers.run(self._engine.model.transcribe, audio, self._language, self._hotwords)

    def close(self) -> None:
        self._heard.close()


class WhisperRecognizer:
    def __init__(self, directory: Path) -> None:
        self.name = f"whisper {directory.name}"
        self.model = WhisperModel(directory)
        self.workers = Workers("whisper", threads=THREADS)

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> WhisperStream:
        return WhisperStream(self, language, hotwords)

    async def close(self) -> None:
        self.workers.close()
