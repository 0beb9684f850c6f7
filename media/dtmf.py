"""PURE: telephone keys in RTP (RFC 4733, telephone-event), from payloads to key presses.

A press is sent as many packets with the same RTP timestamp and a growing duration, the last one three times with the
end bit; any of them may be lost or come late. A key is told once, at its first packet, so that a menu answers while
the finger is still down; and once more never, whatever is repeated.
"""

from dataclasses import dataclass, replace

KEYS = "0123456789*#ABCD"
"""Event codes 0..15; others (flash, tones) are no keys."""
REMEMBERED = 16
"""Presses whose late packets are still recognised."""
HALF = 1 << 31


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """One payload. `volume_db` is 0..-63 dBm0; `duration` counts RTP clock ticks since the press began."""

    code: int
    end: bool
    volume_db: int
    duration: int

    @property
    def key(self) -> str | None:
        return KEYS[self.code] if self.code < len(KEYS) else None


def parse(payload: bytes) -> TelephoneEvent | None:
    """None for anything that is no event of 4 bytes (section 2.3); further events in one packet are ignored."""
    if len(payload) < 4:
        return None
    return TelephoneEvent(
        payload[0], bool(payload[1] & 0x80), -(payload[1] & 0x3F), int.from_bytes(payload[2:4], "big")
    )


def payload(event: TelephoneEvent) -> bytes:
    """The way back, for clients and tests."""
    return bytes((event.code, (0x80 if event.end else 0) | -event.volume_db)) + event.duration.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Keypad:
    """What has been pressed: RTP timestamps of the last presses, newest last."""

    seen: tuple[int, ...] = ()


def advance(pad: Keypad, payload: bytes, timestamp: int) -> tuple[Keypad, str | None]:
    """`timestamp`: of the RTP packet, 32 bits, the same for all packets of a press. Gives the key of a new press."""
    event = parse(payload)
    if event is None or event.key is None or timestamp in pad.seen or _older(timestamp, pad):
        return pad, None
    return replace(pad, seen=(*pad.seen, timestamp)[-REMEMBERED:]), event.key


def _older(timestamp: int, pad: Keypad) -> bool:
    """From before everything remembered (wrap-around counts, RFC 3550): a packet that was very late."""
    return len(pad.seen) == REMEMBERED and 0 < (pad.seen[0] - timestamp) % (2 * HALF) < HALF
