"""libopus through ctypes: what goes in comes out, and a lost packet is filled in."""

import numpy as np

from media.opus import SILENCE, OpusDecoder, OpusEncoder


def _tone(n: int, rate: int = 48_000, hz: float = 440.0) -> np.ndarray:
    return (np.sin(np.arange(n * rate // 50) * 2 * np.pi * hz / rate) * 9_000).astype(np.int16)


def _packets(n: int) -> list[bytes]:
    encoder = OpusEncoder(expected_loss_percent=20)
    pcm = _tone(n)
    return [encoder.encode(pcm[i * 960 : (i + 1) * 960]) for i in range(n)]


def test_a_tone_survives_at_the_ears_rate() -> None:
    decoder = OpusDecoder(16_000)
    pcm = np.concatenate([decoder.decode(packet) for packet in _packets(25)])
    assert pcm.shape == (25 * 320,)
    spectrum = np.abs(np.fft.rfft(pcm[-4000:]))
    assert abs(np.argmax(spectrum) * 16_000 / 4000 - 440) < 5


def test_a_lost_packet_is_filled_with_sound_of_its_length() -> None:
    decoder = OpusDecoder(16_000)
    packets = _packets(20)
    for packet in packets[:10]:
        decoder.decode(packet)
    recovered = decoder.recover(packets[11])
    assert recovered.shape == (320,)
    assert np.abs(recovered).max() > 2_000
    assert decoder.conceal().shape == (320,)


def test_garbage_is_concealed_not_raised() -> None:
    decoder = OpusDecoder()
    for packet in _packets(3):
        decoder.decode(packet)
    assert len(decoder.decode(b"")) == 320
    assert len(decoder.decode(b"\x03\xff" * 600)) > 0


def test_the_silent_frame_is_silence() -> None:
    assert not OpusDecoder().decode(SILENCE).any()
