"""What was fed of an utterance, bounded, for recognizers that want it whole."""

import numpy as np
from numpy.typing import NDArray

from media.audio import EAR_HZ, AudioChunk, Samples

LONGEST_S = 120.0
"""Overflow: the oldest is forgotten; nobody's answer depends on what was said two minutes ago."""


class Utterance:
    """16 kHz mono, as fed."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []
        self._size = 0

    @property
    def seconds(self) -> float:
        return self._size / EAR_HZ

    def feed(self, chunk: AudioChunk) -> None:
        self._parts.append(chunk.samples)
        self._size += len(chunk.samples)
        while self.seconds > LONGEST_S:
            self._size -= len(self._parts.pop(0))

    def samples(self) -> Samples:
        """Shape [n]."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)

    def floats(self) -> NDArray[np.float32]:
        """Shape [n], -1..1."""
        return self.samples().astype(np.float32) / 32768.0

    def close(self) -> None:
        self._parts, self._size = [], 0
