"""PURE: is what she "says" our own voice, come back through her loudspeaker?

We know what we sent, so it needs no adaptive filter: the ear's last quarter of a second is compared with every place in
our last second (normalised cross-correlation, pre-emphasised, 8 kHz). Our echo alone correlates above 0.9 (benchmarks/
interruptions.py); her voice, or hers over an echo, below 0.3.
"""

import numpy as np
from numpy.typing import NDArray

from media.audio import EAR_HZ, Samples

WINDOW = EAR_HZ // 4
"""Samples of the ear that are compared; `sent` should be longer by the longest delay to be found."""
LIKENESS = 0.6
"""Above this it is our echo."""
_FLOOR = 1e-9

Wave = NDArray[np.float32]


def likeness(heard: Samples, sent: Samples) -> float:
    """Highest correlation 0..1 of `heard` (16 kHz, shape [WINDOW]) with any stretch of `sent` (16 kHz, longer)."""
    if len(sent) <= len(heard) or not sent.any():
        return 0.0
    ear, ours = _whitened(heard), _whitened(sent)
    size = len(ours)  # what wraps around falls on lags that are not looked at
    product = np.fft.irfft(np.fft.rfft(ours) * np.conj(np.fft.rfft(ear, size)), size)
    lags = len(ours) - len(ear) + 1
    energy = np.concatenate(([0.0], np.cumsum(ours * ours, dtype=np.float64)))
    there = energy[len(ear) :] - energy[: -len(ear)]
    scale = np.sqrt(np.maximum(there[:lags], _FLOOR * energy[-1]) * float(ear @ ear))
    loud = there[:lags] > 0.01 * energy[-1] * len(ear) / len(ours)
    likenesses = np.where(loud, np.abs(product[:lags]) / np.maximum(scale, _FLOOR), 0.0)
    return float(likenesses.max(initial=0.0))


def _whitened(samples: Samples) -> Wave:
    """Half the rate, and the strong low tones taken down, so that a shared pitch is not yet a likeness."""
    wave = samples[: len(samples) // 2 * 2].astype(np.float32)
    halved = (wave[0::2] + wave[1::2]) * np.float32(0.5)
    return np.asarray(np.diff(halved, prepend=halved[:1]), dtype=np.float32)
