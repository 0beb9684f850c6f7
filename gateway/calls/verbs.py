"""The calls' verbs: one short function per wire message, for the switchboard."""

from collections.abc import Mapping

from gateway.calls.calls import Calls
from gateway.calls.room import Room
from gateway.switchboard import Verb, Visit
from signaling.protocol import (
    Ack,
    CallChanged,
    CallHandBack,
    CallLeave,
    CallPress,
    CallReport,
    CallResume,
    CallSay,
    CallStart,
    CallTakeOver,
    CandidateAdd,
    PeerAnswered,
    PeerClose,
    PeerOffer,
)


def acked(nonce: str, room: Room) -> Ack:
    return Ack(nonce=nonce, conversation=room.about.conversation, seq=room.minutes.last_seq, call=room.about.call)


def peer_verbs(calls: Calls) -> Mapping[type, Verb]:
    async def offer(visit: Visit, m: PeerOffer) -> PeerAnswered:
        if not calls.peers.knows(visit):
            visit.farewells.append(lambda: calls.gone(visit))
        calls.prepare(visit)
        return PeerAnswered(peer=m.peer, sdp=await calls.peers.offer(visit, m.peer, m.sdp))

    async def candidate(visit: Visit, m: CandidateAdd) -> None:
        await calls.peers.candidate(visit, m.peer, m.candidate, m.mid, m.line)

    async def close(visit: Visit, m: PeerClose) -> None:
        await calls.peers.close(visit, m.peer)

    return {PeerOffer: offer, CandidateAdd: candidate, PeerClose: close}


def call_verbs(calls: Calls) -> Mapping[type, Verb]:
    async def start(visit: Visit, m: CallStart) -> Ack:
        room = await calls.start(
            visit, nonce=m.nonce, conversation=m.conversation, media=m.media, peer=m.peer, style=m.style
        )
        return acked(m.nonce, room)

    async def resume(visit: Visit, m: CallResume) -> Ack:
        room = await calls.resume(visit, m.call, m.peer)
        visit.send(CallChanged(call=room.view()))
        return acked(m.nonce, room)

    async def leave(visit: Visit, m: CallLeave) -> Ack:
        await calls.leave(visit.person, m.call)
        return Ack(nonce=m.nonce, call=m.call)

    async def take_over(visit: Visit, m: CallTakeOver) -> Ack:
        return acked(m.nonce, await calls.take_over(visit, m.call, m.peer))

    async def hand_back(visit: Visit, m: CallHandBack) -> Ack:
        await calls.hand_back(visit.person, m.call)
        return Ack(nonce=m.nonce, call=m.call)

    async def say(visit: Visit, m: CallSay) -> Ack:
        await calls.say(visit.person, m.call, m.nonce, m.text)
        return Ack(nonce=m.nonce, call=m.call)

    async def press(visit: Visit, m: CallPress) -> Ack:
        calls.press(visit.person, m.call, m.digit)
        return Ack(nonce=m.nonce, call=m.call)

    async def report(visit: Visit, m: CallReport) -> None:
        await calls.report(visit.person, m)

    return {
        **peer_verbs(calls),
        CallStart: start,
        CallResume: resume,
        CallLeave: leave,
        CallTakeOver: take_over,
        CallHandBack: hand_back,
        CallSay: say,
        CallPress: press,
        CallReport: report,
    }
