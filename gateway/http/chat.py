"""The same operations as over the WebSocket, for networks that break it: long poll instead of push."""

import asyncio
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.domain.people import Person
from gateway.errors import BadInput, NotYours
from gateway.http.ask import Ask, answer, first_fault
from gateway.store import inbox as rows
from gateway.store.schema import conversations
from gateway.verbs import Plain
from signaling.protocol import (
    Ack,
    ErrorCode,
    Event,
    FeedbackGive,
    InboxItem,
    MessageEdit,
    MessageRecall,
    MessageSend,
    NoteAdd,
    ServerMessage,
    client_message,
)

MAX_WAIT_S = 25
WRITABLE = (MessageSend, MessageEdit, MessageRecall, NoteAdd, FeedbackGive)


class EventsPage(BaseModel):
    events: tuple[Event, ...]
    last_seq: int
    more: bool


class Items(BaseModel):
    items: tuple[InboxItem, ...]


class Poll:
    """A long poll listens like a connection does, and only wants to know that something came."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.came = asyncio.Event()

    def offer(self, _event: Event, /) -> None:
        self.came.set()

    def send(self, _message: ServerMessage, /) -> None:
        """Ephemeral things are for those who are connected."""


async def events(ask: Ask) -> web.StreamResponse:
    """GET …/events?after=&before=&limit=&wait=: a page; with `wait` (seconds) an empty one waits for news."""
    after, before = ask.number("after"), ask.number("before")
    limit = ask.number("limit", low=1, high=500) or 100
    wait = ask.number("wait", high=MAX_WAIT_S) or 0
    poll = Poll(ask.person)
    hub, conversation = ask.gateway.hub, ask.part("conversation")
    hub.follow(conversation, poll)  # before reading: nothing falls between
    try:
        page = await ask.gateway.chat.history(ask.person, conversation, after=after, before=before, limit=limit)
        if not page.events and wait and after is not None and await heard(poll, wait):
            page = await ask.gateway.chat.history(ask.person, conversation, after=after, limit=limit)
    finally:
        hub.leave(poll)
    return answer(EventsPage(events=page.events, last_seq=page.last_seq, more=page.more))


async def heard(poll: Poll, wait: int) -> bool:
    try:
        async with asyncio.timeout(wait):
            return await poll.came.wait()
    except TimeoutError:
        return False


async def conversation(ask: Ask) -> web.StreamResponse:
    """GET …: the conversation as a line of a list."""
    await ask.gateway.chat.state(ask.person, ask.part("conversation"))
    async with ask.gateway.store.read() as connection:
        items = await rows.items(connection, conversations.c.id == ask.part("conversation"))
    return answer(items[0])


async def inbox(ask: Ask) -> web.StreamResponse:
    """GET /api/v1/inbox: what this person may see; a customer sees her own conversation."""
    return answer(Items(items=tuple(await ask.gateway.inbox.items(ask.person))))


async def write(ask: Ask) -> web.StreamResponse:
    """POST …/events: a message.send, or another writing message named by `type`. 201 with the ack."""
    content = await ask.content()
    content.setdefault("type", "message.send")
    if content["type"] not in [kind.model_fields["type"].default for kind in WRITABLE]:  # it may be any JSON
        raise BadInput(ErrorCode.UNKNOWN_TYPE, "not a writing message")
    return await carried_out(ask, content, 201)


async def act(ask: Ask) -> web.StreamResponse:
    """POST …/acts {nonce, act}"""
    return await carried_out(ask, {**await ask.content(), "type": "conversation.act"})


async def mark(ask: Ask) -> web.StreamResponse:
    """POST …/receipts {delivered, read}: 202, written with the next few."""
    return await carried_out(ask, {**await ask.content(), "type": "receipt.mark"}, 202)


async def acknowledge(ask: Ask) -> web.StreamResponse:
    await ask.gateway.alarms.acknowledge(ask.person, ask.part("alarm"))
    return web.Response(status=204)


async def carried_out(ask: Ask, content: dict[str, Any], status: int = 200) -> web.StreamResponse:
    try:
        message = client_message.validate_python({**content, "conversation": ask.part("conversation")})
    except ValidationError as error:
        raise BadInput(detail=first_fault(error)) from None
    verb: Plain | None = ask.gateway.plain.get(type(message))
    if verb is None:
        raise NotYours(ErrorCode.NOT_FOUND)
    ack = await verb(ask, message)
    return answer(ack, status) if isinstance(ack, Ack) else web.Response(status=status)
