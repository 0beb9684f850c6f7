"""Wire message -> use-case. Knows every connection as a `Visit`, and one verb per message type."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.domain.events import as_seen_by
from gateway.domain.people import Person
from gateway.errors import NestcallError
from gateway.hub import Hub
from gateway.store import inbox, log, people
from gateway.store.engine import Store
from signaling import connection as machine
from signaling.connection import Feed
from signaling.ice import TURN_LIFETIME_S
from signaling.protocol import (
    CallView,
    ClientMessage,
    Error,
    ErrorCode,
    Event,
    EventAppended,
    Hello,
    IceRenewed,
    IceServer,
    Language,
    Ready,
    ServerMessage,
)
from signaling.socket import Link

PAGE = 200
RENEW_S = TURN_LIFETIME_S / 2
"""A credential a page holds is good for at least this long."""

Verb = Callable[["Visit", Any], Awaitable[ServerMessage | None]]
"""Carries out one message; what it returns is the answer to its sender. Raises NestcallError."""

logger = structlog.get_logger()


class Visit:
    """One connection after hello: whose it is, and how far it has been told of each conversation."""

    def __init__(self, person: Person, link: Link, board: "Switchboard") -> None:
        self.person = person
        self.link = link
        self.farewells: list[Callable[[], Awaitable[None]]] = []
        """What else must be undone when this connection goes (its peer connections)."""
        self._board = board
        self._feeds: dict[str, Feed] = {}

    @property
    def address(self) -> str:
        return self.link.address

    # ------------------------------------------------------------ from the client

    async def receive(self, message: ClientMessage) -> None:
        try:
            answer = await self._board.verb(message)(self, message)
        except NestcallError as error:
            answer = refusal(error, message)
        except Exception:
            logger.exception("verb failed", verb=message.type)
            answer = refusal(NestcallError(), message)
        if answer is not None:
            self.send(answer)

    async def left(self) -> None:
        self._board.hub.leave(self)
        for farewell in self.farewells:
            try:
                await farewell()
            except Exception:
                logger.exception("farewell failed")

    def speaks(self, language: Language) -> None:
        """Known from now on, also where she is not connected: an alarm nobody takes is told in it."""
        if language != self.person.language:
            self.person = replace(self.person, language=language)
            self.link.spawn(self._kept(language))

    async def _kept(self, language: Language) -> None:
        try:
            await self._board.store.write(lambda c: people.speaks(c, self.person.id, language))
        except NestcallError as error:
            logger.warning("language not kept", code=str(error.code))

    # ------------------------------------------------------------ to the client

    def send(self, message: ServerMessage) -> None:
        self.link.send(message)

    def offer(self, event: Event) -> None:
        """Live from the hub: send, or read the log first where something is missing."""
        feed = self._feeds.get(event.conversation) or Feed(event.seq - 1, event.seq - 1)
        self._feeds[event.conversation], verdict = machine.offered(feed, event.seq)
        match verdict:
            case "send":
                self._show(event)
            case "pull" if self.link.open:
                self.link.spawn(self._pull(event.conversation))

    def _show(self, event: Event) -> None:
        self.send(EventAppended(event=as_seen_by(event, self.person.id, staff=self.person.staff)))

    def subscribe(self, conversation: str) -> None:
        """Before the log is read: from here on live events only move the head."""
        if conversation not in self._feeds:
            self._feeds[conversation] = Feed(cursor=0, head=0, pulling=True)
            self._board.hub.follow(conversation, self)

    def start(self, conversation: str, after: int, last_seq: int) -> None:
        """The log was read up to `last_seq`; she has everything up to `after`."""
        head = max(last_seq, self._feeds[conversation].head)
        self._feeds[conversation] = machine.rested(Feed(min(after, last_seq), head))
        if self._feeds[conversation].pulling:
            self.link.spawn(self._pull(conversation))

    def opened(self, conversation: str) -> None:
        """She follows it from now on."""
        for tell in self._board.opened:
            tell(self, conversation)

    def unsubscribe(self, conversation: str) -> None:
        self._board.hub.unfollow(conversation, self)
        self._feeds.pop(conversation, None)

    def follows(self, conversation: str) -> bool:
        return conversation in self._feeds

    async def _pull(self, conversation: str) -> None:
        """Everything missed, in order, no faster than she reads."""
        try:
            while (feed := self._feeds.get(conversation)) is not None and feed.pulling:
                await self.link.room()
                missed = partial(log.after, conversation=conversation, seq=feed.cursor, limit=PAGE)
                events = await self._board.store.look(missed)
                self._show_page(conversation, events)
        except NestcallError as error:
            self.link.send(Error(code=error.code, detail="catching up failed; resume"))
            self.link.hang_up(1013, "resume")

    def _show_page(self, conversation: str, events: list[Event]) -> None:
        feed = self._feeds.get(conversation)
        if feed is None:
            return
        for event in events:
            feed, verdict = machine.pulled(feed, event.seq)
            if verdict == "send":
                self._show(event)
        self._feeds[conversation] = machine.rested(feed) if len(events) < PAGE else feed


def refusal(error: NestcallError, message: ClientMessage) -> Error:
    return Error(
        code=error.code,
        detail=error.detail[:500],
        re=message.type,
        nonce=getattr(message, "nonce", None),
        peer=getattr(message, "peer", None),
        retry_after_ms=error.retry_after_ms or (1_000 if error.retryable else None),
    )


async def no_calls(_person: Person) -> tuple[CallView, ...]:
    return ()


async def arrival(connection: AsyncConnection, token: str, claimed: list[str]) -> tuple[Person, list[str]] | None:
    """Whose session it is, and which conversations she follows: hers, and of the claimed those she may see."""
    person = await people.by_token(connection, token, clock.now())
    return None if person is None else (person, list(await inbox.heads(connection, person, claimed)))


class Switchboard:
    """The `Desk` of signaling. Calls hang their verbs, their list and their ICE servers in here."""

    def __init__(self, store: Store, hub: Hub, verbs: Mapping[type, Verb]) -> None:
        self.store = store
        self.hub = hub
        self.verbs: dict[type, Verb] = dict(verbs)
        self._links: WeakKeyDictionary[Link, str] = WeakKeyDictionary()
        """Whose session each came with, hashed; from before that was looked up, so that no sign-out falls between."""
        self.running_calls: Callable[[Person], Awaitable[tuple[CallView, ...]]] = no_calls
        self.ice_servers: Callable[[Person], tuple[IceServer, ...]] = lambda _person: ()
        self.capabilities: dict[str, bool | str] = {}
        self.welcomed: list[Callable[[Visit], Awaitable[None]]] = []
        """What else a new connection is told after `ready` (open alarms)."""
        self.opened: list[Callable[[Visit, str], None]] = []
        """What else one is told who opens a conversation (its running call)."""

    def verb(self, message: ClientMessage) -> Verb:
        verb = self.verbs.get(type(message))
        if verb is None:
            raise NestcallError(ErrorCode.UNAVAILABLE, f"{message.type} is not served here")
        return verb

    async def welcome(self, hello: Hello, link: Link) -> Visit | Error:
        try:
            token, claimed = hello.token or link.credentials, list(hello.resume)
            self._links[link] = people.hashed(token or "")
            known = await self.store.look(lambda c: arrival(c, token, claimed)) if token else None
            if known is None:
                return Error(code=ErrorCode.UNAUTHENTICATED, re="hello", detail="no valid session")
            person, hers = known
            visit = Visit(person, link, self)
            visit.speaks(hello.language or person.language)
            return await self._greet(visit, hello, hers)
        except NestcallError as error:
            return refusal(error, hello)

    async def _greet(self, visit: Visit, hello: Hello, hers: list[str]) -> Visit:
        """Subscribe, then read, then say `ready`, then what was missed."""
        self.hub.join(visit)
        try:
            for conversation in hers:
                visit.subscribe(conversation)
            # Again: what came between is in the log or in the head.
            heads = await self.store.look(lambda c: inbox.heads(c, visit.person, hers))
            ready = await self._ready(visit, heads)
            visit.send(ready)
            if any(server.credential for server in ready.ice_servers):
                visit.link.spawn(self._renew_ice(visit))
            for conversation, last_seq in heads.items():
                visit.start(conversation, hello.resume.get(conversation, last_seq), last_seq)
            for tell in self.welcomed:
                await tell(visit)
        except BaseException:
            await visit.left()
            raise
        return visit

    def signed_out(self, token: str) -> None:
        """The session is over, and with it whatever is connected by it."""
        for link, session in list(self._links.items()):
            if session == people.hashed(token):
                link.send(Error(code=ErrorCode.UNAUTHENTICATED, detail="signed out"))
                link.hang_up(4401, str(ErrorCode.UNAUTHENTICATED))

    async def _renew_ice(self, visit: Visit) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            visit.send(IceRenewed(ice_servers=self.ice_servers(visit.person)))

    async def _ready(self, visit: Visit, heads: dict[str, int]) -> Ready:
        return Ready(
            connection=visit.link.id,
            me=visit.person.me(),
            conversations=heads,
            calls=await self.running_calls(visit.person),
            ice_servers=self.ice_servers(visit.person),
            server_time=clock.now(),
            capabilities=self.capabilities,
        )
