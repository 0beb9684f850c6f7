"""Messages and decisions: permission, the log, then everybody who follows. Durable first, told second, acked last."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.domain.conversation import Conversation
from gateway.domain.events import Fact, as_seen_by
from gateway.domain.people import Person, may_see
from gateway.errors import NotYours
from gateway.hub import Hub
from gateway.store import files, log, people
from gateway.store.engine import Store
from signaling.protocol import CustomerBody, ErrorCode, Event, EventKind, TypingShown

Act = Literal["ask_person", "accept", "hand_back", "wrap_up", "resolve", "clear_red_flag"]


@dataclass(frozen=True, slots=True)
class Page:
    """Events as this reader may see them, ascending."""

    events: tuple[Event, ...]
    last_seq: int
    more: bool


class Chat:
    """Use-cases on conversations. `wake` is told of each customer's message (the assistant, once it listens)."""

    def __init__(self, store: Store, hub: Hub, *, now: clock.Clock = clock.now) -> None:
        self._store = store
        self._hub = hub
        self.now = now

    # ------------------------------------------------------------ writing

    async def append(self, conversation: str, *facts: Fact, thought_in: Conversation | None = None) -> list[Event]:
        """Facts of the gateway itself; permission is the caller's affair. Together or not at all, and not at all
        where owner or red flag are no longer those they were `thought_in`.

        Raises `Conflict` (nonce_conflict, stale_epoch, wrong_state, taken), `NotYours`, `StorageBroken`.
        """

        async def job(connection: AsyncConnection) -> log.Appended:
            locked = await log.find(connection, conversation, lock=True)
            return await log.append(connection, locked, facts, at=self.now(), thought_in=thought_in)

        return list((await self._store.write(job, self.tell)).events)

    async def propose(
        self, person: Person, conversation: str, fact: Fact, *, body: CustomerBody | None = None
    ) -> Event:
        """A person's fact: she must be allowed to see the conversation, and the state must allow it.

        A file's body is replaced by what our own row says of it; it must be hers and ready.
        """

        async def job(connection: AsyncConnection) -> log.Appended:
            found = await self.visible(connection, person, conversation, lock=True)
            ours = fact
            if isinstance(body, files.Attachment):
                ours = replace(fact, body=content(await files.confirmed(connection, person, conversation, body)))
            return await log.append(connection, found, (ours,), at=self.now())

        return as_seen_by((await self._store.write(job, self.tell)).events[0], person.id, staff=person.staff)

    def tell(self, appended: log.Appended | None) -> None:
        """What `Store.write` calls right after commit."""
        for event in appended.fresh if appended else ():
            self._hub.publish(event)

    async def send(self, person: Person, conversation: str, nonce: str, body: CustomerBody) -> Event:
        fact = Fact(EventKind.MESSAGE_SENT, person.id, person.role, nonce, content(body))
        return await self.propose(person, conversation, fact, body=body)

    async def edit(self, person: Person, conversation: str, nonce: str, target: int, text: str) -> Event:
        return await self._aim(person, conversation, EventKind.MESSAGE_EDITED, nonce, target, text=text)

    async def recall(self, person: Person, conversation: str, nonce: str, target: int) -> Event:
        """An advisor's recall is audited in the same transaction (gateway.store.log)."""
        return await self._aim(person, conversation, EventKind.MESSAGE_RECALLED, nonce, target)

    async def feedback(
        self, person: Person, conversation: str, nonce: str, target: int, verdict: str, comment: str = ""
    ) -> Event:
        kind = EventKind.FEEDBACK_GIVEN
        return await self._aim(person, conversation, kind, nonce, target, verdict=verdict, comment=comment)

    async def note(self, person: Person, conversation: str, nonce: str, text: str) -> Event:
        fact = Fact(EventKind.NOTE_ADDED, person.id, person.role, nonce, data={"text": text})
        return await self.propose(person, conversation, fact)

    async def _aim(
        self, person: Person, conversation: str, kind: EventKind, nonce: str, target: int, **data: str
    ) -> Event:
        fact = Fact(kind, person.id, person.role, nonce, data={"target": target, **data})
        return await self.propose(person, conversation, fact)

    async def act(self, person: Person, conversation: str, nonce: str, act: Act, why: str = "") -> Event:
        """A decision on the conversation."""
        if act != "ask_person" and not person.staff:
            raise NotYours(ErrorCode.FORBIDDEN, "staff only")
        return await self.propose(person, conversation, decision(person, nonce, act, why))

    # ------------------------------------------------------------ reading

    async def state(self, person: Person, conversation: str) -> Conversation:
        """Raises `NotYours` also for what is not there."""
        async with self._store.read() as connection:
            return await self.visible(connection, person, conversation)

    async def history(
        self,
        person: Person,
        conversation: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Page:
        """`after` pages forward, `before` backward; neither: the newest page."""
        async with self._store.read() as connection:
            found = await self.visible(connection, person, conversation)
            if after is not None:
                events: Sequence[Event] = await log.after(connection, conversation, after, limit + 1)
                more, events = len(events) > limit, events[:limit]
            else:
                end = before if before is not None else found.last_seq + 1
                events = await log.before(connection, conversation, end, limit + 1)
                more, events = len(events) > limit, events[-limit:]
        seen = tuple(as_seen_by(event, person.id, staff=person.staff) for event in events)
        return Page(seen, found.last_seq, more)

    async def visible(
        self, connection: AsyncConnection, person: Person, conversation: str, *, lock: bool = False
    ) -> Conversation:
        """Raises `NotYours`, for what is not there and for what is not hers alike."""
        found = await log.find(connection, conversation, lock=lock)
        if not may_see(person, chain=found.chain, store=found.store, customer=found.customer):
            raise NotYours(ErrorCode.NOT_FOUND)
        return found

    # ------------------------------------------------------------ ephemeral

    def typing(self, person: Person, conversation: str, on: bool) -> None:
        """Only to be called for a conversation this person follows."""
        self._hub.flash(conversation, TypingShown(conversation=conversation, party=person.id, role=person.role, on=on))

    # ------------------------------------------------------------ beginning

    async def conversation_for(self, person: Person, store: str) -> Conversation:
        """The customer's one thread, begun if there is none."""

        async def job(connection: AsyncConnection) -> log.Appended | Conversation:
            found = await people.conversation_of(connection, person.id)
            if found is not None:
                return found
            at = self.now()
            identity = await people.open_conversation(connection, person, store, at)
            locked = await log.find(connection, identity, lock=True)
            started = Fact(EventKind.CONVERSATION_STARTED, "system", "system", "started", data={"store": store})
            return await log.append(connection, locked, (started, greeting(person)), at=at)

        outcome = await self._store.write(job, lambda made: self.tell(made) if isinstance(made, log.Appended) else None)
        return outcome.conversation if isinstance(outcome, log.Appended) else outcome


def content(body: CustomerBody) -> dict[str, Any]:
    """A body as the log keeps it."""
    return body.model_dump(mode="json", exclude_defaults=True) | {"kind": body.kind}


def decision(person: Person, nonce: str, act: Act, why: str = "") -> Fact:
    """The fact an act proposes."""
    kinds: dict[Act, tuple[EventKind, dict[str, str]]] = {
        "ask_person": (EventKind.CONVERSATION_QUEUED, {"reason": "asked"}),
        "accept": (EventKind.CONVERSATION_ASSIGNED, {"advisor": person.id, "name": person.name}),
        "hand_back": (EventKind.CONVERSATION_HANDED_BACK, {"by": person.id}),
        "wrap_up": (EventKind.CONVERSATION_WRAPPED_UP, {"by": person.id}),
        "resolve": (EventKind.CONVERSATION_RESOLVED, {"by": person.id}),
        "clear_red_flag": (EventKind.RED_FLAG_CLEARED, {"by": person.id, "why": why}),
    }
    kind, data = kinds[act]
    return Fact(kind, person.id, person.role, nonce, data=dict(data))


GREETINGS = {
    "zh": "您好，我是门店的 AI 助手（人工智能，不是真人）。商品、育儿、物流、预约和优惠都可以问我；"
    "随时说“转人工”，我就请顾问来。",
    "en": "Hello, I am the store's AI assistant (an AI, not a person). Ask me about products, parenting, deliveries, "
    "appointments and offers. Say “human” any time and I will get an advisor.",
}


def greeting(person: Person) -> Fact:
    """Who answers here: said before anything else, by law."""
    body = {"kind": "text", "text": GREETINGS[person.language]}
    return Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", "greeting", body)


def new_nonce() -> str:
    return uuid4().hex
