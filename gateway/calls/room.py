"""One running call: its machine, its legs, its voice, its minutes. One TaskGroup; when `run` returns nothing is left.

Events of any origin (legs, timers, people) go through one inbox and are advanced one at a time; effects that change
media are immediate, what has to be written is queued in the minutes, so that no sound ever waits for the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, assert_never

import structlog

from gateway.calls.about import About
from gateway.calls.assistance import Assistance
from gateway.calls.lines import Lines
from gateway.calls.minutes import Minutes
from gateway.calls.peers import Line
from gateway.calls.seats import Seats
from gateway.calls.sound import Source, Speaker, SteadyEar, Voicing
from gateway.calls.words import notice
from gateway.domain import call as machine
from gateway.domain.call import Call
from gateway.domain.people import Person
from gateway.errors import Conflict
from media.peer import Leg, LegState
from media.pipeline import LAST_WORDS_S
from signaling.protocol import CallView, Language

log = structlog.get_logger()

Owning = Literal["taken", "handed_back", "vanished"]

DEAD_S = 4.0
"""No datagram of any kind for this long: the line is dead. A live one sends STUN, RTCP or media all the time."""
LOOK_S = 0.5
INBOX = 64
"""Events that wait; overflow: refused, the caller hears it. A call sees a handful a minute."""


class Room:
    """See the module. `show(room)` is told of every visible change, `drop(leg, reason)` closes a leg and tells its
    owner, `own(advisor, how)` lets the conversation follow; `make_voice` is for the assistant's side (assistance),
    `make_scribe` for the advisors' (seats)."""

    def __init__(
        self,
        about: About,
        minutes: Minutes,
        lines: Lines,
        *,
        make_voice: Callable[[SteadyEar, str], Voicing],
        show: Callable[["Room"], None],
        drop: Callable[[Leg, str], None],
        own: Callable[["Room", Person, Owning], None],
        make_scribe: Callable[[Person, Leg], Speaker] | None = None,
        call: Call | None = None,
    ) -> None:
        self.about, self.minutes, self.lines = about, minutes, lines
        self.call = call or Call()
        self.line: Line | None = None
        """Who began it; None after a restart."""
        self.leg: Leg | None = None
        self._last_leg: Leg | None = None
        self.advisor: Person | None = None
        self.connected_at: float | None = None
        self._show, self._drop, self._own = show, drop, own
        self._assistance = Assistance(about.call, make_voice, self._voice_broke)
        self._seats = Seats(about.call, post=self.post, drop=drop, make_scribe=make_scribe)
        self._inbox: asyncio.Queue[tuple[machine.Event, asyncio.Future[None] | None]] = asyncio.Queue(INBOX)
        self._timers: dict[machine.Timer, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()
        self._tasks: asyncio.TaskGroup | None = None
        self._begun: asyncio.Future[None] | None = None
        self.began = self._loop.time()
        self.on_over: Callable[[], None] = lambda: None
        """The call has ended and both sides' last words are on their way to the log."""

    # ------------------------------------------------------------ for the house

    def post(self, event: machine.Event) -> None:
        """From a callback: nobody waits for the outcome."""
        if not self._inbox.full():
            self._inbox.put_nowait((event, None))

    async def ask(self, event: machine.Event) -> None:
        """Returns when the event has been carried out; raises `Conflict` when the machine refuses."""
        done: asyncio.Future[None] = self._loop.create_future()
        await self._inbox.put((event, done))
        await done

    def view(self) -> CallView:
        return CallView(
            call=self.about.call,
            conversation=self.about.conversation,
            media=self.about.media,
            state=self.call.shown,
            advisor=self.call.advisor,
            advisor_name=self.advisor.name if self.advisor and self.call.advisor else None,
            reason=self.call.reason,
            started_at=self.about.started_at,
            epoch=self.call.epoch,
        )

    def hear(self, text: str, source: Source) -> None:
        """Typed words, a tapped choice or a key: a turn like a spoken one, and never lost: while her line is not up
        yet, or down, it waits for the voice."""
        self._assistance.hear(text, source, there=not self.call.away)

    def warn(self, words: str) -> None:
        """A red flag: the assistant breaks off and says this to its end. With an advisor, he is there to act."""
        if self.call.state in ("with_assistant", "taking_over"):
            self._assistance.warn(words)

    def say(self, words: str) -> None:
        """When it is the assistant's turn; she may interrupt it."""
        self._assistance.say(words)

    @property
    def language(self) -> Language:
        """The one she speaks now; at first that of the page she called from."""
        return self._assistance.language or self.about.language

    def waterfall(self) -> dict[str, float]:
        """The gateway's own steps, milliseconds since the tap reached it; negative: done before (standby)."""
        leg = self._last_leg
        if leg is None:
            return {}
        marks = {**leg.marks, "first_sound": leg.audio.first_sent_at}
        return {name: round((at - self.began) * 1000, 1) for name, at in marks.items() if at is not None}

    # ------------------------------------------------------------ legs

    def place(self, leg: Leg, begin: Callable[[], Awaitable[None]]) -> None:
        """The tap: `begin` is the first thing written, and `begun` waits for it; sound does not."""
        begun: asyncio.Future[None] = self._loop.create_future()
        self._begun = begun

        async def first() -> None:
            try:
                await begin()
            except Exception as error:
                begun.set_exception(error)
                self.post(machine.Stopped("failed"))
                raise
            begun.set_result(None)

        self.minutes.write(first)
        self.post(machine.Placed())
        self.seat_customer(leg)

    async def begun(self) -> None:
        """The call is in the log. Raises what the store raised."""
        if self._begun is not None:
            await asyncio.shield(self._begun)

    def seat_customer(self, leg: Leg) -> None:
        """Her leg, the first or a new one after a network switch; the machine hears when it is connected."""
        if self.leg is not None and self.leg is not leg:
            self.post(machine.CustomerDropped())
            self._drop(self.leg, "replaced")
        self.leg = self._last_leg = leg
        leg.on_state = lambda state: self._customer_leg(leg, state)
        leg.on_digit = lambda digit: self.hear(digit, "key")
        if leg.state == "connected":
            self.post(machine.CustomerConnected())

    def _customer_leg(self, leg: Leg, state: LegState) -> None:
        if leg is not self.leg:
            return
        if state == "connected":
            self.post(machine.CustomerConnected())
        elif state in ("lost", "closed"):
            self.post(machine.CustomerDropped())

    async def seat_advisor(self, person: Person, leg: Leg) -> None:
        """Raises `Conflict` (taken, wrong_state), and then the leg is not ours."""
        await self.ask(machine.TakeOverAsked(person.id))
        self.advisor = person
        self._seats.take(person, leg)
        if leg.state == "connected":
            await self.ask(machine.AdvisorConnected(person.id))

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Until the call has ended. Whatever happens, legs, timers and tasks are gone afterwards."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                helpers = [self._tasks.create_task(self._look()), self._tasks.create_task(self.minutes.run())]
                await self._live()
                self._release("ended")
                await self._settle(helpers)
        finally:
            self._release("ended")
            self._refuse_rest()

    async def _settle(self, helpers: list["asyncio.Task[None]"]) -> None:
        """The ears have ended: the last words of both sides are told, then everything queued is written."""
        hearing = [*self._seats.scribes.values(), *filter(None, [self._assistance.running])]
        if hearing:
            await asyncio.wait(hearing, timeout=LAST_WORDS_S + 1)
        self.on_over()
        try:
            async with asyncio.timeout(5):
                await self.minutes.settled()
        except TimeoutError:
            log.warning("call.minutes_unfinished", call=self.about.call)
        for task in (*helpers, *hearing):
            task.cancel()

    async def _live(self) -> None:
        while self.call.state != "ended":
            event, done = await self._inbox.get()
            try:
                self._advance(event)
            except Conflict as refused:
                if done is not None and not done.done():
                    done.set_exception(refused)
            else:
                if done is not None and not done.done():
                    done.set_result(None)

    def _advance(self, event: machine.Event) -> None:
        self.call, effects = machine.advance(self.call, event)
        refused = None
        for effect in effects:
            if isinstance(effect, machine.Refuse):
                refused = effect
            else:
                self._do(effect)
        if refused is not None:
            raise Conflict(refused.code, f"the call is {self.call.shown}")

    def _do(self, effect: machine.Effect) -> None:
        match effect:
            case machine.Speak(code):
                self._speak(code)
            case machine.Interrupt():
                self._assistance.silence()
            case machine.Bridge(advisor):
                self._join(advisor)
            case machine.Unbridge():
                self._part()
            case machine.DropAdvisor(advisor):
                self._seats.dismiss(advisor)
            case machine.Own(advisor):
                seat = self._seats.of(advisor)
                assert seat is not None
                self._own(self, seat.person, "taken")
            case machine.Disown(_, vanished):
                assert self.advisor is not None
                self._own(self, self.advisor, "vanished" if vanished else "handed_back")
            case machine.Show():
                self._show(self)
            case machine.Arm(timer, seconds):
                self._arm(timer, seconds)
            case machine.Disarm(timer):
                self._disarm(timer)
            case machine.Finish(reason):
                log.info("call.ended", call=self.about.call, reason=reason)
            case machine.Refuse():
                pass
            case _:
                assert_never(effect)

    # ------------------------------------------------------------ effects

    def _speak(self, code: machine.Notice | Literal["mended"] | None) -> None:
        assert self.leg is not None
        assert self._tasks is not None
        self.connected_at = self.connected_at or self._loop.time()
        words = notice(code, self.language) if code and code != "ai" else ""
        self._assistance.speak(self.leg, words, self._tasks)

    def _voice_broke(self, again: bool) -> None:
        if again:
            self.post(machine.Stopped("failed"))
        elif not self.call.away and self.call.state in ("with_assistant", "taking_over"):
            self._speak("mended")

    def _join(self, advisor: str) -> None:
        seat = self._seats.of(advisor)
        if seat is None or self.leg is None:
            return
        assert self._tasks is not None
        self._assistance.forget_unheard()
        self._assistance.listen_to(self.leg)
        self._seats.join(seat, self.leg, self._tasks)

    def _part(self) -> None:
        self._seats.part()
        self._assistance.silence()

    def await_customer(self, seconds: float) -> None:
        """A call of the gateway before this one: it lasts if she comes back in time."""
        self._arm("away", seconds)

    def _arm(self, timer: machine.Timer, seconds: float) -> None:
        self._disarm(timer)
        self._timers[timer] = self._loop.call_later(seconds, self.post, machine.Expired(timer))

    def _disarm(self, timer: machine.Timer) -> None:
        if handle := self._timers.pop(timer, None):
            handle.cancel()

    # ------------------------------------------------------------ watching

    async def _look(self) -> None:
        """How the lines are, and which died without a word."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._look_at_her()
            seat = self._seats.of(self.call.advisor)
            if seat and self.call.state == "with_advisor" and seat.leg.silent_for() > DEAD_S:
                self.post(machine.AdvisorGone(seat.person.id))
            await self.lines.look({"customer": self.leg, "advisor": seat.leg if seat else None})

    def _look_at_her(self) -> None:
        """A line that was dead and is heard again is hers as before: her page may never have noticed."""
        if self.leg is None or not self.call.answered:
            return
        silence = self.leg.silent_for()
        if not self.call.away and silence > DEAD_S:
            self.post(machine.CustomerDropped())
        elif self.call.away and silence < 2 * LOOK_S and self.leg.state == "connected":
            self.post(machine.CustomerConnected())

    def _release(self, reason: str) -> None:
        """Idempotent: bridge, timers, ear, voice and legs."""
        self._part()
        for timer in list(self._timers):
            self._disarm(timer)
        self._assistance.close()
        self._seats.dismiss_all()
        if self.leg:
            self._drop(self.leg, reason)
        self.leg = None

    def _refuse_rest(self) -> None:
        """Whoever still waits for an outcome hears that there is none."""
        if self._begun and not self._begun.done():
            self._begun.set_exception(Conflict(detail="the call has ended"))
        while not self._inbox.empty():
            _, done = self._inbox.get_nowait()
            if done is not None and not done.done():
                done.set_exception(Conflict(detail="the call has ended"))
