"""A sign of danger: the fixed words, the alarm, told again until taken; the queue; and what a customer never sees."""

from collections.abc import AsyncIterator

from gateway import clock
from gateway.alarms import TELL_AGAIN_S, Alarms
from gateway.assistant import Assistant
from gateway.chat import Chat
from gateway.dialogue.ports import Action, Closing, Context, HandoffReason, RedFlag, Say
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store.engine import Store
from signaling.protocol import Event, EventKind, FileRef, ImageBody, Language, ServerMessage, TextBody
from tests.gateway.served import served
from tests.gateway.test_store import Scene, running, scene

MOTHER, ADVISOR, MANAGER = "customer-lili", "advisor-chen", "manager-lin"
FLAG = RedFlag("S04", Action.CALL_120, "breathing")


class Dangerous:
    """A dialogue for which 憋气 is the one sign, and which answers everything else with its own words."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.handoff: HandoffReason | None = None

    async def answer(self, text: str, _context: Context) -> AsyncIterator[Say | Closing]:
        self.asked.append(text)
        yield Closing(f"答：{text}", "handoff" if self.handoff else "answer", handoff=self.handoff)

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        return FLAG if "憋气" in text and context.past != "S" else None

    def red_flag_text(self, flag: RedFlag, _language: Language, *, staffed: bool = True) -> str:
        return f"请立即拨打 120（{flag.sign}）"


class Ear:
    """Somebody connected, who keeps what she is told."""

    def __init__(self, person: object) -> None:
        self.person = person
        self.heard: list[ServerMessage] = []

    def offer(self, _event: Event, /) -> None: ...

    def send(self, message: ServerMessage, /) -> None:
        self.heard.append(message)


class World:
    """A scene with alarms and an assistant, on a clock of its own."""

    def __init__(self, s: Scene, dialogue: "Dangerous | None" = None) -> None:
        self.scene = s
        self.time = clock.now()
        self.chat = Chat(s.store, s.hub, now=lambda: self.time)
        self.alarms = Alarms(s.store, self.chat, s.hub)
        self.dialogue = dialogue or Dangerous()
        self.assistant = Assistant(s.store, self.chat, s.hub, self.alarms, self.dialogue)

    async def listen(self, name: str) -> Ear:
        ear = Ear(await self.scene.person(name))
        self.scene.hub.join(ear)  # type: ignore[arg-type]
        return ear

    async def says(self, conversation: str, words: str) -> Event:
        nonce = f"nonce-{self.time[-12:-1].replace(':', '').replace('.', '')}-{len(words)}"
        event = await self.chat.send(await self.scene.person(MOTHER), conversation, nonce, TextBody(text=words))
        self.time = clock.after(self.time, 0.5)
        await self.assistant.answer(event)
        return event


async def test_a_red_flag_gets_the_fixed_words_an_alarm_and_the_queue_in_one_go(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        conversation = await s.begin()
        advisor, manager, stranger = [await w.listen(name) for name in (ADVISOR, MANAGER, "advisor-zhou")]
        sent = await w.says(conversation, "宝宝憋气，嘴唇发紫")
        after = (await s.log(conversation))[sent.seq :]
        assert [event.kind for event in after] == [
            EventKind.MESSAGE_SENT,
            EventKind.RED_FLAG_RAISED,
            EventKind.CONVERSATION_QUEUED,
        ]
        assert isinstance(after[0].body, TextBody)
        assert (after[0].body.tel, after[0].ai) == ("120", True)
        assert w.dialogue.asked == []
        assert [message.type for message in advisor.heard + manager.heard] == ["alarm.raised"] * 2
        assert stranger.heard == []
        await w.assistant.answer(sent)
        assert len(await s.log(conversation)) == sent.seq + 3  # said twice, raised once


async def test_an_alarm_is_told_again_until_somebody_takes_it(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        conversation = await s.begin()
        advisor = await w.listen(ADVISOR)
        sent = await w.says(conversation, "憋气")
        await w.alarms.tell_again()
        assert len(advisor.heard) == 1
        for told in (2, 3):
            w.time = clock.after(w.time, TELL_AGAIN_S + 1)
            await w.alarms.tell_again()
            assert len(advisor.heard) == told
        await w.alarms.acknowledge(advisor.person, f"a-{conversation}-{sent.seq}-S04")  # type: ignore[arg-type]
        assert advisor.heard[-1].type == "alarm.acknowledged"
        other = await w.listen("advisor-wu")
        await w.alarms.acknowledge(other.person, f"a-{conversation}-{sent.seq}-S04")  # type: ignore[arg-type]
        (late,) = other.heard  # who presses second hears who was first
        assert (late.type, late.by, late.name) == ("alarm.acknowledged", ADVISOR, "陈顾问")  # type: ignore[union-attr]
        w.time = clock.after(w.time, TELL_AGAIN_S * 10)
        await w.alarms.tell_again()
        assert len(advisor.heard) == 4


async def test_the_flag_is_raised_whoever_answers(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        conversation = await s.begin()
        await w.chat.act(await s.person(ADVISOR), conversation, "nonce-accept", "accept")
        sent = await w.says(conversation, "憋气")
        after = (await s.log(conversation))[sent.seq :]
        assert [(event.kind, event.role) for event in after] == [
            (EventKind.MESSAGE_SENT, "system"),
            (EventKind.RED_FLAG_RAISED, "system"),
        ]
        assert (await w.says(conversation, "几点关门")).seq == len(await s.log(conversation))  # hers to answer


async def test_clearing_is_audited_and_ends_the_alarm(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        conversation = await s.begin()
        advisor = await w.listen(ADVISOR)
        await w.says(conversation, "憋气")
        await w.chat.act(await s.person(ADVISOR), conversation, "nonce-clear", "clear_red_flag", why="已联系 120")
        w.time = clock.after(w.time, TELL_AGAIN_S * 2)
        await w.alarms.tell_again()
        assert len(advisor.heard) == 1


async def test_an_answer_lands_once_and_a_late_one_not_at_all(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        conversation = await s.begin()
        sent = await w.says(conversation, "几点关门")
        await w.assistant.answer(sent)
        assert len(await s.log(conversation)) == sent.seq + 1

        class Slow(Dangerous):
            async def answer(self, text: str, context: Context) -> AsyncIterator[Say | Closing]:
                advisor = await s.person(ADVISOR)
                await w.chat.act(advisor, conversation, "nonce-accept", "accept")  # while it was thinking
                async for piece in super().answer(text, context):
                    yield piece

        w.assistant = Assistant(s.store, w.chat, Hub(), w.alarms, Slow())
        late = await w.says(conversation, "还有别的吗")
        kinds = [event.kind for event in (await s.log(conversation))[late.seq :]]
        assert kinds == [EventKind.CONVERSATION_ASSIGNED]


async def test_in_a_call_words_are_the_voice_s_but_a_photo_is_owned_up_to(settings: Settings) -> None:
    async with scene(settings) as s:
        w = World(s)
        conversation = await s.begin()
        w.assistant.in_call = lambda question: isinstance(question.body, TextBody)  # as gateway.calls.rooms says
        text = await w.says(conversation, "几点关门")
        assert (await s.log(conversation))[-1].seq == text.seq
        ref = FileRef(id="f-1", name="疹子.jpg", media_type="image/jpeg", size=10)
        photo = ImageBody(file=ref, width=10, height=10)
        await w.assistant.answer(text.model_copy(update={"body": photo}))
        said, queued = (await s.log(conversation))[text.seq :]
        assert isinstance(said.body, TextBody)
        assert "看不了照片" in said.body.text
        assert queued.kind == EventKind.CONVERSATION_QUEUED


async def test_a_handoff_queues_her_once(database: Settings) -> None:
    async with scene(database) as s:
        w = World(s)
        w.dialogue.handoff = HandoffReason.ASKED
        conversation = await s.begin()
        await w.says(conversation, "转人工")
        await w.says(conversation, "快点转人工")
        kinds = [event.kind for event in await s.log(conversation)]
        assert kinds.count(EventKind.CONVERSATION_QUEUED) == 1


async def test_what_a_crash_left_unanswered_is_found(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        await s.say(MOTHER, conversation, "nonce-0001", "几点关门")
        assert len(await s.log(conversation)) == 3
    store = await Store.open(database)
    w = World(Scene(store))
    async with running(w.assistant):
        assert (await w.scene.heard(conversation, role="assistant", seq=4)).body == TextBody(text="答：几点关门")
    await store.close()


async def test_staff_who_connect_later_hear_of_open_alarms_and_she_never_does(settings: Settings) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        await s.gateway.alarms.raise_flag(conversation, 2, FLAG, "请拨打 120")
        async with s.connect(ADVISOR) as desk, s.connect(MOTHER, **{conversation: 0}) as phone:
            alarm = (await desk.until("alarm.raised"))["alarm"]
            assert alarm["sign"] == "S04"
            await desk.ask("alarm.acknowledge", alarm=alarm["alarm"])
            await phone.event(kind="conversation.queued")
            assert "S04" not in str(phone.got)
            assert (await phone.ask("alarm.acknowledge", alarm=alarm["alarm"]))["code"] == "not_found"
