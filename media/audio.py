"""PURE: mono 16-bit audio as values. Times are audio seconds (samples / rate), never a clock."""

from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

EAR_HZ = 16_000
"""What detectors and recognizers hear."""
WIRE_HZ = 48_000
"""What Opus and the playout speak."""
FRAME_MS = 20


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """`samples`: shape [n], int16, mono. `rate_hz`: samples a second."""

    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


def silence(seconds: float, rate_hz: int) -> AudioChunk:
    return AudioChunk(np.zeros(round(seconds * rate_hz), np.int16), rate_hz)


def dbfs(samples: Samples) -> float:
    """RMS level in dB relative to full scale; -120 for silence or nothing."""
    if not len(samples):
        return -120.0
    wave = samples.astype(np.float32)
    power = float(wave @ wave) / len(wave)  # a dot product: a quarter of the time of a mean of squares
    return max(-120.0, 10.0 * log10(power / 32768.0**2)) if power > 0 else -120.0
