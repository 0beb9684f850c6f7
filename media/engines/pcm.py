"""Rates and layouts: everything to s16 mono at the rate asked for."""

import av
import numpy as np

from media.audio import Samples


class Resampler:
    """A stream of s16 mono from one rate to another (libswresample)."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._swr = av.AudioResampler("s16", "mono", to_hz)

    def feed(self, samples: Samples) -> Samples:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._from_hz
        return joined(self._swr.resample(frame))

    def flush(self) -> Samples:
        return joined(self._swr.resample(None))


def joined(frames: list[av.AudioFrame]) -> Samples:
    """Mono s16 frames as one array, shape [n]."""
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The whole of it at once, shape [n * to_hz / from_hz]."""
    if from_hz == to_hz or not len(samples):
        return samples
    stream = Resampler(from_hz, to_hz)
    return np.concatenate((stream.feed(samples), stream.flush()))
