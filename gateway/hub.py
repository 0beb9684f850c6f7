"""Fan-out: who hears of what. Holds nothing that is not in the log; a listener that misses something reads it there."""

from collections import defaultdict
from collections.abc import Callable
from typing import Literal, Protocol

from gateway.domain.people import Person, may_see
from signaling.protocol import Event, EventKind, ServerMessage

Audience = Literal["all", "staff", "customer"]


class Listener(Protocol):
    """A connection, a long poll."""

    person: Person

    def offer(self, event: Event, /) -> None: ...

    def send(self, message: ServerMessage, /) -> None: ...


Tap = Callable[[Event], None]


class Hub:
    """In one process. Several gateways wake each other through Redis (gateway.wake)."""

    def __init__(self) -> None:
        self._people: defaultdict[str, set[Listener]] = defaultdict(set)
        self._followers: defaultdict[str, set[Listener]] = defaultdict(set)
        self._following: defaultdict[Listener, set[str]] = defaultdict(set)
        self._watchers: set[Listener] = set()
        self._staff: set[Listener] = set()
        self.taps: list[Tap] = []
        """Told of every event first: inbox, assistant, search index. Must not wait."""

    # ------------------------------------------------------------ who listens

    def join(self, listener: Listener) -> None:
        self._people[listener.person.id].add(listener)
        if listener.person.staff:
            self._staff.add(listener)

    def leave(self, listener: Listener) -> None:
        for conversation in self._following.pop(listener, ()):
            drop(self._followers, conversation, listener)
        drop(self._people, listener.person.id, listener)
        self._watchers.discard(listener)
        self._staff.discard(listener)

    def follow(self, conversation: str, listener: Listener) -> None:
        self._followers[conversation].add(listener)
        self._following[listener].add(conversation)

    def unfollow(self, conversation: str, listener: Listener) -> None:
        drop(self._followers, conversation, listener)
        self._following[listener].discard(conversation)

    def follows(self, conversation: str, listener: Listener) -> bool:
        return listener in self._followers.get(conversation, ())

    def watch(self, listener: Listener) -> None:
        """This one shows an inbox."""
        self._watchers.add(listener)

    @property
    def watchers(self) -> tuple[Listener, ...]:
        return tuple(self._watchers)

    def online(self, person: str) -> bool:
        return person in self._people

    def staffed(self, chain: str, store: str) -> bool:
        """Is an advisor of the store, or a manager, connected?"""
        return any(may_see(one.person, chain=chain, store=store, customer="") for one in self._staff)

    # ------------------------------------------------------------ what they hear

    def publish(self, event: Event) -> None:
        """A stored event, to everybody who follows. Called in seq order after commit."""
        if event.kind == EventKind.CONVERSATION_ASSIGNED:
            for listener in self._people.get(str(event.data.get("advisor")), ()):
                self.follow(event.conversation, listener)
        for tap in self.taps:
            tap(event)
        for listener in tuple(self._followers.get(event.conversation, ())):
            listener.offer(event)

    def flash(self, conversation: str, message: ServerMessage, audience: Audience = "all") -> None:
        """Ephemeral: shown now or never."""
        for listener in tuple(self._followers.get(conversation, ())):
            if audience == "all" or (audience == "staff") == listener.person.staff:
                listener.send(message)

    def tell(self, person: str, message: ServerMessage) -> None:
        """To all devices of one person."""
        for listener in tuple(self._people.get(person, ())):
            listener.send(message)


def drop(groups: dict[str, set[Listener]], key: str, listener: Listener) -> None:
    """An empty group leaves nothing behind."""
    group = groups.get(key, set())
    group.discard(listener)
    if not group:
        groups.pop(key, None)
