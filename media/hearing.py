"""From her chunks of 20 ms to frames the turn machine can use, and the half second before a turn was noticed."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from media.audio import EAR_HZ, AudioChunk
from media.ports import VoiceDetector

PREROLL_CHUNKS = 30
"""0.6 s: longer than the machine takes to notice a turn, so that no first syllable is lost."""


class Hearing:
    """State of one call. The detector runs inline: 0.1 ms a frame."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector
        self._rest = np.zeros(0, np.int16)
        self.preroll: deque[AudioChunk] = deque(maxlen=PREROLL_CHUNKS)

    def feed(self, chunk: AudioChunk) -> Iterator[tuple[AudioChunk, float]]:
        """Whole detector frames and their probability of being speech."""
        self.preroll.append(chunk)
        self._rest = np.concatenate((self._rest, chunk.samples))
        size = self._detector.frame_samples
        while len(self._rest) >= size:
            frame, self._rest = AudioChunk(self._rest[:size], EAR_HZ), self._rest[size:]
            yield frame, self._detector.is_speech(frame)
