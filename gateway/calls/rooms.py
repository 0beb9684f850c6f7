"""The rooms of this gateway: how one is put together, runs, and is found again after a restart."""

import asyncio
from collections import defaultdict
from typing import Protocol

import structlog
from sqlalchemy import RowMapping

from gateway.alarms import Alarms
from gateway.calls import context as call_context
from gateway.calls.about import About
from gateway.calls.answers import SpokenAnswers
from gateway.calls.consequences import Consequences
from gateway.calls.context import CallContext
from gateway.calls.flags import Flags
from gateway.calls.lines import Lines
from gateway.calls.minutes import Minutes, Write
from gateway.calls.peers import Peers
from gateway.calls.record import Record
from gateway.calls.room import Owning, Room
from gateway.calls.silence import Silence
from gateway.calls.sound import Speaker, SteadyEar, Voicing
from gateway.chat import Chat
from gateway.dialogue.ports import Dialogue
from gateway.domain.call import AssistantReady, Call
from gateway.domain.people import Person
from gateway.errors import Broken, NotYours
from gateway.hub import Hub
from gateway.reading import asks, words
from gateway.store import calls as rows
from gateway.store import people
from gateway.store.engine import Store
from media.ports import Ear, Journal
from signaling.protocol import Event, EventKind, Language

log = structlog.get_logger()

REVIVE_S = 30.0
"""After a restart, a call of the gateway before waits this long for its customer."""
AGAIN_S = 1.0
"""Between two attempts to write the end of a call."""


class MakesVoices(Protocol):
    """`gateway.calls.voice.Voices`."""

    def make(
        self, ear: SteadyEar, words: str, answers: SpokenAnswers, minutes: Minutes, context: CallContext
    ) -> Voicing: ...

    def scribe(self, ear: Ear, journal: Journal, language: Language) -> Speaker: ...


