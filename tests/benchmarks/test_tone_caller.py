"""The measuring caller hears tones through Opus, and only tones."""

import fractions

import av
import numpy as np
import pytest

from benchmarks.tone_caller import FRAME, GREETING, REPLIES, Ears, tone, utterance
from media.audio import WIRE_HZ


@pytest.mark.parametrize("hz", [GREETING, *REPLIES])
def test_a_tone_is_heard_through_opus(hz: int) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = WIRE_HZ, "mono", "s16"
    encoder.time_base = fractions.Fraction(1, WIRE_HZ)
    wave = (9000 * np.sin(2 * np.pi * hz * np.arange(10 * FRAME) / WIRE_HZ)).astype(np.int16)
    ears = Ears()
    for i in range(10):
        frame = av.AudioFrame.from_ndarray(wave[None, i * FRAME : (i + 1) * FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = WIRE_HZ, i * FRAME
        for packet in encoder.encode(frame):
            ears.packet(bytes(packet))
    assert {heard for _, heard in ears.heard[2:]} == {hz}


def test_silence_and_hiss_are_no_tone() -> None:
    hiss = np.random.default_rng(0).normal(0, 10, FRAME)
    assert tone(np.zeros(FRAME)) == tone(hiss) == 0


async def test_waiting_finds_the_first_of_a_calm_run() -> None:
    ears = Ears(heard=[(0.0, 500), (1.0, 0), (2.0, 500), (3.0, 0), (4.0, 0), (5.0, 0)])
    assert await ears.until(lambda hz: hz == 0, since=0.5, calm=3) == 3.0
    assert await ears.until(lambda hz: hz == 500, since=0.5) == 2.0


def test_an_utterance_begins_and_ends_with_sound() -> None:
    speech = utterance("Where is my order today")
    assert 1.0 < len(speech) / WIRE_HZ < 2.5
    assert np.abs(speech[:480]).max() > 300
