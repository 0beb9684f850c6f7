"""Every private name of aiortc 1.16.0 and aioice 0.13.0 that Nestcall touches, but for DTLS (`media.handshake`).

Both are pinned exactly; tests/media/test_rtc_patches.py holds a contract test for each hook below.

- `install()`  STUN retries after 0.1 s instead of 0.5 (a TURN-only browser: 506 → 128 ms); DTLS as soon as the browser
  has chosen a pair; DTLS flights repeated; ports from a range; the time of the last datagram; telephone-event (RFC
  4733) in the codec list; a lower floor for VP8's bit rate.
- `tap_audio` / `tap_video`  received packets and frames as they were sent, on the loop, without a decoder thread.
- `on_keyframe_wanted` / `on_bitrate`  what the far end of a sender asks for, to be passed on to the source.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import aioice.ice
import aioice.stun
import aiortc.codecs
import aiortc.codecs.vpx
import aiortc.rtcicetransport
import aiortc.rtcpeerconnection
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, unpack_remb_fci

from media.handshake import DtlsTransport

RETRY_RTO_S = 0.1
CHECKED_S = 15.0
"""Our own check must have been answered by then: without consent (RFC 7675) nothing is sent for long."""
VIDEO_MIN_BITRATE = 50_000
VIDEO_BUFFER_PACKETS = 128
"""aiortc's 512 freeze for up to 5 s when a packet never comes; a key frame is asked for instead."""
TELEPHONE_EVENT = "audio/telephone-event"


@cache
def install() -> None:
    """Once per process, before the first peer connection."""
    rtcicetransport: Any = aiortc.rtcicetransport
    rtcpeerconnection: Any = aiortc.rtcpeerconnection
    aioice.stun.RETRY_RTO = RETRY_RTO_S
    aiortc.codecs.vpx.MIN_BITRATE = VIDEO_MIN_BITRATE
    rtcicetransport.Connection = IceConnection
    rtcpeerconnection.RTCDtlsTransport = DtlsTransport
    aiortc.codecs.CODECS["audio"].append(
        RTCRtpCodecParameters(mimeType=TELEPHONE_EVENT, clockRate=8000, channels=1, payloadType=101)
    )


# ---------------------------------------------------------------- ICE


class IceConnection(aioice.ice.Connection):
    """aioice's connection, with a port range, a sign of life, and no waiting for our own check where the browser's has
    chosen the pair: a lost packet of it would cost 100 ms and more.

    DTLS goes to whoever made that check with the password of our answer; nothing but handshake, and little of it, is
    sent before a round trip has shown that they are there. Our check goes on beside it, and a leg whose check fails
    is lost.
    """

    ports: range | None = None
    """UDP ports to bind; None takes any. Set for the whole process by `use_ports`."""
    heard_at: float = 0.0
    """Loop time of the last datagram of any kind (STUN, RTP, RTCP, DTLS)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._chosen = asyncio.Event()
        self._checking: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self._checking = asyncio.create_task(super().connect())
        chosen = asyncio.create_task(self._chosen.wait())
        await asyncio.wait({self._checking, chosen}, return_when=asyncio.FIRST_COMPLETED)
        chosen.cancel()
        if self._checking.done():
            self._checking.result()
            return
        self._checking.add_done_callback(self._checked)
        asyncio.get_running_loop().call_later(CHECKED_S, self._checking.cancel)

    def check_incoming(self, message: Any, addr: Any, protocol: Any) -> None:
        super().check_incoming(message, addr, protocol)
        pair = next(p for p in self._check_list if p.protocol is protocol and p.remote_addr == addr)
        if "USE-CANDIDATE" in message.attributes and not self.ice_controlling:
            self._nominated.setdefault(pair.component, pair)
            self._chosen.set()

    def _checked(self, checking: "asyncio.Task[None]") -> None:
        failed = checking.cancelled() or checking.exception()
        if failed and not self._closing:
            self._ending = asyncio.create_task(self.close())

    def data_received(self, data: bytes, component: int) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        super().data_received(data, component)

    def request_received(self, message: Any, addr: Any, protocol: Any) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        super().request_received(message, addr, protocol)

    async def get_component_candidates(self, component: int, addresses: list[str], timeout: int = 5) -> Any:
        if self.ports is None:
            return await super().get_component_candidates(component, addresses, timeout)
        found = [await self._bind(address, component) for address in addresses]
        self._protocols += [protocol for protocol in found if protocol]
        return [protocol.local_candidate for protocol in found if protocol]

    async def _bind(self, address: str, component: int) -> Any:
        """A socket on a free port of the range, or None when all are taken."""
        assert self.ports is not None
        loop = asyncio.get_running_loop()
        for port in random.sample(self.ports, len(self.ports)):
            try:
                _, protocol = await loop.create_datagram_endpoint(
                    lambda: aioice.ice.StunProtocol(self), local_addr=(address, port)
                )
            except OSError:
                continue
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", address),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=address,
                port=port,
                type="host",
            )
            return protocol
        return None


def use_ports(ports: range | None) -> None:
    IceConnection.ports = ports


def heard_at(pc: RTCPeerConnection) -> float:
    """Loop time of the last datagram from the other end, 0.0 before the first."""
    return max((t._connection.heard_at for t in _ice_transports(pc)), default=0.0)


def _ice_transports(pc: RTCPeerConnection) -> set[Any]:
    return {t.receiver.transport.transport for t in pc.getTransceivers()}


# ---------------------------------------------------------------- receiving


def _hidden(receiver: RTCRtpReceiver, name: str) -> Any:
    return getattr(receiver, f"_RTCRtpReceiver__{name}")


def _hide(receiver: RTCRtpReceiver, name: str, value: object) -> None:
    _hidden(receiver, name)  # gone in a newer aiortc: fail here, not in silence
    setattr(receiver, f"_RTCRtpReceiver__{name}", value)


class _ToSink:
    """Stands in for a receiver's jitter buffer: every packet goes to `sink`, none to the decoder."""

    def __init__(self, sink: Callable[[RtpPacket], None]) -> None:
        self._sink = sink

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        self._sink(packet)
        return False, None


