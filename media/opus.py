"""libopus itself (RFC 6716), through ctypes: concealment, in-band FEC and mono at any rate, which PyAV does not reach.

PyAV's wheel carries libopus as a shared library; the system's one is the second choice. A frame costs 18 µs to decode
and about 100 µs to encode, so both run inline on the event loop: no decoder thread, no executor hop.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np

from media.audio import EAR_HZ, WIRE_HZ, Samples
from media.errors import MediaError

SILENCE = b"\xf8\xff\xfe"
"""20 ms of Opus silence: what we send while nothing is said, without encoding it."""
FRAME_SAMPLES = WIRE_HZ // 50
_MAX_FRAME_S = 0.12
_MAX_PACKET = 1275
_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_FEC, _SET_LOSS = 4002, 4010, 4012, 4014


def _candidates() -> Iterator[str]:
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from sorted(str(path) for path in folder.glob("libopus*"))
    system = ctypes.util.find_library("opus")
    if system:
        yield system


@cache
def _library() -> ctypes.CDLL:
    for name in _candidates():
        try:
            return _typed(ctypes.CDLL(name))
        except (OSError, AttributeError):
            continue
    raise MediaError("no libopus: neither in PyAV's wheel nor on this system")


def _typed(lib: ctypes.CDLL) -> ctypes.CDLL:
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    lib.opus_decoder_create.restype = lib.opus_encoder_create.restype = pointer
    lib.opus_decoder_create.argtypes = [ctypes.c_int32, integer, pointer]
    lib.opus_encoder_create.argtypes = [ctypes.c_int32, integer, integer, pointer]
    lib.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]
    lib.opus_encode.argtypes = [pointer, pointer, integer, pointer, ctypes.c_int32]
    lib.opus_decoder_destroy.argtypes = lib.opus_encoder_destroy.argtypes = [pointer]
    return lib


def carries_fec(payload: bytes) -> bool:
    """Whether this packet holds a copy of the one before it (libopus 1.4 or newer; else False)."""
    has = getattr(_library(), "opus_packet_has_lbrr", None)
    return bool(has and payload and has(payload, len(payload)) == 1)


class OpusDecoder:
    """One stream. `rate_hz` is 8, 12, 16, 24 or 48 kHz: libopus resamples, so an ear needs no resampler of its own."""

    def __init__(self, rate_hz: int = EAR_HZ) -> None:
        self._lib = _library()
        self._rate = rate_hz
        self._state = self._lib.opus_decoder_create(rate_hz, 1, None)
        self._pcm = np.empty(round(rate_hz * _MAX_FRAME_S), np.int16)
        self._last = rate_hz // 50

    def decode(self, payload: bytes) -> Samples:
        """A packet's samples, shape [n] int16; concealed when libopus cannot read it."""
        pcm = self._run(payload, len(self._pcm), fec=0) if payload else None
        if pcm is None:
            return self.conceal()
        self._last = len(pcm) or self._last
        return pcm

    def recover(self, following: bytes) -> Samples:
        """The lost packet before `following`, from its in-band FEC where there is any, else concealed."""
        pcm = self._run(following, self._last, fec=1)
        return self.conceal() if pcm is None else pcm

    def conceal(self) -> Samples:
        """A lost packet, by libopus' own concealment: as long as the last one."""
        pcm = self._run(None, self._last, fec=0)
        return np.zeros(self._last, np.int16) if pcm is None else pcm

    def _run(self, payload: bytes | None, room: int, fec: int) -> Samples | None:
        size = len(payload) if payload else 0
        n = self._lib.opus_decode(self._state, payload, size, self._pcm.ctypes.data, room, fec)
        return self._pcm[:n].copy() if n >= 0 else None

    def __del__(self) -> None:
        if state := getattr(self, "_state", None):
            self._lib.opus_decoder_destroy(state)


class OpusEncoder:
    """48 kHz mono speech in 20 ms frames, with in-band FEC for the way down."""

    def __init__(self, bitrate: int = 32_000, *, expected_loss_percent: int = 10) -> None:
        self._lib = _library()
        self._state = self._lib.opus_encoder_create(WIRE_HZ, 1, _VOIP, None)
        self._packet = ctypes.create_string_buffer(_MAX_PACKET)
        for request, value in (
            (_SET_BITRATE, bitrate),
            (_SET_COMPLEXITY, 5),
            (_SET_FEC, 1),
            (_SET_LOSS, expected_loss_percent),
        ):
            self._lib.opus_encoder_ctl(ctypes.c_void_p(self._state), request, ctypes.c_int(value))

    def encode(self, pcm: Samples) -> bytes:
        """`pcm`: shape [960] int16. Returns one Opus packet."""
        pcm = np.ascontiguousarray(pcm, np.int16)
        n = self._lib.opus_encode(self._state, pcm.ctypes.data, len(pcm), self._packet, _MAX_PACKET)
        if n < 0:
            raise MediaError(f"libopus refused a frame of {len(pcm)} samples ({n})")
        return self._packet.raw[:n]

    def __del__(self) -> None:
        if state := getattr(self, "_state", None):
            self._lib.opus_encoder_destroy(state)
