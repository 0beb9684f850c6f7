"""Engines for tests: scripted, immediate, and broken on request. Virtual time: they only ever `asyncio.sleep`."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

import numpy as np

from media.audio import WIRE_HZ, AudioChunk, dbfs
from media.errors import EngineFailed
from media.ports import Language, Speech, Transcript, Voice


class LevelDetector:
    """Loud is speech."""

    def __init__(self, frame_samples: int = 512, threshold_dbfs: float = -40.0) -> None:
        self.frame_samples, self._threshold = frame_samples, threshold_dbfs

    def is_speech(self, chunk: AudioChunk) -> float:
        return float(dbfs(chunk.samples) > self._threshold)

    def reset(self) -> None:
        pass


class ScriptedStream:
    def __init__(self, engine: "ScriptedRecognizer", language: Language) -> None:
        self._engine, self._language = engine, language
        self._offered = 0
        self.seconds = 0.0
        self.closed = False

    def feed(self, chunk: AudioChunk) -> None:
        self.seconds += chunk.seconds

    async def partial(self) -> Transcript | None:
        """The first half of the next text, once, as soon as anything was fed."""
        if self._offered or not self.seconds:
            return None
        self._offered = 1
        text = self._engine.texts[0] if self._engine.texts else ""
        return Transcript(text[: len(text) // 2], final=False, language=self._language)

    async def final(self) -> Transcript:
        await asyncio.sleep(self._engine.delay)
        if self._engine.broken:
            raise EngineFailed(self._engine.name, "told to fail")
        text = self._engine.texts.pop(0) if self._engine.texts else ""
        return Transcript(text, final=True, language=self._language, confidence=1.0)

    def close(self) -> None:
        self.closed = True


class ScriptedRecognizer:
    """Says the given texts, one an utterance; then nothing."""

    name = "scripted"

    def __init__(self, texts: Iterable[str] = (), delay: float = 0.0) -> None:
        self.texts, self.delay = list(texts), delay
        self.broken = False
        self.streams: list[ScriptedStream] = []

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> ScriptedStream:
        self.streams.append(ScriptedStream(self, language))
        return self.streams[-1]

    async def close(self) -> None:
        pass


class SteadySynthesizer:
    """Each character lasts `per_character` seconds of a quiet buzz; the first comes after `delay`."""

    name = "steady"

    def __init__(self, per_character: float = 0.2, delay: float = 0.0) -> None:
        self.delay, self.broken = delay, False
        self.spoken: list[str] = []
        size = round(per_character * WIRE_HZ)
        self._chunk = AudioChunk((np.arange(size) % 100 * 20).astype(np.int16), WIRE_HZ)

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        self.spoken.append(text)
        await asyncio.sleep(self.delay)
        if self.broken:
            raise EngineFailed(self.name, "told to fail")
        for i in range(len(text)):
            yield Speech(self._chunk, i, i + 1)

    async def close(self) -> None:
        pass
