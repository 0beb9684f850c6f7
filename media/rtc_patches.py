"""Every private name of aiortc 1.16.0 and aioice 0.13.0 that Nestcall touches. Nothing else in the house does.

Both are pinned exactly; tests/media/test_rtc_patches.py holds a contract test for each hook below.

- `install()`  STUN retries after 0.1 s instead of 0.5 (a TURN-only browser: 506 → 128 ms); our last DTLS flight sent
  again every 80 ms until the handshake is done (OpenSSL's timer starts at 1 s); ports from a range; the time of the
  last datagram; telephone-event (RFC 4733) in the codec list; a lower floor for VP8's bit rate.
- `be_dtls_server`  saves one round trip at the answer.
- `tap_audio` / `tap_video`  received packets and frames as they were sent, on the loop, without a decoder thread.
- `on_keyframe_wanted` / `on_bitrate`  what the far end of a sender asks for, to be passed on to the source.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from typing import Any

import aioice.ice
import aioice.stun
import aiortc.codecs
import aiortc.codecs.vpx
import aiortc.rtcicetransport
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, unpack_remb_fci

RETRY_RTO_S = 0.1
FLIGHT_REPLAY_S = 0.08
VIDEO_MIN_BITRATE = 50_000
VIDEO_BUFFER_PACKETS = 128
"""aiortc's 512 freeze for up to 5 s when a packet never comes; a key frame is asked for instead."""
TELEPHONE_EVENT = "audio/telephone-event"


@cache
def install() -> None:
    """Once per process, before the first peer connection."""
    rtcicetransport: Any = aiortc.rtcicetransport
    aioice.stun.RETRY_RTO = RETRY_RTO_S
    aiortc.codecs.vpx.MIN_BITRATE = VIDEO_MIN_BITRATE
    rtcicetransport.Connection = IceConnection
    aiortc.codecs.CODECS["audio"].append(
        RTCRtpCodecParameters(mimeType=TELEPHONE_EVENT, clockRate=8000, channels=1, payloadType=101)
    )
    _replay_flights()


# ---------------------------------------------------------------- ICE


class IceConnection(aioice.ice.Connection):
    """aioice's connection, with a port range and a sign of life."""

    ports: range | None = None
    """UDP ports to bind; None takes any. Set for the whole process by `use_ports`."""
    heard_at: float = 0.0
    """Loop time of the last datagram of any kind (STUN, RTP, RTCP, DTLS)."""

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


# ---------------------------------------------------------------- DTLS


def be_dtls_server(pc: RTCPeerConnection) -> None:
    """Between setRemoteDescription and createAnswer: let the browser send the ClientHello. An offer that insists on
    being the server (`setup:passive`) keeps its way."""
    for transceiver in pc.getTransceivers():
        transport = transceiver.receiver.transport
        if transport._role == "auto":
            transport._set_role("server")


def _replay_flights() -> None:
    transport_type: Any = RTCDtlsTransport
    write, handshake = transport_type._write_ssl, transport_type._do_handshake

    async def remember(self: Any) -> None:
        flight: list[bytes] = []
        transport, send = self.transport, self.transport._send

        async def record(datagram: bytes) -> None:
            flight.append(datagram)
            await send(datagram)

        transport._send = record
        try:
            await write(self)
        finally:
            transport._send = send
        self._flight = flight or getattr(self, "_flight", [])

    async def remembering(self: Any) -> None:
        self._write_ssl = partial(remember, self)
        try:
            async with _repeating(partial(_replay, self)):
                await handshake(self)
        finally:
            del self._write_ssl

    transport_type._do_handshake = remembering


async def _replay(transport: Any) -> None:
    for datagram in getattr(transport, "_flight", []):
        if not transport.encrypted:
            with suppress(ConnectionError):
                await transport.transport._send(datagram)


@asynccontextmanager
async def _repeating(action: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await asyncio.sleep(FLIGHT_REPLAY_S)
            await action()

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()


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
