"""Keys over RTP: each press once, whatever is lost, repeated or late."""

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from media.dtmf import KEYS, Keypad, TelephoneEvent, advance, parse, payload
from media.peer import Leg


def packets(key: str, timestamp: int, ticks: int = 160, count: int = 5) -> list[tuple[bytes, int]]:
    """As a phone sends them: `count` growing durations, the last three times with the end bit."""
    code = KEYS.index(key)
    growing = [TelephoneEvent(code, False, -10, ticks * (i + 1)) for i in range(count)]
    ends = [TelephoneEvent(code, True, -10, ticks * (count + 1))] * 3
    return [(payload(event), timestamp) for event in (*growing, *ends)]


def pressed(stream: list[tuple[bytes, int]], pad: Keypad | None = None) -> str:
    pad, keys = pad or Keypad(), ""
    for data, timestamp in stream:
        pad, key = advance(pad, data, timestamp)
        keys += key or ""
    return keys


def test_the_example_of_the_rfc() -> None:
    event = parse(bytes.fromhex("098a03e8"))
    assert event == TelephoneEvent(code=9, end=True, volume_db=-10, duration=1000)
    assert event.key == "9"
    assert payload(event) == bytes.fromhex("098a03e8")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x8a\x00", b"\x10\x8a\x03\xe8", b"\xff\xff\xff\xff"])
def test_what_is_no_key_is_nothing(data: bytes) -> None:
    assert pressed([(data, 1)]) == ""


def test_the_same_key_twice_is_two_presses() -> None:
    assert pressed(packets("1", 8_000) + packets("1", 16_000) + packets("#", 24_000)) == "11#"


@given(
    st.text(st.sampled_from(KEYS), max_size=12),
    st.integers(0, 2**32 - 1),
    st.lists(st.booleans(), min_size=8, max_size=8).filter(any),
    st.randoms(use_true_random=False),
)
def test_lost_and_shuffled_packets_change_nothing(keys: str, start: int, arrives: list[bool], random: object) -> None:
    stream: list[tuple[bytes, int]] = []
    for i, key in enumerate(keys):
        press = [
            packet for packet, there in zip(packets(key, (start + i * 4_000) % 2**32), arrives, strict=True) if there
        ]
        random.shuffle(press)  # type: ignore[attr-defined]
        stream += press
    assert pressed(stream) == keys


def test_a_packet_from_long_ago_presses_nothing() -> None:
    many = [packet for i in range(40) for packet in packets("5", 10_000 + i * 4_000)]
    assert pressed([*many, *packets("7", 10_000)]) == "5" * 40


async def test_a_leg_tells_each_press_once() -> None:
    leg, digits = Leg(), list[str]()
    leg.on_digit = digits.append
    leg._events = {101}
    for data, timestamp in (*packets("1", 100), *packets("#", 4_100), *packets("1", 100), *packets("A", 8_100)):
        packet = RtpPacket(payload_type=101, timestamp=timestamp)
        packet.payload = data
        leg._on_audio(packet)
    await leg.close()
    assert digits == ["1", "#"]
