"""Danger in a call, in virtual time: each sign once, the second of an utterance too, written however long it takes."""

import asyncio
from types import SimpleNamespace
from typing import Any

from gateway.alarms import TAKEN_S
from gateway.calls.about import About
from gateway.calls.context import CallContext
from gateway.calls.flags import Flags
from gateway.dialogue.ports import Context, RedFlag
from gateway.dialogue.safety import check
from gateway.domain.people import Person
from gateway.errors import StorageBroken
from gateway.hub import Hub
from signaling.protocol import ErrorCode, Event, EventKind, ServerMessage
from tests.gateway.test_alarms import Dangerous, Ear
from tests.virtual_time import run

FEVER, FIT = "宝宝45天发烧38度5", "宝宝抽搐了，翻白眼"
MOTHER = Person(id="m", chain="x", role="customer", store="s", name="Lili")
ADVISOR = Person(id="a", chain="x", role="advisor", store="s", name="Chen")


class Nurse(Dangerous):
    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        hers = [said.text for said in context.history if said.role == "customer" and not said.cleared]
        return check((*hers, text), None, context.past)


class Book:
    """Alarms: refuses so many times, then writes."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.written: list[tuple[str, bool]] = []

    async def raise_flag(self, _conversation: str, _seq: int, flag: RedFlag, _text: str, *, anew: bool) -> bool:
        if self.refusals:
            self.refusals -= 1
            raise StorageBroken(ErrorCode.STORAGE_BUSY)
        self.written.append((flag.sign, anew))
        return True


class Line:
    """Flags of a call that is only what flags see of it."""

    def __init__(self, book: Book, context: Context | None = None) -> None:
        self.warned: list[str] = []
        self.hub, self.book = Hub(), book
        self.desk = Ear(ADVISOR)
        self.hub.join(self.desk)  # type: ignore[arg-type]
        self.context = CallContext(context or Context("c", "m", "s", "zh", "voice"), {}, staff=("a",))
        about = About(call="k", conversation="c", customer=MOTHER, media="voice", style="browser", started_at="")
        room: Any = SimpleNamespace(about=about, warn=self.warned.append)
        chat: Any = SimpleNamespace(now=lambda: "2026-11-25T00:00:00.000000Z")
        self.tasks: list[asyncio.Task[None]] = []
        self.flags = Flags(Nurse(), book, chat, self.hub, room, self.context, start=self.start)  # type: ignore[arg-type]
        self.flags.follow(event(EventKind.CALL_STARTED, 7))

    def start(self, work: Any) -> None:
        self.tasks.append(asyncio.create_task(work))

    def says(self, *partials: str) -> list[bool]:
        found = [self.flags.check(words) for words in partials]
        self.context.line("customer", partials[-1])
        return found

    async def written(self) -> list[tuple[str, bool]]:
        await asyncio.gather(*self.tasks)
        return self.book.written

    @property
    def alarms(self) -> list[ServerMessage]:
        return [message for message in self.desk.heard if message.type == "alarm.raised"]


def event(kind: EventKind, seq: int) -> Event:
    return Event(conversation="c", seq=seq, kind=kind, sender="system", role="system", at="", epoch=0)


def test_a_graver_sign_later_in_the_utterance_is_an_alarm_of_its_own() -> None:
    async def call() -> None:
        line = Line(Book())
        assert line.says(FEVER, f"{FEVER}，现在", f"{FEVER}，现在{FIT}") == [True, False, True]
        assert await line.written() == [("S01", False), ("S03", False)]
        assert len(line.warned) == 2

    run(call())


def test_an_alarm_the_database_refuses_is_told_at_once_and_written_when_it_can_be() -> None:
    async def call() -> None:
        line = Line(Book(refusals=30))
        assert line.says(FIT) == [True]
        await asyncio.sleep(0.1)
        assert ([one.type for one in line.alarms], line.book.written) == (["alarm.raised"], [])
        assert await line.written() == [("S03", False)]
        assert len(line.alarms) == 1

    run(call())


def test_it_is_said_aloud_once_and_again_after_ten_minutes_when_she_says_it_again() -> None:
    async def call() -> None:
        line = Line(Book())
        assert line.says(FIT, f"{FIT}，快来人") == [True, False]
        await asyncio.sleep(TAKEN_S + 1)
        assert line.says("好的谢谢") == [False]
        assert line.says("又抽搐了，翻白眼") == [True]
        assert await line.written() == [("S03", False), ("S03", True)]

    run(call())


def test_what_stood_when_the_call_was_prepared_and_was_cleared_before_the_tap_does_not_hold_it() -> None:
    async def call() -> None:
        line = Line(Book(), Context("c", "m", "s", "zh", "voice", red_flag="S04", standing=("S04",)))
        cleared = CallContext(Context("c", "m", "s", "zh", "voice"), {})
        line.context.take(cleared)
        assert line.context().red_flag is None
        line.says(FIT)
        line.context.take(cleared)  # read before her words were written down
        assert (line.context().red_flag, line.context().standing) == ("S03", ("S03",))

    run(call())
