"""A microphone into which espeak says something: silence, the words, silence for good. 48 kHz."""

import asyncio
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame

from media.audio import WIRE_HZ
from media.engines.espeak import EspeakSynthesizer
from media.ports import Voice

FRAME = WIRE_HZ // 50


async def recording(text: str, language: str = "en") -> np.ndarray:
    """48 kHz mono int16."""
    engine = EspeakSynthesizer()
    try:
        chunks = [speech.chunk async for speech in engine.speak(text, Voice(language=language))]
    finally:
        await engine.close()
    assert all(chunk.rate_hz == WIRE_HZ for chunk in chunks)
    return np.concatenate([chunk.samples for chunk in chunks])


class Spoken(MediaStreamTrack):
    kind = "audio"

    def __init__(self, pcm: np.ndarray, after_s: float = 3.0) -> None:
        super().__init__()
        self._pcm = np.concatenate([np.zeros(round(after_s * WIRE_HZ), np.int16), pcm])
        self._at = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(max(0.0, self._began + self._at / WIRE_HZ - loop.time()))
        part = self._pcm[self._at : self._at + FRAME]
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(np.pad(part, (0, FRAME - len(part))).astype(np.int16).tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self._at, WIRE_HZ, Fraction(1, WIRE_HZ)
        self._at += FRAME
        return frame
