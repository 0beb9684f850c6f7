"""From her chunks of 20 ms to frames the turn machine can use, and the half second before a turn was noticed."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from media.audio import EAR_HZ, AudioChunk, Samples, dbfs
from media.echo import LIKENESS, WINDOW, likeness
from media.ports import VoiceDetector
from media.voicing import OFF, ON

PREROLL_CHUNKS = 30
"""0.6 s: longer than the machine takes to notice a turn, so that no first syllable is lost."""
BEGINS_S, BEGINNING_S = 0.03, 0.2
"""A beginning is told of at its own 20 ms between these: shorter may be a click, later it is no beginning."""
SILENT_DBFS = -120.0
LOUD_DBFS = -45.0
"""Softer than this is no onset, whatever the quick detector thinks."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of the detector: how probably it is speech of somebody else's than ours, and for how many seconds the
    quick detector has been calling it speech. `level`: dBFS. `seconds` 0: only the quick one has news."""

    seconds: float
    speech: float
    onset: float
    level: float = SILENT_DBFS


class Hearing:
    """State of one call. Everything runs inline: 0.1 ms a frame, 1 ms more where it might be our echo.

    `sent`: the last second of what we sent, 16 kHz.
    """

    def __init__(self, detector: VoiceDetector, quick: VoiceDetector, sent: Callable[[], Samples]) -> None:
        self._detector, self._quick, self._sent = detector, quick, sent
        self._rest = np.zeros(0, np.int16)
        self._window = np.zeros(WINDOW, np.int16)
        self._onset = 0.0
        self.preroll: deque[AudioChunk] = deque(maxlen=PREROLL_CHUNKS)

    def feed(self, chunk: AudioChunk) -> Iterator[Heard]:
        """`chunk`: 20 ms, what the quick detector takes. Yields whole frames of the detector; while somebody begins,
        also the quick detector's word in between, which is up to 32 ms earlier."""
        self.preroll.append(chunk)
        loud = dbfs(chunk.samples) > LOUD_DBFS
        self._onset = self._onset + chunk.seconds if loud and self._quick.is_speech(chunk) >= ON else 0.0
        self._rest = np.concatenate((self._rest, chunk.samples))
        size = self._detector.frame_samples
        if len(self._rest) < size and BEGINS_S < self._onset <= BEGINNING_S:
            yield self._foreign(0.0, 0.0, SILENT_DBFS)
        while len(self._rest) >= size:
            frame, self._rest = AudioChunk(self._rest[:size], EAR_HZ), self._rest[size:]
            self._window = np.concatenate((self._window[size:], frame.samples))
            yield self._foreign(frame.seconds, self._detector.is_speech(frame), dbfs(frame.samples))

    def _foreign(self, seconds: float, speech: float, level: float) -> Heard:
        suspect = speech >= OFF or self._onset > 0
        if suspect and likeness(self._window, self._sent()) >= LIKENESS:
            return Heard(seconds, 0.0, 0.0, level)
        return Heard(seconds, speech, self._onset, level)
