"""The advisors' side of a call: who is in it or on the way in, bridged to her, and written down."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gateway.calls.sound import Speaker, talk
from gateway.domain import call as machine
from gateway.domain.people import Person
from media.bridge import Bridge
from media.peer import Leg, LegState


@dataclass(slots=True)
class Seat:
    person: Person
    leg: Leg


class Seats:
    """`post` tells the room, `drop(leg, reason)` closes a leg; `make_scribe` writes down what an advisor says."""

    def __init__(
        self,
        call: str,
        *,
        post: Callable[[machine.Event], None],
        drop: Callable[[Leg, str], None],
        make_scribe: Callable[[Person, Leg], Speaker] | None,
    ) -> None:
        self._call, self._post, self._drop, self._make_scribe = call, post, drop, make_scribe
        self._seats: dict[str, Seat] = {}
        self._bridge: Bridge | None = None
        self.scribes: dict[Leg, asyncio.Task[bool]] = {}
        """Each writes until its leg is gone and the last words are down."""

    def of(self, advisor: str | None) -> Seat | None:
        return self._seats.get(advisor or "")

    def take(self, person: Person, leg: Leg) -> None:
        """On the way in, or on a new leg of his own."""
        old = self._seats.get(person.id)
        self._seats[person.id] = Seat(person, leg)
        if old is not None and old.leg is not leg:
            self._drop(old.leg, "replaced")
        leg.on_state = lambda state: self._leg_is(person.id, leg, state)

    def _leg_is(self, advisor: str, leg: Leg, state: LegState) -> None:
        seat = self._seats.get(advisor)
        if seat is None or seat.leg is not leg:
            return
        if state == "connected":
            self._post(machine.AdvisorConnected(advisor))
        elif state in ("lost", "closed"):
            self._post(machine.AdvisorGone(advisor))

    def join(self, seat: Seat, hers: Leg, tasks: asyncio.TaskGroup) -> None:
        self.part()
        self._bridge = Bridge(hers, seat.leg)
        if self._make_scribe and seat.leg not in self.scribes:
            writing = tasks.create_task(talk(self._make_scribe(seat.person, seat.leg), self._call))
            self.scribes[seat.leg] = writing
            writing.add_done_callback(lambda _: self.scribes.pop(seat.leg))

    def part(self) -> None:
        if self._bridge:
            self._bridge.close()
        self._bridge = None

    def dismiss(self, advisor: str) -> None:
        if seat := self._seats.pop(advisor, None):
            self._drop(seat.leg, "ended")

    def dismiss_all(self) -> None:
        for advisor in list(self._seats):
            self.dismiss(advisor)
