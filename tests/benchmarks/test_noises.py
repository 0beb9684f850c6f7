"""The noise set is what it says: right length, repeatable, and judged by Silero as the measured facts say."""

import numpy as np
import pytest

from benchmarks import noises
from media.audio import EAR_HZ, AudioChunk, Samples, dbfs
from media.engines.silero import SileroDetector


def flagged(samples: Samples) -> float:
    """Share of 32 ms frames Silero takes for speech."""
    detector = SileroDetector()
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512)
    return float(np.mean([detector.is_speech(AudioChunk(f, EAR_HZ)) > 0.5 for f in frames]))


@pytest.mark.parametrize("name", noises.NOISES)
def test_noise_has_its_length_and_repeats(name: str) -> None:
    make = noises.NOISES[name]
    first, again, other = make(3.0, 1), make(3.0, 1), make(3.0, 2)
    assert len(first) == 3 * EAR_HZ
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert -32 < dbfs(first) < -15


@pytest.mark.parametrize("name", ["cry 300-600 Hz", "clatter", "music", "white noise"])
def test_silero_takes_no_noise_for_speech(name: str) -> None:
    assert flagged(noises.NOISES[name](10.0, 3)) < 0.05


def test_silero_hears_the_television() -> None:
    assert flagged(noises.television(10.0, 3)) > 0.5


@pytest.mark.parametrize("f0_hz", [(250.0, 350.0), (400.0, 600.0)])
def test_cry_keeps_its_pitch(f0_hz: tuple[float, float]) -> None:
    wave = noises.cry(6.0, 5, f0_hz).astype(float)
    spectrum = np.abs(np.fft.rfft(wave))
    hz = np.fft.rfftfreq(len(wave), 1 / EAR_HZ)
    below = spectrum[(hz > 80) & (hz < f0_hz[0] - 20)].sum()
    inside = spectrum[(hz >= f0_hz[0] - 20) & (hz <= f0_hz[1] + 20)].sum()
    assert inside > 5 * below


def test_mix_keeps_the_distance() -> None:
    speech, noise = noises.said("Hello there, how are you", "en-us"), noises.white(3.0)
    quiet, loud = noises.mixed(speech, noise, 20.0), noises.mixed(speech, noise, 0.0)
    pause = slice(0, 400)
    assert dbfs(loud[pause]) > dbfs(quiet[pause]) + 10


def test_echo_is_softer_and_later() -> None:
    speech = noises.said("Hello there", "en-us")
    back = noises.echo(speech, -20.0, 0.1)
    assert dbfs(back) == pytest.approx(dbfs(speech) - 20, abs=4)
    assert dbfs(back[: EAR_HZ // 20]) < -60
