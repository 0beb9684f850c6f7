"""Benchmark synthesizer: replies a measuring client can tell apart by their pitch.

The greeting is 1 s of 500 Hz; the k-th reply is 8 s of the k-th of 650, 800, 950, 1100 and 1250 Hz, repeating.
"""

from collections.abc import AsyncGenerator

import numpy as np

from media.audio import WIRE_HZ, AudioChunk
from media.ports import Speech, Voice

GREETING_HZ, GREETING_S = 500, 1.0
REPLY_HZ, REPLY_S = (650, 800, 950, 1100, 1250), 8.0
BLOCK_S = 0.1
"""Every pitch has whole periods in a block, so blocks join without a click."""
LEVEL = 0.3 * 32767


def _block(hz: int) -> AudioChunk:
    seconds = np.arange(round(WIRE_HZ * BLOCK_S)) / WIRE_HZ
    return AudioChunk((LEVEL * np.sin(2 * np.pi * hz * seconds)).astype(np.int16), WIRE_HZ)


class ToneSynthesizer:
    name = "tone"

    def __init__(self) -> None:
        self._greeting = _block(GREETING_HZ)
        self._replies = tuple(_block(hz) for hz in REPLY_HZ)

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        if not text:
            return
        greeting = voice.reply <= 0
        block = self._greeting if greeting else self._replies[(voice.reply - 1) % len(self._replies)]
        count = round((GREETING_S if greeting else REPLY_S) / BLOCK_S)
        for i in range(count):
            yield Speech(block, len(text) * i // count, len(text) * (i + 1) // count)

    async def close(self) -> None:
        pass
