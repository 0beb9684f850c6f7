"""From her chunks of 20 ms to frames the turn machine can use, and the half second before a turn was noticed."""

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from media.audio import EAR_HZ, AudioChunk, Samples
from media.echo import LIKENESS, WINDOW, likeness
from media.ports import VoiceDetector
from media.voicing import OFF

PREROLL_CHUNKS = 30
"""0.6 s: longer than the machine takes to notice a turn, so that no first syllable is lost."""


class Hearing:
    """State of one call. Detector and comparison run inline: 0.1 ms a frame, 1 ms where it might be our echo.

    `sent`: the last second of what we sent, 16 kHz.
    """

    def __init__(self, detector: VoiceDetector, sent: Callable[[], Samples]) -> None:
        self._detector, self._sent = detector, sent
        self._rest = np.zeros(0, np.int16)
        self._window = np.zeros(WINDOW, np.int16)
        self.preroll: deque[AudioChunk] = deque(maxlen=PREROLL_CHUNKS)

    def feed(self, chunk: AudioChunk) -> Iterator[tuple[AudioChunk, float]]:
        """Whole detector frames, and how probably they are speech of somebody else's than ours."""
        self.preroll.append(chunk)
        self._rest = np.concatenate((self._rest, chunk.samples))
        size = self._detector.frame_samples
        while len(self._rest) >= size:
            frame, self._rest = AudioChunk(self._rest[:size], EAR_HZ), self._rest[size:]
            self._window = np.concatenate((self._window[size:], frame.samples))
            yield frame, self._foreign(self._detector.is_speech(frame))

    def _foreign(self, speech: float) -> float:
        ours = speech >= OFF and likeness(self._window, self._sent()) >= LIKENESS
        return 0.0 if ours else speech
