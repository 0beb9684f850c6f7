"""The DTLS handshake of a leg on a line that loses packets: flights repeated soon, and a false start (RFC 7918).

    browser                                          gateway
       |  check (STUN)  ->                              |
       |                 <-  answer to it, ClientHello  |   at once (`rtc_patches.IceConnection`)
       |  ServerHello … ServerHelloDone  ->             |
       |                 <-  … Finished, sound          |   false start: sound does not wait for
       |  Finished  ->                                  |   this; what we hear does

A client's flight ends with its Finished, and by then it has everything: the certificate is the one of the offer's
fingerprint and has signed the ECDHE key, so the master secret is known to nobody else. A whole round trip earlier,
and one packet fewer that can be lost. What still hangs on the browser's Finished: receiving, and the leg's life
(`FINISH_S`).

The browser throws away sound that comes before our Finished. So until it has answered, what was said is part of the
flight: sent again behind it, the same packets, of which she gets each once (RFC 3711's replay list). Nothing of the
notice is missed when the first Finished is.

Private names of aiortc 1.16.0 are used; the contracts are in tests/media/test_handshake.py.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from aiortc import RTCIceTransport, RTCPeerConnection
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport, State
from aiortc.rtp import is_rtcp
from OpenSSL import SSL

REPEAT_S, SLOWER, SLOWEST_S = 0.02, 1.4, 0.5
"""After 20, 48, 87, 142 ms …: OpenSSL's own timer starts at 1 s. A browser that got it drops the repetition."""
FINISH_S = 10.0
"""A handshake that was overtaken by sound and is not finished by then has failed."""
ROOM_PACKETS = 50
"""Of sound (1 s) repeated behind our Finished."""
STRONG = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}
"""RFC 7918 section 5: no false start on a suite that an attacker would have chosen for us."""


class DtlsTransport(RTCDtlsTransport):
    """aiortc's transport; stands in for it from `rtc_patches.install` on. With `may_start_early` it is `connected` as
    soon as it can send."""

    may_start_early = False
    _ssl: Any
    _rx_srtp: Any

    def __init__(self, transport: RTCIceTransport, certificates: list[RTCCertificate]) -> None:
        super().__init__(transport, certificates)
        self._flight = b""
        self._said: deque[bytes] = deque(maxlen=ROOM_PACKETS)
        self._early = False
        self._later: Any = None  # the SRTP session of what is received
        self._repeating: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ the handshake

    async def _do_handshake(self) -> None:
        """Returns when it is done, has failed, or sound may overtake it."""
        self._repeating = asyncio.create_task(self._repeat())
        try:
            while not self._done():
                await self._write_ssl()
                if self._may_overtake():
                    self._overtake()
                    return
                await self._recv_next()
        except (SSL.Error, ConnectionError):
            self._set_state(State.FAILED)
        self._rest()

    def _done(self) -> bool:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return False
        self.encrypted = True
        return True

    def _may_overtake(self) -> bool:
        return (
            self.may_start_early
            and self._role == "client"
            and self._ssl.get_finished() is not None  # ours is on its way
            and self._ssl.get_protocol_version_name() == "DTLSv1.2"
            and self._ssl.get_cipher_name() in STRONG
        )

    def _overtake(self) -> None:
        self._early = True
        self._limit = asyncio.get_running_loop().call_later(FINISH_S, self._set_state, State.FAILED)

    def _setup_srtp(self) -> None:
        super()._setup_srtp()
        if self._early:
            self._later, self._rx_srtp = self._rx_srtp, None

    async def _recv_next(self) -> None:
        await super()._recv_next()
        if not self._early:
            return
        try:
            done = self._done()
        except SSL.Error as error:
            self._set_state(State.FAILED)
            raise ConnectionError from error
        if done:
            self._early, self._rx_srtp = False, self._later
            self._rest()

    # ------------------------------------------------------------ repeating

    async def _write_ssl(self) -> None:
        with suppress(SSL.Error):  # nothing to send
            self._flight = self._ssl.bio_read(1500)
            await self.transport._send(self._flight)

    async def _send_rtp(self, data: bytes) -> None:
        if self._early and self._is_voice(data):
            self._said.append(data)
        await super()._send_rtp(data)

    def _is_voice(self, data: bytes) -> bool:
        """A picture is asked for by the browser when it is missed."""
        sender = None if is_rtcp(data) else self._rtp_router.senders.get(int.from_bytes(data[8:12], "big"))
        return getattr(sender, "kind", "") == "audio"

    async def _repeat(self) -> None:
        delay = REPEAT_S
        while True:
            await asyncio.sleep(delay)
            delay = min(delay * SLOWER, SLOWEST_S)
            with suppress(ConnectionError):
                if self._flight:
                    await self.transport._send(self._flight)
                for packet in tuple(self._said):
                    await super()._send_rtp(packet)  # libsrtp makes the same packet of it again

    def _rest(self) -> None:
        if self._repeating:
            self._repeating.cancel()
        if self._limit:
            self._limit.cancel()
        self._said.clear()

    # ------------------------------------------------------------ the end

    def _set_state(self, state: State) -> None:
        """What has failed stays so: aiortc's pump says `closed` when it ends, and that would count as connected."""
        if self._state is State.FAILED:
            return
        if state in (State.FAILED, State.CLOSED):
            self._rest()
        super()._set_state(state)

    async def stop(self) -> None:
        self._rest()
        await super().stop()


def be_client(pc: RTCPeerConnection) -> None:
    """Between setRemoteDescription and createAnswer: we send the ClientHello (a browser's takes two packets since it
    has post-quantum keys, and is repeated after two round trips), and sound before the handshake's end. An offer
    that insists on being the client keeps its way."""
    for transport in _transports(pc):
        if transport._role != "server":
            transport._set_role("client")
            transport.may_start_early = True


def be_server(pc: RTCPeerConnection) -> None:
    """Between setRemoteDescription and createAnswer: what RFC 9725 asks of a WHIP endpoint."""
    for transport in _transports(pc):
        if transport._role == "auto":
            transport._set_role("server")


def _transports(pc: RTCPeerConnection) -> set[Any]:
    return {transceiver.receiver.transport for transceiver in pc.getTransceivers()}
