"""Peer connections of the pages: standbys made at page load, legs once a call uses them.

A standby is no call: ICE and DTLS are up, nothing is sent, and the tap needs no negotiation. They are capped; the
oldest of whoever has most is shed first, and all of them when the loop is late. A page whose standby was shed offers
again at the tap.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from gateway.domain.people import Person
from gateway.errors import BadInput, NotYours, TooMuch
from media.errors import BadOffer
from media.peer import DtlsRole, Leg
from signaling import sdp
from signaling.protocol import MAX_CANDIDATES, ErrorCode, PeerClosed, ServerMessage

log = structlog.get_logger()

SETUP_S = 15.0
MAX_PER_LINE = 3
UNWANTED_S = 1.0
CLOSE_S = 5.0


class Line(Protocol):
    """A client's connection: a WebSocket visit, or a WHIP resource."""

    person: Person

    @property
    def address(self) -> str:
        """Where it comes from: where most standbys are, there room is made first."""
        ...

    def send(self, message: ServerMessage) -> None: ...


@dataclass(slots=True, eq=False)
class Peer:
    """`used`: a call owns the leg now; it is no standby any more and the call closes it."""

    line: Line
    name: str
    leg: Leg
    used: bool = False
    candidates: int = 0
    made_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())


class Peers:
    """All of them, by line and name. `busy` says whether new ones are refused."""

    def __init__(self, rules: sdp.Rules, max_standbys: int, busy: Callable[[Line], bool]) -> None:
        self._rules = rules
        self._room = max_standbys
        self._busy = busy
        self._peers: dict[tuple[Line, str], Peer] = {}
        self._lines: set[Line] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def standbys(self) -> list[Peer]:
        """Oldest first."""
        return [peer for peer in self._peers.values() if not peer.used]

    def knows(self, line: Line) -> bool:
        return line in self._lines

    # ------------------------------------------------------------ from the client

    async def offer(self, line: Line, name: str, offer: str, dtls: DtlsRole = "client") -> str:
        """The answer's SDP. Raises BadInput(BAD_SDP) or TooMuch(BUSY); a name offered again replaces the older one."""
        if self._busy(line):
            raise TooMuch(ErrorCode.BUSY, "no room for another connection", retry_after_ms=5_000)
        try:
            guarded = sdp.guard_offer(offer, self._rules)
        except sdp.BadSdp as error:
            raise BadInput(ErrorCode.BAD_SDP, str(error)) from error
        self._lines.add(line)
        await self.close(line, name)
        await self._make_room(line)
        peer = self._peers[line, name] = Peer(line, name, Leg())
        try:
            return sdp.shorten_answer(await peer.leg.answer(guarded, dtls))
        except BadOffer as error:
            self._peers.pop((line, name), None)
            raise BadInput(ErrorCode.BAD_SDP, str(error)) from error

    async def _make_room(self, line: Line) -> None:
        own = [peer for peer in self.standbys if peer.line is line]
        if len(own) >= MAX_PER_LINE:
            await self._drop(own[0], "replaced")
        while len(self.standbys) >= max(1, self._room):
            await self._drop(makes_room(self.standbys, line), "shed")

    async def candidate(self, line: Line, name: str, candidate: str, mid: str | None, line_no: int | None) -> None:
        peer = self._find(line, name)
        peer.candidates += 1
        if peer.candidates > MAX_CANDIDATES:
            raise BadInput(ErrorCode.BAD_CANDIDATE, "too many candidates")
        try:
            guarded = sdp.guard_candidate(candidate, self._rules)
            if guarded is not None:
                await peer.leg.add_candidate(guarded, mid, line_no)
        except (sdp.BadSdp, BadOffer) as error:
            raise BadInput(ErrorCode.BAD_CANDIDATE, str(error)) from error

    def _find(self, line: Line, name: str) -> Peer:
        peer = self._peers.get((line, name))
        if peer is None:
            raise NotYours(ErrorCode.NO_SUCH_PEER, "offer it first")
        return peer

    # ------------------------------------------------------------ from a call

    def take(self, line: Line, name: str) -> Leg:
        """The leg is the call's from now on. Raises NotYours(NO_SUCH_PEER) also for one in use or dead."""
        peer = self._find(line, name)
        if peer.used or peer.leg.state in ("lost", "closed"):
            raise NotYours(ErrorCode.NO_SUCH_PEER, "offer it again")
        peer.used = True
        return peer.leg

    def ended(self, leg: Leg, reason: str) -> None:
        """A call has no more use for this leg: say so, and close it in a moment."""
        for peer in [peer for peer in self._peers.values() if peer.leg is leg]:
            self._forget(peer, reason)
        _ = self._close(leg)

    # ------------------------------------------------------------ ends

    async def close(self, line: Line, name: str) -> None:
        """As the client wishes; a call using it notices that its leg is gone."""
        if peer := self._peers.pop((line, name), None):
            await asyncio.shield(self._close(peer.leg))

    async def gone(self, line: Line) -> None:
        """The connection is over: its standbys with it. Legs in a call live on, media may still flow."""
        self._lines.discard(line)
        for peer in [peer for peer in self._peers.values() if peer.line is line]:
            if peer.used:
                del self._peers[line, peer.name]
            else:
                await self.close(line, peer.name)

    async def shed(self, reason: str = "shed") -> None:
        for peer in self.standbys:
            await self._drop(peer, reason)

    async def _drop(self, peer: Peer, reason: str) -> None:
        self._forget(peer, reason)
        await asyncio.shield(self._close(peer.leg))

    def _forget(self, peer: Peer, reason: str) -> None:
        if self._peers.get((peer.line, peer.name)) is peer:
            del self._peers[peer.line, peer.name]
            peer.line.send(PeerClosed(peer=peer.name, reason=reason))

    def _close(self, leg: Leg) -> "asyncio.Task[None]":
        """Owned here: a client that goes away in the middle must not leave sockets behind."""
        closing = asyncio.get_running_loop().create_task(leg.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing

    async def sweep(self) -> None:
        """Standbys that never connected within SETUP_S, or died; all, where none are wanted (an offer made at the tap
        is in use at once)."""
        now = asyncio.get_running_loop().time()
        for peer in self.standbys:
            never = peer.leg.state in ("new", "connecting") and now - peer.made_at > SETUP_S
            if not self._room and now - peer.made_at > UNWANTED_S:
                await self._drop(peer, "shed")
            elif never or peer.leg.state in ("lost", "closed"):
                await self._drop(peer, "failed")

    async def close_all(self) -> None:
        for peer in list(self._peers.values()):
            self.ended(peer.leg, "draining")
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_S)


def makes_room(standbys: Sequence[Peer], newcomer: Line) -> Peer:
    """Whose standby goes (`standbys` oldest first): the oldest of the address that has most, and there of the person.
    So whoever opens many, under however many guest names, pushes out their own."""
    lines = [newcomer, *(peer.line for peer in standbys)]
    addresses = Counter(line.address for line in lines)
    people = Counter(line.person.id for line in lines)
    return max(standbys, key=lambda peer: (addresses[peer.line.address], people[peer.line.person.id]))
