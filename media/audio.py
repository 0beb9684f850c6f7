"""PURE: mono 16-bit audio as values. Times are audio seconds (samples / rate), never a clock."""

from dataclasses import dataclass

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
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    return max(-120.0, 20.0 * float(np.log10(rms / 32768.0))) if rms > 0 else -120.0