class Rooms:
    """Tasks belong to the TaskGroup handed to `serve`."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        hub: Hub,
        alarms: Alarms,
        dialogue: Dialogue,
        voices: MakesVoices,
        peers: Peers,
        *,
        gateway: str,
    ) -> None:
        self._store, self._chat, self._hub = store, chat, hub
        self._alarms, self._dialogue, self._voices, self._peers = alarms, dialogue, voices, peers
        self.record = Record(store, chat, hub, gateway)
        self.open: dict[str, Room] = {}
        self._flags: dict[str, Flags] = {}
        self._taken: defaultdict[str, set[int]] = defaultdict(set)
        """By call: the questions that are its turns, by seq."""
        self._ends: dict[str, Write] = {}
        """By call: what writes its end, until it has."""
        hub.taps.append(self._heard)
        self.ready = asyncio.Event()
        """Calls left by the gateway before are known; from here on rooms can be opened."""
        self._tasks: asyncio.TaskGroup | None = None

    def of_customer(self, person: str) -> list[Room]:
        """A call that has ended is hers no more, even while its last words are being written."""
        return [room for room in self.live if room.about.customer.id == person]

    @property
    def live(self) -> list[Room]:
        return [room for room in self.open.values() if room.call.state != "ended"]

    async def serve(self, tasks: asyncio.TaskGroup) -> None:
        """From now on rooms can be opened; calls of the gateway before wait for their customers."""
        self._tasks = tasks
        async with self._store.read() as connection:
            left, stranded = await rows.unfinished(connection), await rows.stranded(connection)
        for row in stranded:
            await self.record.end_stranded(row["id"], row["call"])
        for row in left:
            await self._revive(row)
        self.ready.set()

    # ------------------------------------------------------------ one room

    def make(self, about: About, context: CallContext, call: Call, turn_base: int = 0) -> Room:
        minutes = Minutes(self._store, self._chat, self._hub, about=about, turn_base=turn_base)

        def make_voice(ear: SteadyEar, words: str) -> Voicing:
            """The first, or one in place of a broken one; each counts its turns from its own beginning."""
            minutes.begin_counting()
            answers = SpokenAnswers(self._dialogue, context)
            answers.flagged = flags.check
            answers.apply = Consequences(self._hub, room, context).apply
            return self._voices.make(ear, words, answers, minutes, context)

        room = Room(
            about,
            minutes,
            Lines(self._hub, about),
            make_voice=make_voice,
            show=self.record.shown,
            drop=self._peers.ended,
            own=self._own,
            make_scribe=lambda advisor, leg: self._voices.scribe(leg.ear, minutes.of_advisor(advisor), about.language),
            call=call,
        )
        assert self._tasks is not None
        flags = self._flags[about.call] = Flags(
            self._dialogue, self._alarms, self._chat, self._hub, room, context, start=self._tasks.create_task
        )
        minutes.on_words = flags.check
        minutes.on_line = context.line
        minutes.on_idle = Silence(self._chat, room, start=self._tasks.create_task)
        room.on_over = lambda: minutes.write(self._ending(room))
        self.open[about.call] = room
        self._tasks.create_task(self._host(room))
        return room

    async def _host(self, room: Room) -> None:
        call = room.about.call
        try:
            await room.run()
        except Exception:
            log.exception("call.failed", call=call)
        finally:
            self.open.pop(call, None)
            self._flags.pop(call, None)
            self._taken.pop(call, None)
        await self._ended_for_good(room)

    def _ending(self, room: Room) -> Write:
        end = self._ends[room.about.call] = self.record.ending(room)

        async def ended() -> None:
            await end()
            self._ends.pop(room.about.call, None)

        return ended

    async def _ended_for_good(self, room: Room) -> None:
        """The minutes may have failed at it; until it is written the conversation seems to be in a call."""
        call = room.about.call
        end = self._ends.pop(call, None) if room.call.state == "ended" else self.record.ending(room)
        while end is not None:
            try:
                await end()
                end = None
            except Broken as error:
                log.warning("call.end_not_written", call=call, code=str(error.code))
                await asyncio.sleep(AGAIN_S)
            except Exception:
                log.exception("call.end_lost", call=call)
                end = None

    def _heard(self, event: Event) -> None:
        """Each event passes once. What she writes beside the call is a turn of it, however it was sent."""
        for room in self.open.values():
            if room.about.conversation == event.conversation:
                self._flags[room.about.call].follow(event)
                if event.role == "customer" and asks(event) and words(event) and room.call.state != "ended":
                    self._taken[room.about.call].add(event.seq)
                    self._written(room, event)

    def took(self, question: Event) -> bool:
        """A call answers it: it came while the call's room was open. The same word for the room and for the assistant
        in text, so that a message around the beginning or the end of a call has one answer."""
        return any(
            question.seq in self._taken[call]
            for call, room in self.open.items()
            if room.about.conversation == question.conversation
        )

    def _written(self, room: Room, event: Event) -> None:
        """A photo has no words: the assistant says in the chat that it cannot see it. What she said herself is no
        question in the log, nor is her button one for the voice."""
        if event.kind == EventKind.MESSAGE_SENT:
            room.minutes.wrote([event])
            room.minutes.on_line("customer", words(event), ())
            room.hear(words(event), "typed")

    # ------------------------------------------------------------ what a room asks for

    def _own(self, room: Room, advisor: Person, how: Owning) -> None:
        """The conversation follows the call: accepted with the takeover, handed back with it."""

        async def follow() -> None:
            try:
                await self.record.owner(room, advisor, how)
            finally:
                room.post(AssistantReady())

        room.minutes.write(follow)

    # ------------------------------------------------------------ after a restart

    async def _revive(self, row: RowMapping) -> None:
        """As if her line had dropped: the assistant takes the call when she is back."""
        try:
            async with self._store.read() as connection:
                customer = await people.get(connection, row["customer"])
            assert customer is not None
            await self.record.half_said(row["conversation"], row["id"], row["half_said"])
            context = await call_context.of_call(self._store, self._chat, row["conversation"])
            async with self._store.read() as connection:
                turn = await rows.last_turn(connection, row["conversation"], row["id"])
        except NotYours as error:
            log.warning("call.not_revived", call=row["id"], code=str(error.code))
            return
        about = About(
            call=row["id"],
            conversation=row["conversation"],
            customer=customer,
            media=row["media"],
            style=row["style"],
            started_at=row["started_at"],
            language=context().language,
        )
        call = Call(state="with_assistant", epoch=row["epoch"] + 1, away=True, answered=True)
        room = self.make(about, context, call, turn_base=1 + turn)
        room.await_customer(REVIVE_S)
        log.info("call.waiting_for_customer", call=about.call)
