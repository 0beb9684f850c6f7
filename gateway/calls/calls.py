"""Calls: who may start, resume, take over and end one, and when there is no room for another.

A peer connection before the tap is a standby (gateway.calls.peers); a call is a room (gateway.calls.room), put together
by gateway.calls.rooms; what it writes is gateway.calls.record and gateway.calls.minutes.
"""

import asyncio
from typing import Any

from gateway.alarms import Alarms
from gateway.calls import context as call_context
from gateway.calls.about import About
from gateway.calls.context import CallContext
from gateway.calls.load import Load
from gateway.calls.peers import Line, Peers
from gateway.calls.room import Room
from gateway.calls.rooms import MakesVoices, Rooms
from gateway.chat import Chat
from gateway.dialogue.ports import Dialogue
from gateway.domain import call as machine
from gateway.domain.call import Call
from gateway.domain.people import Person
from gateway.errors import Conflict, NestcallError, NotYours, TooMuch
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store import calls as rows
from gateway.store import people
from gateway.store.engine import Store
from signaling.protocol import CallChanged, CallReport, CallView, ErrorCode, MediaKind, TextBody
from signaling.sdp import Rules

SWEEP_S = 1.0


class Calls:
    """All calls of this gateway. `run()` owns their tasks; nothing can be started before it runs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        chat: Chat,
        hub: Hub,
        alarms: Alarms,
        dialogue: Dialogue,
        voices: MakesVoices,
        *,
        gateway: str = "gateway",
        rules: Rules | None = None,
    ) -> None:
        self._settings, self._store, self._chat = settings, store, chat
        self.load = Load()
        self.peers = Peers(rules or Rules(allow_lan=settings.allow_lan), settings.max_standbys, self._refuses)
        self.rooms = Rooms(store, chat, hub, alarms, dialogue, voices, self.peers, gateway=gateway)
        self._prepared: dict[Line, asyncio.Task[CallContext | None]] = {}
        """Of lines with a standby, until the tap or the end of the line."""
        self.draining = False

    async def run(self) -> None:
        """Until cancelled. Calls that run then stay unfinished in the database: the next gateway waits for them."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.load.run())
                await self.rooms.serve(tasks)
                while True:
                    await asyncio.sleep(SWEEP_S)
                    await self.peers.sweep()
                    if self.load.high:
                        await self.peers.shed()
        finally:
            for line in list(self._prepared):
                self.forget(line)
            await self.peers.close_all()

    @property
    def full(self) -> bool:
        return self.draining or self.load.high or len(self.rooms.live) >= self._settings.max_calls

    def _refuses(self, line: Line) -> bool:
        """A running call's own parties are always let in: an advisor who takes over, a mother who comes back."""
        return self.full and line.person.role == "customer" and not self.rooms.of_customer(line.person.id)

    # ------------------------------------------------------------ the customer's side

    async def start(
        self, line: Line, *, nonce: str, conversation: str, media: MediaKind, peer: str, style: str = "browser"
    ) -> Room:
        """The tap. Sound does not wait for the log; whoever asked does: on return the call is durable."""
        await self.rooms.ready.wait()
        room = self._started_with(line.person, nonce)
        if room is None:
            await self._admit(line.person)
            room = await self._open(line, nonce, conversation, media, peer, style)
        await room.begun()
        return room

    def _started_with(self, person: Person, nonce: str) -> Room | None:
        return next((room for room in self.rooms.of_customer(person.id) if room.about.nonce == nonce), None)

    async def _admit(self, person: Person) -> None:
        """One live call a person; a call that only waits for her to come back gives way."""
        for room in self.rooms.of_customer(person.id):
            if room.call.answered and not room.call.away:
                raise TooMuch(ErrorCode.CALL_LIMIT, "this person has a call already")
            await room.ask(machine.Stopped("replaced"))
        if self.full:
            raise TooMuch(ErrorCode.BUSY, "all lines are in use", retry_after_ms=10_000)

    async def _open(self, line: Line, nonce: str, conversation: str, media: MediaKind, peer: str, style: str) -> Room:
        began = asyncio.get_running_loop().time()
        context = await self._context(line, conversation)
        if context().customer != line.person.id:
            raise NotYours(ErrorCode.NOT_FOUND)
        context.begin_in(line.person.language)
        about = About(
            call=people.new_id("k"),
            conversation=conversation,
            customer=line.person,
            media=media,
            style=style,
            started_at=self._chat.now(),
            language=context().language,
            nonce=nonce,
        )
        if again := self._started_with(line.person, nonce):
            return again
        await self._admit(line.person)  # once more: others came while the context was read
        leg = self.peers.take(line, peer)
        room = self.rooms.make(about, context, Call(connect_s=self._settings.connect_deadline))
        room.began, room.line = began, line
        room.place(leg, lambda: self.rooms.record.begin(room))
        room.minutes.write(lambda: context.refresh(self._store, self._chat))
        return room

    # ------------------------------------------------------------ read before the tap

    def prepare(self, line: Line) -> None:
        """At the standby's offer: read what the call will need, so that the tap does not wait for the database."""
        if line.person.role == "customer" and line not in self._prepared:
            self._prepared[line] = asyncio.get_running_loop().create_task(self._read(line.person))

    async def gone(self, line: Line) -> None:
        """The connection is over: what was made ready for it goes; a call lives on."""
        self.forget(line)
        await self.peers.gone(line)

    def forget(self, line: Line) -> None:
        if reading := self._prepared.pop(line, None):
            reading.cancel()

    async def _read(self, person: Person) -> CallContext | None:
        try:
            async with self._store.read() as connection:
                state = await people.conversation_of(connection, person.id)
            return await call_context.of_call(self._store, self._chat, state.id) if state else None
        except NestcallError:
            return None  # the tap reads again, and says what is wrong

    async def _context(self, line: Line, conversation: str) -> CallContext:
        reading = self._prepared.pop(line, None)
        prepared = await reading if reading else None
        if prepared and prepared().conversation == conversation:
            return prepared
        return await call_context.of_call(self._store, self._chat, conversation)

    async def resume(self, line: Line, call: str, peer: str) -> Room:
        """The same call on a new peer connection: hers, or the advisor's who has it."""
        room = self._room(call)
        if line.person.id != room.about.customer.id:
            return await self.take_over(line, call, peer)
        room.seat_customer(self.peers.take(line, peer))
        return room

    async def leave(self, person: Person, call: str) -> None:
        """She hangs up, or the advisor does: either ends the call; on the way in he only steps back."""
        room = self._room(call)
        if person.id == room.about.customer.id:
            await room.ask(machine.CustomerLeft())
        elif person.id != room.call.advisor:
            raise NotYours(ErrorCode.NOT_FOUND)
        elif room.call.state == "taking_over":
            await room.ask(machine.AdvisorGone(person.id))
        else:
            await room.ask(machine.Stopped("advisor_left"))

    async def say(self, person: Person, call: str, nonce: str, text: str) -> None:
        """She typed or tapped a choice: a message like any other, which the voice answers (Rooms)."""
        room = self._hers(person, call)
        await self._chat.send(person, room.about.conversation, nonce, TextBody(text=text))

    def press(self, person: Person, call: str, digit: str) -> None:
        """A key of the pad."""
        self._hers(person, call).hear(digit, "key")

    def _hers(self, person: Person, call: str) -> Room:
        room = self._room(call)
        if person.id != room.about.customer.id:
            raise NotYours(ErrorCode.NOT_FOUND)
        return room

    # ------------------------------------------------------------ the advisor's side

    async def take_over(self, line: Line, call: str, peer: str) -> Room:
        """Two-phase and one winner: see gateway.domain.call. Raises Conflict(TAKEN)."""
        room = self._room(call)
        if line.person.role != "advisor":
            raise NotYours(ErrorCode.FORBIDDEN, "only an advisor takes a call over")
        state = await self._chat.state(line.person, room.about.conversation)
        if state.assignee not in (None, line.person.id) or room.call.advisor not in (None, line.person.id):
            raise Conflict(ErrorCode.TAKEN, "another advisor was first")
        leg = self.peers.take(line, peer)
        try:
            await room.seat_advisor(line.person, leg)
        except Conflict:
            self.peers.ended(leg, "ended")
            raise
        return room

    async def hand_back(self, person: Person, call: str) -> None:
        await self._room(call).ask(machine.HandBackAsked(person.id))

    def _room(self, call: str) -> Room:
        room = self.rooms.open.get(call)
        if room is None or room.call.state == "ended":
            raise NotYours(ErrorCode.NOT_FOUND, "no such call")
        return room

    # ------------------------------------------------------------ what others ask

    async def views_of(self, person: Person) -> tuple[CallView, ...]:
        """Running calls to resume: hers, or the one an advisor has. After a restart this waits for what was left."""
        await self.rooms.ready.wait()
        return tuple(
            room.view() for room in self.rooms.live if person.id in (room.about.customer.id, room.call.advisor)
        )

    def tell_running(self, line: Line, conversation: str) -> None:
        """To one who has just opened this conversation: what `call.changed` said before."""
        for room in self.rooms.live:
            if room.about.conversation == conversation:
                line.send(CallChanged(call=room.view()))

    async def report(self, person: Person, message: CallReport) -> None:
        """What the page measured goes beside what the gateway measured, also after the call."""
        async with self._store.read() as connection:
            row = await rows.find(connection, message.call)
        if row is None:
            raise NotYours(ErrorCode.NOT_FOUND)
        await self._chat.state(person, row["conversation"])
        if message.waterfall:
            await self._note(message.call, "waterfall", person.role, message.waterfall.model_dump(mode="json"))
        if message.stats:
            room = self.rooms.open.get(message.call)
            if room and person.role in ("customer", "advisor"):
                room.lines.told("customer" if person.role == "customer" else "advisor", message.stats)
            await self._note(message.call, "stats", person.role, message.stats)

    async def _note(self, call: str, column: str, part: str, values: dict[str, Any]) -> None:
        await self._store.write(lambda connection: rows.note(connection, call, column, part, values))
