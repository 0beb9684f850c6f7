"""A plain aiortc caller that measures a voice server from outside: it speaks sentences and listens for tones.

The server greets with 1 s of 500 Hz and answers the k-th time with the k-th of 650, 800, 950 … Hz, so that what is
heard tells which reply it is. Times are taken when an RTP packet arrives, past the caller's own jitter buffer; a frame
of 20 ms at 48 kHz has 50 Hz a bin, and every tone falls on one.
"""

import asyncio
import fractions
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from aiortc import AudioStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from benchmarks import noises
from media.audio import EAR_HZ, WIRE_HZ, Samples
from media.engines.pcm import resampled

FRAME = WIRE_HZ // 50
GREETING, REPLIES = 500, (650, 800, 950, 1100, 1250)
PATIENCE_S = 12.0
FIRST, SECOND = "Where is my order today", "No no wait, I mean the other one"
Connect = Callable[[str], Awaitable[str]]
"""Offer SDP -> answer SDP."""


@dataclass(slots=True)
class Measured:
    """Milliseconds; None: it never came. `reply`: her last sound to the first of the answer. `barge_in`: her first
    sound over the answer to the answer's last; `after`: the same counted from the end of her sentence."""

    join: float | None = None
    reply: float | None = None
    barge_in: float | None = None
    after: float | None = None


def utterance(text: str) -> Samples:
    """espeak's English at WIRE_HZ, without silence at either end."""
    samples = noises.said(text, "en-us")
    loud = np.flatnonzero(np.abs(samples) > 500)
    return resampled(samples[loud[0] : loud[-1] + 1], EAR_HZ, WIRE_HZ)


class Lips(AudioStreamTrack):
    """20 ms frames in real time: silence, or what is to be said."""

    def __init__(self) -> None:
        super().__init__()
        self._rest: Samples = np.zeros(0, np.int16)
        self._began = self._frames = 0.0
        self.first = self.last = 0.0
        """When the first and the last frame of the utterance was sent."""
        self.done = asyncio.Event()

    def say(self, samples: Samples) -> None:
        self._rest, self.first = samples, 0.0
        self.done.clear()

    async def recv(self) -> av.AudioFrame:
        now = time.perf_counter()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._frames * 0.02 - now))
        piece = np.zeros(FRAME, np.int16)
        if len(self._rest):
            self._speak(piece)
        frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = WIRE_HZ, int(self._frames * FRAME)
        frame.time_base = fractions.Fraction(1, WIRE_HZ)
        self._frames += 1
        return frame

    def _speak(self, piece: Samples) -> None:
        said = self._rest[:FRAME]
        piece[: len(said)] = said
        self._rest = self._rest[FRAME:]
        self.first = self.first or time.perf_counter()
        if not len(self._rest):
            self.last = time.perf_counter()
            self.done.set()


@dataclass(slots=True)
class Ears:
    """The tone of each packet as it came: (seconds, Hz; 0 for silence or no tone)."""

    heard: list[tuple[float, int]] = field(default_factory=list)
    codec: Any = field(default_factory=lambda: av.CodecContext.create("opus", "r"))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def packet(self, payload: bytes) -> None:
        now = time.perf_counter()
        for frame in self.codec.decode(av.Packet(payload)):
            self.heard.append((now, tone(frame.to_ndarray().mean(axis=0).astype(np.float64))))
        self.news.set()

    async def until(self, wanted: Callable[[int], bool], since: float, calm: int = 1) -> float | None:
        """When the first of `calm` packets in a row whose tone is wanted came; None after PATIENCE_S."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (found := self._find(wanted, since, calm)) is None:
                    self.news.clear()
                    await self.news.wait()
                return found
        except TimeoutError:
            return None

    def _find(self, wanted: Callable[[int], bool], since: float, calm: int) -> float | None:
        run: list[float] = []
        for at, hz in self.heard:
            run = [*run, at] if at >= since and wanted(hz) else []
            if len(run) == calm:
                return run[0]
        return None


def tone(samples: np.ndarray) -> int:
    """Hz of the loudest bin of 50 Hz, or 0 below -45 dBFS. `samples`: any scale of s16 or float planar."""
    scale = 1.0 if np.abs(samples).max(initial=0) <= 2.0 else 32768.0
    spectrum = np.abs(np.fft.rfft(samples[:FRAME] / scale)) / (FRAME / 2)
    peak = int(spectrum.argmax())
    return peak * 50 if spectrum[peak] > 10 ** (-45 / 20) else 0


async def measure(connect: Connect, *, channel: bool = False) -> Measured:
    """One call: greeting, a question, an interruption of the answer, hang up. `channel`: fastrtc waits for one."""
    found = Measured()
    began = time.perf_counter()
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        lips, ears = Lips(), Ears()
        if channel:
            peer.createDataChannel("text")
        await _call(peer, lips, ears, connect)
        greeted = await ears.until(lambda hz: hz == GREETING, began)
        if greeted is None:
            return found
        found.join = 1000 * (greeted - began)
        await ears.until(lambda hz: hz == 0, greeted, calm=10)
        await _question(lips, ears, found)
        return found
    finally:
        await peer.close()


async def _question(lips: Lips, ears: Ears, found: Measured) -> None:
    await asyncio.sleep(0.5)
    lips.say(utterance(FIRST))
    await lips.done.wait()
    asked = lips.first
    answered = await ears.until(lambda hz: hz in REPLIES, asked)
    if answered is None:
        return
    found.reply = 1000 * (answered - lips.last)
    await asyncio.sleep(1.5)
    answer = ears.heard[-1][1]
    lips.say(utterance(SECOND))
    await lips.done.wait()
    silent = await ears.until(lambda hz: hz != answer, lips.first, calm=5)
    if silent is not None:
        found.barge_in, found.after = 1000 * (silent - lips.first), 1000 * (silent - lips.last)


async def _call(peer: RTCPeerConnection, lips: Lips, ears: Ears, connect: Connect) -> None:
    peer.addTrack(lips)
    receiver: RTCRtpReceiver = peer.getTransceivers()[0].receiver
    handle = receiver._handle_rtp_packet  # past aiortc's own jitter buffer: we want the arrival

    async def arrived(packet: Any, *rest: Any, **named: Any) -> None:
        if packet.payload:
            ears.packet(packet.payload)
        await handle(packet, *rest, **named)

    receiver._handle_rtp_packet = arrived  # type: ignore[method-assign]
    await peer.setLocalDescription(await peer.createOffer())
    answer = await connect(peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