class _ToFrames:
    """Stands in for a receiver's decoder queue: whole encoded frames go to `sink` on the loop thread; the decoder
    thread gets its end mark at once and lives no longer than its start."""

    def __init__(self, sink: Callable[[bytes, int], None]) -> None:
        self._sink = sink

    def put(self, item: tuple[Any, JitterFrame] | None) -> None:
        if item is not None:
            self._sink(item[1].data, item[1].timestamp)

    def get(self) -> None:
        return None


def tap_audio(receiver: RTCRtpReceiver, sink: Callable[[RtpPacket], None]) -> None:
    """In the `track` event. `sink` sees every RTP packet in order of arrival, undecoded."""
    _hide(receiver, "jitter_buffer", _ToSink(sink))
    _hide(receiver, "decoder_queue", _ToFrames(lambda *_: None))


def tap_video(receiver: RTCRtpReceiver, sink: Callable[[bytes, int], None]) -> None:
    """In the `track` event. `sink` sees every re-assembled VP8 frame and its 90 kHz timestamp, undecoded."""
    _hide(receiver, "jitter_buffer", JitterBuffer(capacity=VIDEO_BUFFER_PACKETS, is_video=True))
    _hide(receiver, "decoder_queue", _ToFrames(sink))


async def ask_keyframe(receiver: RTCRtpReceiver) -> None:
    """A PLI (RFC 4585) for each video stream that has been heard."""
    retransmissions = _hidden(receiver, "rtx_ssrc")
    for stream in list(_hidden(receiver, "remote_streams")):
        if stream not in retransmissions:
            await receiver._send_rtcp_pli(stream)


class _Capped:
    """A receiver's bandwidth estimator that never promises more than the far end of the bridge can take."""

    def __init__(self, estimator: Any) -> None:
        self._estimator, self.cap = estimator, 0

    def add(self, **packet: Any) -> Any:
        remb = self._estimator.add(**packet)
        return (min(remb[0], self.cap), remb[1]) if remb and self.cap else remb


def cap_bitrate(receiver: RTCRtpReceiver, bits_per_second: int) -> None:
    """What this receiver reports as REMB from now on is at most this; 0 lifts it."""
    estimator = _hidden(receiver, "remote_bitrate_estimator")
    if not isinstance(estimator, _Capped):
        estimator = _Capped(estimator)
        _hide(receiver, "remote_bitrate_estimator", estimator)
    estimator.cap = bits_per_second


# ---------------------------------------------------------------- sending


def on_keyframe_wanted(sender: RTCRtpSender, ask: Callable[[], None]) -> None:
    """`ask` is called for each PLI or FIR from the far end."""
    hooked: Any = sender
    hooked._send_keyframe = ask


def on_bitrate(sender: RTCRtpSender, tell: Callable[[int], None]) -> None:
    """`tell` is called with each REMB (bit/s) from the far end."""
    hooked: Any = sender
    handle = hooked._handle_rtcp_packet

    async def listen(packet: Any) -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            with suppress(ValueError):
                tell(unpack_remb_fci(packet.fci)[0])
        await handle(packet)

    hooked._handle_rtcp_packet = listen


def ask_for_fec(pc: RTCPeerConnection) -> None:
    """Between setRemoteDescription and createAnswer: our answer asks for Opus in-band FEC and mono."""
    for transceiver in pc.getTransceivers():
        for codec in transceiver._codecs:
            if codec.mimeType.lower() == "audio/opus":
                codec.parameters.update(minptime=10, useinbandfec=1)


def ssrc(sender: RTCRtpSender) -> int:
    value: int = sender._ssrc
    return value
