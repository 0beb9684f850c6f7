"""A leg: one party's media connection, from the offer to the last packet.

The browser always offers, once, audio and video sendrecv on one transport; the answer carries all our candidates. The
same leg serves as standby (ICE and DTLS up, nothing sent), in a call with the assistant, and in a bridge.

    offer ─ answer ─ connected ──────────────── lost | closed
                        │ speak(pull)            the assistant's voice, one frame every 20 ms
                        │ ear                    her audio, 16 kHz
                        │ seen / heard_raw       her frames as they were encoded (media.bridge)
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import structlog
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.rtp import RtpPacket
from aiortc.sdp import candidate_from_sdp

from media import dtmf, handshake, rtc_patches
from media.audio import WIRE_HZ, Samples
from media.ear import LegEar
from media.errors import BadOffer, LegLost
from media.quality import Count
from media.still import Still
from media.tracks import Pacer, SentTrack

log = structlog.get_logger()

LegState = Literal["new", "connecting", "connected", "lost", "closed"]
DtlsRole = Literal["client", "server"]
AudioTap = Callable[[bytes, int], None]
"""(Opus packet, 48 kHz timestamp)"""
VideoTap = Callable[[bytes, int, bool], None]
"""(VP8 frame, 90 kHz timestamp, is a key frame)"""
KEYFRAME_GAP_S = 0.3


class Leg:
    """See the module. Created by `Leg()` inside a running loop; `close()` may be called at any time, any number of
    times, and never raises."""

    def __init__(self) -> None:
        rtc_patches.install()
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._loop = asyncio.get_running_loop()
        self.state: LegState = "new"
        self.ear = LegEar()
        self.audio = SentTrack("audio")
        self.video = SentTrack("video")
        self.on_state: Callable[[LegState], None] = lambda _: None
        self.on_digit: Callable[[str], None] = lambda _: None
        self.on_keyframe_wanted: Callable[[], None] = lambda: None
        self.on_bitrate: Callable[[int], None] = lambda _: None
        self.audio_taps: set[AudioTap] = set()
        self.video_taps: set[VideoTap] = set()
        self.marks: dict[str, float] = {"created": self._loop.time()}
        """Loop time of each step, for the waterfall."""
        self._pacer: Pacer | None = None
        self._still: Still | None = None
        self._receivers: dict[str, RTCRtpReceiver] = {}
        self._events: set[int | None] = set()  # payload types of telephone-event
        self._keypad = dtmf.Keypad()
        self._keyframe_at = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._pc.on("track", self._on_track)
        self._pc.on("connectionstatechange", self._on_state)

    # ------------------------------------------------------------ negotiation

    async def answer(self, offer: str, dtls: DtlsRole = "client") -> str:
        """SDP in, SDP out. `BadOffer` for anything aiortc cannot digest: fuzzing lets six types of exception out."""
        try:
            return await self._negotiate(offer, dtls)
        except asyncio.CancelledError:
            await self.close()
            raise
        except Exception as error:
            await self.close()
            raise BadOffer(type(error).__name__) from error

    async def _negotiate(self, offer: str, dtls: DtlsRole) -> str:
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if not any(t.kind == "audio" for t in self._pc.getTransceivers()):
            raise ValueError("no audio")
        handshake.be_client(self._pc) if dtls == "client" else handshake.be_server(self._pc)
        rtc_patches.ask_for_fec(self._pc)
        self._attach_senders()
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        self.marks["answered"] = self._loop.time()
        return str(self._pc.localDescription.sdp)

    def _attach_senders(self) -> None:
        for transceiver in self._pc.getTransceivers():
            sender = transceiver.sender
            sender.replaceTrack(self.audio if transceiver.kind == "audio" else self.video)
            transceiver.direction = "sendrecv"
            if transceiver.kind == "video":
                rtc_patches.on_keyframe_wanted(sender, lambda: self.on_keyframe_wanted())
                rtc_patches.on_bitrate(sender, lambda bits: self.on_bitrate(bits))
            else:
                self._events = {c.payloadType for c in transceiver._codecs if c.name == "telephone-event"}

    async def add_candidate(self, candidate: str, mid: str | None, line: int | None) -> None:
        """A trickled candidate in SDP form; empty for the end. `BadOffer` when it cannot be read."""
        text = candidate.removeprefix("a=").removeprefix("candidate:").strip()
        try:
            parsed = candidate_from_sdp(text) if text else None
            if parsed is not None:
                parsed.sdpMid, parsed.sdpMLineIndex = mid, line
                await self._pc.addIceCandidate(parsed)
        except Exception as error:
            raise BadOffer(type(error).__name__) from error

    # ------------------------------------------------------------ state

    def _on_state(self) -> None:
        state: dict[str, LegState] = {"connecting": "connecting", "connected": "connected", "failed": "lost"}
        new = "lost" if self._pc.connectionState == "closed" else state.get(self._pc.connectionState, self.state)
        if self.state == "closed" or new == self.state:
            return
        self.state = new
        self.marks.setdefault(new, self._loop.time())
        self._changed.set()
        self.on_state(new)

    async def connected(self) -> None:
        """Returns when media can flow; `LegLost` when it never will. Deadline: the caller's."""
        while self.state in ("new", "connecting"):
            self._changed.clear()
            await self._changed.wait()
        if self.state != "connected":
            raise LegLost(self.state)

    def silent_for(self) -> float:
        """Seconds since the last datagram of any kind (media, RTCP, STUN) from the other end."""
        return self._loop.time() - max(rtc_patches.heard_at(self._pc), self.marks["created"])

    async def counts(self) -> dict[Literal["up", "down"], Count]:
        """The audio since the leg was made: `up` as we receive it, `down` as the other end says over RTCP. What has not
        been heard of yet is absent."""
        reports: dict[str, Any] = {}
        for transceiver in self._pc.getTransceivers():
            if transceiver.kind == "audio":
                both = (await transceiver.sender.getStats(), await transceiver.receiver.getStats())
                reports |= {report.type: report for end in both for report in end.values()}
        up, down = reports.get("inbound-rtp"), reports.get("remote-inbound-rtp")
        round_trip = down.roundTripTime if down else None
        found: dict[Literal["up", "down"], Count] = {}
        if up:
            found["up"] = Count(up.packetsReceived, up.packetsLost, up.jitter / WIRE_HZ, round_trip)
        if down:
            found["down"] = Count(down.packetsReceived, down.packetsLost, down.jitter / WIRE_HZ, round_trip)
        return found

    # ------------------------------------------------------------ receiving

    def _on_track(self, track: object) -> None:
        for transceiver in self._pc.getTransceivers():
            receiver = transceiver.receiver
            if receiver.track is track:
                self._receivers[transceiver.kind] = receiver
                if transceiver.kind == "audio":
                    rtc_patches.tap_audio(receiver, self._on_audio)
                else:
                    rtc_patches.tap_video(receiver, self._on_video)

    def _on_audio(self, packet: RtpPacket) -> None:
        if packet.payload_type in self._events:
            self._on_event(packet)
            return
        self.marks.setdefault("first_packet", self._loop.time())
        self.ear.push(packet.sequence_number, packet.payload)
        for tap in tuple(self.audio_taps):
            tap(packet.payload, packet.timestamp)

    def _on_event(self, packet: RtpPacket) -> None:
        self._keypad, key = dtmf.advance(self._keypad, packet.payload, packet.timestamp)
        if key and not key.isalpha():  # A to D are on no telephone she has
            self.on_digit(key)

    def _on_video(self, frame: bytes, timestamp: int) -> None:
        key = bool(frame) and not frame[0] & 1  # RFC 6386 section 9.1
        for tap in tuple(self.video_taps):
            tap(frame, timestamp, key)

    def ask_keyframe(self) -> None:
        """Throttled PLI to this party's camera."""
        now = self._loop.time()
        receiver = self._receivers.get("video")
        if receiver is None or now - self._keyframe_at < KEYFRAME_GAP_S:
            return
        self._keyframe_at = now
        self._asking = self._loop.create_task(rtc_patches.ask_keyframe(receiver))

    def cap_bitrate(self, bits_per_second: int) -> None:
        """What this party's camera may send; 0 lifts the cap."""
        if receiver := self._receivers.get("video"):
            rtc_patches.cap_bitrate(receiver, bits_per_second)

    # ------------------------------------------------------------ sending

    def speak(self, pull: Callable[[], Samples | None]) -> None:
        """From now on this leg hears `pull`, 960 samples of 48 kHz every 20 ms, and sees the assistant's picture.
        Ends by itself when a bridge takes over. A closed leg speaks no more."""
        self.hush()
        if self.state == "closed":
            return
        self._pacer, self._still = Pacer(self.audio, pull), Still(self.video)
        self.on_keyframe_wanted = self._still.show
        self._pacer.start()
        self._still.start()

    def hush(self) -> None:
        for source in (self._pacer, self._still):
            if source:
                source.stop()
        self._pacer = self._still = None

    # ------------------------------------------------------------ end

    async def close(self) -> None:
        if self.state == "closed":
            return
        self.state = "closed"
        self._changed.set()
        self.hush()
        self.ear.close()
        self.audio_taps.clear()
        self.video_taps.clear()
        self.audio.stop()
        self.video.stop()
        if self._asking:
            self._asking.cancel()
        try:
            await self._pc.close()
        except Exception as error:  # after a bad offer close() itself raises
            log.info("peer.close_failed", error=type(error).__name__)
            await self._close_transports()

    async def _close_transports(self) -> None:
        for transceiver in self._pc.getTransceivers():
            with suppress(Exception):
                await transceiver.receiver.transport.transport.stop()
