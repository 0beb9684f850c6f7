"""Calls by HTTP alone, for clients without our WebSocket: WHIP (RFC 9725), sound both ways.

POST   /api/v1/tickets        session -> {ticket, expires, conversation}
POST   /api/v1/whip           Authorization: Bearer ticket, application/sdp -> 201, the answer, Location
PATCH  /api/v1/whip/{call}    application/trickle-ice-sdpfrag -> 204
DELETE /api/v1/whip/{call}    -> 200, hung up
"""

from aiohttp import hdrs, web
from pydantic import BaseModel

from gateway.chat import new_nonce
from gateway.domain.people import Person
from gateway.errors import BadInput, NotYours, TooMuch
from gateway.http import auth
from gateway.http.ask import Ask, answer
from gateway.store import people
from signaling.ice import ice_servers
from signaling.protocol import MAX_CANDIDATES, MAX_SDP_CHARS, ErrorCode, ServerMessage
from signaling.tickets import Ticket

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
PEER = "whip"


class TicketIssued(BaseModel):
    ticket: str
    expires: int
    conversation: str


class WhipLine:
    """A call's `Line` without a socket: what would be told can be read from the conversation's events."""

    def __init__(self, person: Person, ticket: Ticket, address: str) -> None:
        self.person, self.ticket, self.address = person, ticket, address

    def send(self, message: ServerMessage) -> None:
        pass


async def ticket(ask: Ask) -> web.StreamResponse:
    """A customer's permission to start one call within two minutes."""
    person = ask.person
    if person.staff or person.store is None:
        raise NotYours(ErrorCode.FORBIDDEN, "only a customer calls")
    conversation = await ask.gateway.chat.conversation_for(person, person.store)
    token, made = ask.gateway.tickets.issue(person.id, conversation.id)
    return answer(TicketIssued(ticket=token, expires=made.expires, conversation=conversation.id), 201)


async def start(ask: Ask) -> web.StreamResponse:
    await ask.turnstile.pass_(ask.request, "whip", 120)
    offer = await body(ask, SDP)
    accepted = ask.gateway.tickets.accept(bearer(ask))
    line = WhipLine(await holder(ask, accepted), accepted, ask.turnstile.address(ask.request))
    calls = ask.gateway.calls
    try:
        sdp = await calls.peers.offer(line, PEER, offer, dtls="server")
        room = await calls.start(
            line, nonce=new_nonce(), conversation=accepted.conversation, media="voice", peer=PEER, style="whip"
        )
    except BaseException:
        await calls.gone(line)
        raise
    return web.Response(text=sdp, status=201, content_type=SDP, headers=headers(ask, room.about.call, line))


def headers(ask: Ask, call: str, line: WhipLine) -> dict[str, str]:
    settings = ask.gateway.settings
    made = {hdrs.LOCATION: f"/api/v1/whip/{call}", hdrs.ETAG: f'"{call}"', "Accept-Patch": FRAGMENT}
    servers = ice_servers(settings.ice_servers, settings.turn_secret.get_secret_value(), line.person.id, 0.0)
    stun = [url for server in servers if not server.username for url in server.urls]
    return made | ({hdrs.LINK: ", ".join(f'<{url}>; rel="ice-server"' for url in stun)} if stun else {})


async def trickle(ask: Ask) -> web.StreamResponse:
    """Candidates only: there is no ICE restart here, a new network is a new call.resume or a new POST."""
    line = own_line(ask)
    mid: str | None = None
    for row in (await body(ask, FRAGMENT)).splitlines()[: 4 * MAX_CANDIDATES]:
        if row.startswith("a=mid:"):
            mid = row[6:].strip()[:32]
        elif row.startswith("a=candidate:"):
            await ask.gateway.calls.peers.candidate(line, PEER, row, mid, None if mid else 0)
    return web.Response(status=204)


async def end(ask: Ask) -> web.StreamResponse:
    line = own_line(ask)
    await ask.gateway.calls.leave(line.person, ask.part("call"))
    return web.Response(status=200)


# ---------------------------------------------------------------- what comes in


async def body(ask: Ask, kind: str) -> str:
    if ask.request.content_type != kind:
        raise BadInput(ErrorCode.BAD_MESSAGE, f"Content-Type must be {kind}")
    if (ask.request.content_length or 0) > MAX_SDP_CHARS:
        raise TooMuch(ErrorCode.TOO_LARGE, "at most 64 kB")
    try:
        return await ask.request.text()
    except (UnicodeDecodeError, LookupError):
        raise BadInput(ErrorCode.BAD_SDP, "not UTF-8") from None


def bearer(ask: Ask) -> str:
    found = auth.credentials(ask.request)
    if found is None or found.cookie:
        raise NotYours(ErrorCode.BAD_TICKET, "Authorization: Bearer with a call ticket")
    return found.token


async def holder(ask: Ask, ticket: Ticket) -> Person:
    async with ask.gateway.store.read() as connection:
        person = await people.get(connection, ticket.person)
    if person is None:
        raise NotYours(ErrorCode.BAD_TICKET, "nobody holds this ticket")
    return person


def own_line(ask: Ask) -> WhipLine:
    """The call this very ticket began."""
    ticket = ask.gateway.tickets.read(bearer(ask), expired=True)
    room = ask.gateway.calls.rooms.open.get(ask.part("call"))
    line = room.line if room else None
    if not isinstance(line, WhipLine) or line.ticket.id != ticket.id:
        raise NotYours(ErrorCode.NOT_FOUND, "no such call")
    return line
