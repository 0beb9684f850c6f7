"""A room on virtual time: real minutes and machine, legs and voices that do what they are told."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.calls.about import About
from gateway.calls.lines import Lines
from gateway.calls.minutes import Minutes
from gateway.calls.room import Room
from gateway.calls.rooms import Rooms
from gateway.calls.silence import Silence
from gateway.calls.sound import SteadyEar, Voicing
from gateway.domain import call as machine
from gateway.domain.conversation import Conversation, State
from gateway.domain.people import Person
from gateway.errors import Conflict
from gateway.hub import Hub
from media.audio import Samples
from media.ports import CaptionNote, IdleNote
from signaling.protocol import Event, EventKind, Language, SpeechBody, TextBody
from tests import virtual_time

MOTHER = Person("customer-lili", "chain-1", "customer", "丽丽")


class FakeLeg:
    """A line that was just heard, unless `silent`."""

    def __init__(self) -> None:
        self.state, self.silent, self.speaking = "connected", 0.0, 0
        self.marks: dict[str, float] = {}
        self.audio = type("Track", (), {"first_sent_at": None})()

    def silent_for(self) -> float:
        return self.silent

    def speak(self, _pull: Callable[[], Samples | None]) -> None:
        self.speaking += 1

    async def counts(self) -> dict[str, Any]:
        return {}


class FakeVoice:
    """Talks until told to break or end; keeps what it was told."""

    language: Language = "zh"

    def __init__(self, words: str) -> None:
        self.told = [words]
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        await self.end

    def hear(self, text: str, source: str = "typed") -> None:
        self.told.append(text)

    def say(self, text: str, uninterruptible: bool = False) -> None:
        self.told.append(text)

    def hand_over(self) -> None:
        self.told.append("-")

    def take_back(self, words: str = "") -> None:
        self.told.append(words)


class Scene:
    def __init__(self) -> None:
        about = About("k-1", "c-1", MOTHER, "voice", "browser", "2026-11-25T00:00:00.000000Z")
        hub = Hub()
        self.shown: list[str] = []
        self.voices: list[FakeVoice] = []
        minutes = Minutes(cast("Any", None), cast("Any", None), hub, about)
        self.room = Room(
            about,
            minutes,
            Lines(hub, about),
            make_voice=self._voice,
            show=lambda room: self.shown.append(room.call.shown),
            drop=lambda _leg, _reason: None,
            own=lambda _room, _advisor, _how: None,
        )
        self.leg = FakeLeg()
        self.running = asyncio.create_task(self.room.run())

    def _voice(self, _ear: SteadyEar, words: str) -> Voicing:
        self.voices.append(FakeVoice(words))
        return Voicing(cast("Any", self.voices[-1]), lambda: cast("Samples", None))

    async def tap(self, begin: Callable[[], Awaitable[None]]) -> None:
        self.room.place(cast("Any", self.leg), begin)
        await asyncio.sleep(0.01)


async def nothing() -> None:
    pass


def play(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene()
        try:
            await story(scene)
        finally:
            scene.running.cancel()
            await asyncio.wait([scene.running])

    virtual_time.run(whole())


def test_a_line_that_was_dead_for_a_moment_and_is_heard_again_goes_on() -> None:
    """A lift: 4 to 7 s without a packet, then the same leg again; nobody resumes, for her page saw nothing."""

    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        scene.leg.silent = 4.2
        await asyncio.sleep(1)
        assert scene.shown[-1] == "reconnecting"
        scene.leg.silent = 0.1
        await asyncio.sleep(1)
        assert scene.shown[-1] == "with_assistant"
        assert "线路恢复" in scene.voices[0].told[-1]
        await asyncio.sleep(20)
        assert scene.room.call.state == "with_assistant"

    play(story)


def test_what_the_gateway_says_is_in_the_language_she_speaks_now() -> None:
    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        scene.voices[0].language = "en"
        scene.leg.silent = 4.2
        await asyncio.sleep(1)
        scene.leg.silent = 0.1
        await asyncio.sleep(1)
        assert "connected again" in scene.voices[0].told[-1]

    play(story)


def test_a_line_that_stays_dead_is_lost() -> None:
    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        scene.leg.silent = 4.2
        await asyncio.sleep(12)
        assert scene.room.call.reason == "lost"

    play(story)


def test_a_voice_that_breaks_is_made_anew_and_says_so() -> None:
    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        scene.voices[0].end.set_exception(RuntimeError("told to break"))
        await asyncio.sleep(0.1)
        assert len(scene.voices) == scene.leg.speaking == 2
        assert "再说一遍" in scene.voices[1].told[0]
        scene.room.hear("订单到哪了", "typed")
        assert scene.voices[1].told[-1] == "订单到哪了"
        scene.voices[1].end.set_exception(RuntimeError("again"))
        await asyncio.sleep(0.1)
        assert scene.room.call.reason == "failed"

    play(story)


def test_what_she_types_while_her_line_is_down_waits_for_the_voice() -> None:
    async def story(scene: Scene) -> None:
        scene.room.hear("在吗", "typed")
        await scene.tap(nothing)
        assert scene.voices[0].told == ["", "在吗"]
        scene.leg.silent = 4.2
        await asyncio.sleep(1)
        scene.room.hear("订单到哪了", "typed")
        assert scene.voices[0].told[-1] == "-"
        scene.leg.silent = 0.0
        await asyncio.sleep(1)
        assert scene.voices[0].told[-1] == "订单到哪了"
        assert scene.voices[0].told.count("订单到哪了") == 1

    play(story)


def test_while_she_is_away_a_broken_voice_waits_for_her() -> None:
    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        scene.leg.silent = 4.2
        await asyncio.sleep(1)
        scene.voices[0].end.set_exception(RuntimeError("told to break"))
        await asyncio.sleep(0.1)
        assert len(scene.voices) == 1
        scene.leg.silent = 0.0
        await asyncio.sleep(1)
        assert "线路恢复" in scene.voices[1].told[0]

    play(story)


def test_a_call_that_cannot_be_written_down_is_refused_whatever_the_reason() -> None:
    async def broken() -> None:
        raise RuntimeError("told to break")

    async def story(scene: Scene) -> None:
        await scene.tap(broken)
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(scene.room.begun(), 1)
        assert scene.room.call.reason == "failed"

    play(story)


def test_a_room_that_is_stopped_before_the_call_is_written_down_says_so() -> None:
    async def slow() -> None:
        await asyncio.sleep(100)

    async def story(scene: Scene) -> None:
        await scene.tap(slow)
        scene.running.cancel()
        with pytest.raises(Conflict):
            await asyncio.wait_for(scene.room.begun(), 1)

    play(story)


def test_a_second_voice_goes_on_counting_turns() -> None:
    """Its captions and its lines in the log are new ones."""

    async def story(scene: Scene) -> None:
        minutes = scene.room.minutes
        minutes.begin_counting()
        assert minutes.numbered(0) == 0
        minutes(CaptionNote("assistant", 7, "您好", final=False, lit=0))
        minutes.begin_counting()
        assert minutes.numbered(0) == 8

    play(story)


def test_the_voice_is_told_what_she_wrote_and_not_what_she_said() -> None:
    """Her spoken words come back as events of the log."""

    async def story(scene: Scene) -> None:
        hub = Hub()
        none = cast("Any", None)
        rooms = Rooms(none, none, hub, none, none, none, none, gateway="g")
        rooms.open["k-1"] = scene.room
        rooms._flags["k-1"] = cast("Any", SimpleNamespace(follow=lambda _event: None))
        await scene.tap(nothing)
        bodies = (SpeechBody(text="在说", call="k-1", turn=1), TextBody(text="在写"))
        for seq, body in enumerate(bodies, 5):
            hub.publish(
                Event(
                    conversation="c-1",
                    seq=seq,
                    epoch=0,
                    kind=EventKind.MESSAGE_SENT,
                    sender=MOTHER.id,
                    role="customer",
                    at="2026-11-25T00:00:00.000000Z",
                    nonce=f"nonce-{seq}000",
                    body=body,
                )
            )
        assert scene.voices[0].told == ["", "在写"]

    play(story)


@pytest.mark.parametrize(
    ("state", "flag", "ends"),
    [
        ("with_assistant", None, True),
        ("queued", None, False),
        ("assigned", None, False),
        ("with_assistant", "S1", False),
    ],
)
def test_a_call_in_which_nothing_is_heard_ends_unless_a_person_is_wanted(
    state: State, flag: str | None, ends: bool
) -> None:
    async def story(scene: Scene) -> None:
        class Knows:
            async def state(self, _person: Person, _conversation: str) -> Conversation:
                return Conversation("c-1", "chain-1", "store-1", MOTHER.id, state=state, red_flag=flag)

        await scene.tap(nothing)
        silence = Silence(cast("Any", Knows()), scene.room, start=asyncio.ensure_future)
        told = scene.voices[0].told
        for times in (*range(1, 7), *range(1, 7)):  # after the first goodbye she says something
            silence(IdleNote(10, times))
            await asyncio.sleep(0.01)
        assert sum("再见" in words for words in told) == 2 * ends
        assert scene.room.call.state == "with_assistant"
        silence(IdleNote(10, 7))
        await asyncio.sleep(0.01)
        assert (scene.room.call.reason == "silent") is ends

    play(story)


def test_the_record_of_a_call_waits_for_the_voices_last_words() -> None:
    async def story(scene: Scene) -> None:
        await scene.tap(nothing)
        log: list[str] = []
        scene.voices[0].end.add_done_callback(lambda _: log.append("last words"))
        scene.room.on_over = lambda: log.append("record")
        await scene.room.ask(machine.CustomerLeft())
        await asyncio.sleep(2.5)
        scene.voices[0].end.set_result(None)
        await asyncio.wait([scene.running])
        assert log == ["last words", "record"]

    play(story)
