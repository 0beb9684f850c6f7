"""A microphone into which espeak says something, after a second of silence, then silence for good."""

import asyncio
from collections.abc import Iterator

import numpy as np
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame

from media.audio import WIRE_HZ
from media.engines.espeak import EspeakSynthesizer
from media.ports import Voice


async def recording(text: str, language: str = "en") -> np.ndarray:
    """48 kHz mono int16."""
    engine = EspeakSynthesizer()
    try:
        chunks = [speech.chunk async for speech in engine.speak(text, Voice(language=language))]
    finally:
        await engine.close()
    assert all(chunk.rate_hz == WIRE_HZ for chunk in chunks)
    return np.concatenate([chunk.samples for chunk in chunks])


class Spoken(AudioStreamTrack):
    def __init__(self, text: str, after_s: float = 2.0) -> None:
        super().__init__()
        self._text, self._after = text, after_s
        self._frames: Iterator[np.ndarray] | None = None
        self._ready: asyncio.Task[np.ndarray] | None = None

    async def recv(self) -> AudioFrame:
        if self._ready is None:
            self._ready = asyncio.ensure_future(recording(self._text))
        frame = await super().recv()
        rate, n = frame.sample_rate, frame.samples
        pcm = np.zeros(n, np.int16)
        at = round((frame.pts / rate - self._after) * rate)
        if self._ready.done() and at >= 0:
            spoken = self._ready.result()[:: WIRE_HZ // rate]
            part = spoken[at : at + n]
            pcm[: len(part)] = part
        frame.planes[0].update(pcm.tobytes())
        return frame
