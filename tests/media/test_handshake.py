"""Two ends of a line that loses what it is told to, on virtual time: what is said reaches the browser whole, and early.

`Line.lose` names packets by kind and number of their direction: ("down", "flight", 1) is the gateway's second flight.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from struct import pack
from typing import Any

import aioice.ice
import aiortc.rtcpeerconnection
import pytest
from aioice.stun import Class, Message
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport, State
from OpenSSL import SSL

from media import handshake, rtc_patches
from media.handshake import FINISH_S, DtlsTransport
from tests import virtual_time
from tests.media.browser import Browser, joined

rtc_patches.install()

TRIP_S = 0.04
VOICE_SSRC, PICTURE_SSRC = 7, 8
Lost = tuple[str, str, int]
ALL = -2


def kind_of(packet: bytes) -> str:
    return "flight" if 19 < packet[0] < 64 else "sound"


class Line:
    """One end of it, as `RTCIceTransport` looks to DTLS."""

    role = "controlled"

    def __init__(self, way: str, lose: set[Lost]) -> None:
        self.way, self.lose = way, lose
        self.far: Line
        self.sent: list[tuple[float, str, bool]] = []
        self._seen: Counter[bytes] = Counter()
        self._count: Counter[str] = Counter()
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._on_the_way: deque[bytes] = deque()

    async def _send(self, packet: bytes) -> None:
        """The number of a packet is that of its first sending; a repetition (-1) is lost only with `ALL`."""
        loop, kind = asyncio.get_running_loop(), kind_of(packet)
        number = self._count[kind] if not self._seen[packet] else -1
        self._seen[packet] += 1
        self._count[kind] += number >= 0
        self.sent.append((loop.time(), kind, number >= 0))
        if not {(self.way, kind, number), (self.way, kind, ALL)} & self.lose:
            self._on_the_way.append(packet)  # in order: timers of one moment are not
            loop.call_later(TRIP_S, lambda: self.far._came.put_nowait(self._on_the_way.popleft()))

    async def _recv(self) -> bytes:
        return await self._came.get()

    def first(self, kind: str, number: int = 0) -> float:
        return [at for at, what, fresh in self.sent if what == kind and fresh][number]


class _Voice:
    kind = "audio"


class _Picture:
    kind = "video"


class Ends:
    """The gateway as client, the browser as server, and what each has heard: sequence numbers."""

    def __init__(self, lose: set[Lost]) -> None:
        self.down, self.up = Line("down", lose), Line("up", lose)
        self.down.far, self.up.far = self.up, self.down
        mine, hers = RTCCertificate.generateCertificate(), RTCCertificate.generateCertificate()
        self.gateway, self.browser = _end(self.down, mine, "client"), _end(self.up, hers, "server")
        self.gateway.may_start_early = True
        self.gateway._rtp_router.senders.update({VOICE_SSRC: _Voice(), PICTURE_SSRC: _Picture()})
        self.heard: dict[str, list[int]] = {"gateway": [], "browser": []}
        _listen(self.gateway, self.heard["gateway"])
        _listen(self.browser, self.heard["browser"])
        self.fingerprint = hers.getFingerprints()
        self.browsers = asyncio.create_task(self.browser.start(RTCDtlsParameters(mine.getFingerprints())))

    async def start(self) -> None:
        await self.gateway.start(RTCDtlsParameters(self.fingerprint))

    async def say(self, words: int, first: int = 0) -> None:
        for number in range(first, first + words):
            await self.gateway._send_rtp(rtp(number, VOICE_SSRC))
            await asyncio.sleep(0.02)


def _end(line: Line, certificate: RTCCertificate, role: str) -> DtlsTransport:
    ice: Any = line
    end = DtlsTransport(ice, [certificate])
    end._set_role(role)
    return end


def _listen(end: DtlsTransport, heard: list[int]) -> None:
    async def hear(data: bytes, arrival_time_ms: int) -> None:
        heard.append(int.from_bytes(data[2:4], "big"))

    hooked: Any = end
    hooked._handle_rtp_data = hear


def rtp(number: int, ssrc: int) -> bytes:
    return pack("!BBHLL", 0x80, 111, number, number * 960, ssrc) + bytes(20)


@asynccontextmanager
async def ends(*lose: Lost) -> AsyncIterator[Ends]:
    two = Ends(set(lose))
    try:
        yield two
    finally:
        await two.gateway.stop()
        await two.browser.stop()
        two.browsers.cancel()
        await asyncio.sleep(0)
        await asyncio.gather(two.browsers, return_exceptions=True)


def on_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


# ---------------------------------------------------------------- the false start


@on_virtual_time
async def test_sound_goes_behind_our_finished_and_does_not_wait_for_theirs() -> None:
    async with ends() as two:
        await two.start()
        assert two.gateway.state == "connected"
        assert not two.gateway.encrypted
        assert asyncio.get_running_loop().time() == pytest.approx(2 * TRIP_S)
        await two.say(10)
        assert two.heard["browser"][:8] == list(range(8))
        assert two.down.first("flight", 1) == two.down.first("sound")
        assert two.gateway.encrypted


@on_virtual_time
async def test_without_leave_everything_waits_for_their_finished() -> None:
    async with ends() as two:
        two.gateway.may_start_early = False
        await two.start()
        assert two.gateway.encrypted
        assert asyncio.get_running_loop().time() == pytest.approx(4 * TRIP_S)


def test_a_suite_of_no_strength_gets_no_false_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ends() as two:
            await two.start()
            assert two.gateway.encrypted
            assert two.gateway._ssl.get_cipher_name() == "ECDHE-ECDSA-AES128-SHA"

    make = RTCCertificate._create_ssl_context

    def weak(self: RTCCertificate, srtp_profiles: Any) -> SSL.Context:
        context = make(self, srtp_profiles)
        context.set_cipher_list(b"ECDHE-ECDSA-AES128-SHA")
        return context

    monkeypatch.setattr(RTCCertificate, "_create_ssl_context", weak)
    virtual_time.run(main())


@on_virtual_time
async def test_nothing_is_said_to_a_stranger() -> None:
    """The certificate is not the one of the offer: not a packet of sound, and no second thoughts."""
    async with ends() as two:
        two.fingerprint = RTCCertificate.generateCertificate().getFingerprints()
        await two.start()
        assert two.gateway.state == "failed"
        with pytest.raises(ConnectionError):
            await two.gateway._send_rtp(rtp(0, VOICE_SSRC))
        flights = len(two.down.sent)
        await asyncio.sleep(1)
        assert len(two.down.sent) == flights
        assert {what for _, what, _ in two.down.sent} == {"flight"}


@on_virtual_time
async def test_the_notice_is_heard_whole_when_our_finished_is_lost() -> None:
    async with ends(("down", "flight", 1)) as two:
        await two.start()
        await two.say(10)
        assert sorted(two.heard["browser"]) == list(range(len(two.heard["browser"])))
        assert len(two.heard["browser"]) >= 8
        assert two.gateway.encrypted


@on_virtual_time
async def test_a_picture_is_not_repeated() -> None:
    async with ends(("down", "flight", 1)) as two:
        await two.start()
        await two.gateway._send_rtp(rtp(50, PICTURE_SSRC))
        await two.say(5)
        assert 50 not in two.heard["browser"]
        assert 0 in two.heard["browser"]


@on_virtual_time
async def test_nothing_is_heard_before_their_finished_nor_for_ever_without_it() -> None:
    """The browser is through and speaks; its last flight never comes. (OpenSSL's own repetition runs on real time.)"""
    async with ends() as two:
        await two.start()
        two.up.lose.add(("up", "flight", ALL))
        await asyncio.sleep(2 * TRIP_S)
        assert two.browser.state == "connected"
        await two.browser._send_rtp(rtp(1, 9))
        await asyncio.sleep(2 * TRIP_S)
        assert two.heard["gateway"] == []
        await asyncio.sleep(FINISH_S)
        assert two.gateway.state == "failed"
        await two.gateway.stop()
        await asyncio.sleep(0)
        assert two.gateway.state == "failed"


@on_virtual_time
async def test_she_is_heard_after_their_finished() -> None:
    async with ends() as two:
        await two.start()
        await two.browsers
        await two.browser._send_rtp(rtp(1, 9))
        await asyncio.sleep(2 * TRIP_S)
        assert two.heard["gateway"] == [1]


# ---------------------------------------------------------------- repeating


@pytest.mark.parametrize(
    "lost", [("down", "flight", 0), ("up", "flight", 0), ("down", "flight", 1), ("down", "sound", 0)], ids=str
)
def test_a_lost_packet_costs_less_than_a_round_trip(lost: Lost) -> None:
    async def main() -> None:
        async with ends(lost) as two:
            await two.start()
            await two.say(12)
            assert sorted(two.heard["browser"])[:8] == list(range(8))
            assert two.down.first("sound") <= 2 * TRIP_S + handshake.REPEAT_S

    virtual_time.run(main())


@on_virtual_time
async def test_repetitions_become_rare_and_end_with_the_handshake() -> None:
    async with ends(("down", "flight", ALL)) as two:
        starting = asyncio.create_task(two.start())
        await asyncio.sleep(10)
        gaps = [b[0] - a[0] for a, b in zip(two.down.sent, two.down.sent[1:], strict=False)]
        assert gaps == pytest.approx(sorted(gaps))
        assert len(two.down.sent) < 30
        two.down.lose.clear()
        await starting
        await asyncio.sleep(1)
        sent = len(two.down.sent)
        await asyncio.sleep(5)
        assert len(two.down.sent) == sent
        assert two.gateway.encrypted


# ---------------------------------------------------------------- contracts with aiortc


def test_the_transport_is_ours() -> None:
    made: Any = aiortc.rtcpeerconnection
    assert made.RTCDtlsTransport is DtlsTransport
    for hook in ("_do_handshake", "_recv_next", "_setup_srtp", "_write_ssl", "_send_rtp", "_set_state", "stop"):
        assert hook in vars(RTCDtlsTransport)
    assert {state.name for state in State} == {"NEW", "CONNECTING", "CONNECTED", "CLOSED", "FAILED"}


@pytest.mark.parametrize(("choose", "free"), [(handshake.be_client, "client"), (handshake.be_server, "server")])
async def test_who_is_the_client_unless_the_offer_insists(
    choose: Callable[[RTCPeerConnection], None], free: str
) -> None:
    for setup, role in (("actpass", free), ("active", "server")):
        offerer, pc = Browser(), RTCPeerConnection(RTCConfiguration(iceServers=[]))
        offer = (await offerer.offer()).replace("a=setup:actpass", f"a=setup:{setup}")
        await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        choose(pc)
        transport: Any = pc.getTransceivers()[0].receiver.transport
        assert transport._role == role
        assert transport.may_start_early == (role == "client")
        await pc.close()
        await offerer.pc.close()


# ---------------------------------------------------------------- ICE, real sockets


async def test_dtls_waits_for_the_browsers_choice_not_for_the_answer_to_our_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The browser's answers to our checks are lost until we are connected; then they come and ours is complete."""
    deaf = True
    send = aioice.ice.StunProtocol.send_stun

    def lossy(self: Any, message: Message, addr: Any) -> None:
        if not (deaf and message.message_class is Class.RESPONSE and self.receiver.ice_controlling):
            send(self, message, addr)

    monkeypatch.setattr(aioice.ice.StunProtocol, "send_stun", lossy)
    async with joined(Browser()) as leg:
        ice: Any = next(iter(rtc_patches._ice_transports(leg._pc)))._connection
        assert not ice._checking.done()
        deaf = False
        async with asyncio.timeout(10):
            await ice._checking
        assert ice._query_consent_task is not None
        assert leg.state == "connected"


async def test_a_leg_whose_check_is_never_answered_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    send = aioice.ice.StunProtocol.send_stun

    def lossy(self: Any, message: Message, addr: Any) -> None:
        if not (message.message_class is Class.RESPONSE and self.receiver.ice_controlling):
            send(self, message, addr)

    monkeypatch.setattr(aioice.ice.StunProtocol, "send_stun", lossy)
    monkeypatch.setattr(rtc_patches, "CHECKED_S", 0.5)
    async with joined(Browser()) as leg:
        lost = asyncio.Event()
        leg.on_state = lambda state: lost.set() if state == "lost" else None
        async with asyncio.timeout(10):
            await lost.wait()
