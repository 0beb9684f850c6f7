"""Danger is looked for at once, in all she writes, whoever answers her; and one sign does not hide another."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.alarms import TAKEN_S, TELL_AGAIN_S
from gateway.assistant import Assistant
from gateway.dialogue.ports import Action, Closing, Context, HandoffReason, RedFlag, Said, Say
from gateway.dialogue.safety import check
from gateway.dialogue.signs import signs
from gateway.domain.events import Fact
from gateway.errors import StorageBroken
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store import log, questions, teaching
from gateway.store.schema import alarms, chains, people, unanswered
from signaling.protocol import ErrorCode, EventKind, TextBody
from tests.gateway.served import served
from tests.gateway.test_alarms import ADVISOR, FLAG, MOTHER, Dangerous, World
from tests.gateway.test_store import Scene, running, scene

FIT, DESPAIR, CALM = "宝宝抽搐了,翻白眼", "我不想活了", "几点关门"


class Watchful(Dangerous):
    """With the real rules."""

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        hers = [said.text for said in context.history if said.role == "customer" and not said.cleared]
        return check((*hers, text), None, context.past)


def watchful(s: Scene) -> World:
    return World(s, Watchful())


async def told(s: Scene, conversation: str) -> list[str]:
    """Signs of its alarms, oldest first."""
    async with s.store.read() as connection:
        query = select(alarms.c.sign).where(alarms.c.conversation == conversation).order_by(alarms.c.raised_at)
        return list((await connection.execute(query)).scalars())


async def standing(s: Scene, conversation: str) -> str | None:
    async with s.store.read() as connection:
        return (await log.find(connection, conversation)).red_flag


# ---------------------------------------------------------------- one sign does not hide another


async def test_two_signs_of_one_utterance_are_two_alarms(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = World(s), await s.begin()
        fever = RedFlag("S01", Action.ER_NOW, "fever")
        for flag in (fever, FLAG, fever):
            assert await w.alarms.raise_flag(conversation, 2, flag, "请拨打 120")
        assert sorted(await told(s, conversation)) == ["S01", "S04"]
        assert await standing(s, conversation) == "S04"


async def test_a_mothers_sign_is_told_beside_the_babys_that_stands(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = watchful(s), await s.begin()
        for line in (FIT, DESPAIR, CALM, "谢谢"):
            await w.says(conversation, line)
        assert sorted(await told(s, conversation)) == ["M1", "S03"]


def test_both_are_seen_in_one_breath_and_what_was_told_is_not_found_again() -> None:
    dialogue, context = Watchful(), Context("c", "m", "s", "zh", "text")
    assert [one.flag.sign for one in signs(dialogue, f"{FIT}。{DESPAIR}", context)] == ["S03", "M1"]
    after = Context("c", "m", "s", "zh", "text", history=(Said("customer", FIT, flagged=True),), standing=("S03",))
    assert signs(dialogue, CALM, after) == ()
    assert [(one.flag.sign, one.anew) for one in signs(dialogue, FIT, after)] == [("S03", True)]


# ---------------------------------------------------------------- a sign that stands


async def test_a_sign_that_was_taken_and_not_cleared_alarms_anew_when_it_is_shown_anew(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = watchful(s), await s.begin()
        desk = await w.listen(ADVISOR)
        sent = await w.says(conversation, FIT)
        await w.alarms.acknowledge(desk.person, f"a-{conversation}-{sent.seq}-S03")  # type: ignore[arg-type]
        await w.says(conversation, "又抽搐了,翻白眼")
        assert len(await told(s, conversation)) == 1  # somebody is on it
        w.time = clock.after(w.time, TAKEN_S + 1)
        await w.says(conversation, CALM)
        assert len(await told(s, conversation)) == 1  # shows nothing
        before = len(desk.heard)
        await w.says(conversation, "又抽搐了,翻白眼")
        assert await told(s, conversation) == ["S03", "S03"]
        assert [message.type for message in desk.heard[before:]] == ["alarm.raised"]


async def test_nobody_took_it_is_said_to_her_when_her_advisor_is_not_there(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = World(s), await s.begin()
        await w.chat.act(await s.person(ADVISOR), conversation, "nonce-accept", "accept")
        await w.says(conversation, "憋气")
        w.time = clock.after(w.time, TELL_AGAIN_S + 1)
        await w.alarms.tell_again()
        newest = (await s.log(conversation))[-1]
        assert (newest.kind, newest.role, newest.nonce) == (EventKind.MESSAGE_SENT, "system", "unheard-4-S04")


# ---------------------------------------------------------------- at once, whatever else waits


class Slow(Watchful):
    """Thinks until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.thinking, self.go = asyncio.Event(), asyncio.Event()

    async def answer(self, text: str, context: Context) -> AsyncIterator[Say | Closing]:
        self.thinking.set()
        await self.go.wait()
        async for piece in super().answer(text, context):
            yield piece


async def test_danger_does_not_wait_behind_an_answer_and_no_answer_lands_after_it(database: Settings) -> None:
    async with scene(database) as s:
        slow = Slow()
        w, conversation = World(s, slow), await s.begin()
        async with running(w.assistant):
            await s.say(MOTHER, conversation, "nonce-0001", "奶粉多少钱")
            async with asyncio.timeout(5):
                await slow.thinking.wait()
            cry = await s.say(MOTHER, conversation, "nonce-0002", FIT)
            raised = await s.heard(conversation, kind=EventKind.RED_FLAG_RAISED)
            slow.go.set()
            async with asyncio.timeout(5):
                while w.assistant._waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert raised.data["target"] == cry.seq
        answers = [event for event in await s.log(conversation) if (event.nonce or "").startswith("answer-")]
        assert answers == []


async def test_what_she_puts_right_is_looked_at(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = watchful(s), await s.begin()
        async with running(w.assistant):
            hello = await s.say(MOTHER, conversation, "nonce-0001", "你好")
            await s.heard(conversation, nonce=f"answer-{hello.seq}")
            edit = await s.chat.edit(await s.person(MOTHER), conversation, "nonce-0002", hello.seq, FIT)
            raised = await s.heard(conversation, kind=EventKind.RED_FLAG_RAISED)
        assert raised.data["target"] == edit.seq


async def test_a_look_the_database_refused_is_taken_again(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = watchful(s), await s.begin()
        real, refused = w.alarms.raise_flag, []

        async def once_busy(*given: object, **named: object) -> bool:
            if not refused:
                refused.append(given)
                raise StorageBroken(ErrorCode.STORAGE_BUSY)
            return await real(*given, **named)  # type: ignore[arg-type]

        w.alarms.raise_flag = once_busy  # type: ignore[method-assign]
        async with running(w.assistant):
            await s.say(MOTHER, conversation, "nonce-0001", FIT)
            await s.heard(conversation, kind=EventKind.RED_FLAG_RAISED)
        assert refused


# ---------------------------------------------------------------- after a crash


async def test_a_crash_before_the_second_of_two_questions_leaves_it_to_the_sweep(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = World(s), await s.begin()
        first = await s.say(MOTHER, conversation, "nonce-0001", "奶粉多少钱")
        second = await s.say(MOTHER, conversation, "nonce-0002", CALM)
        await w.assistant.answer(first)
        after = Assistant(s.store, w.chat, Hub(), w.alarms, w.dialogue)
        async with running(after):
            await s.heard(conversation, nonce=f"answer-{second.seq}")


async def test_a_crash_before_the_look_is_made_good_whoever_owns_the_conversation(database: Settings) -> None:
    async with scene(database) as s:
        w, conversation = watchful(s), await s.begin()
        await w.chat.act(await s.person(ADVISOR), conversation, "nonce-accept", "accept")
        cry = await s.say(MOTHER, conversation, "nonce-0001", FIT)
        for _ in range(2):
            async with running(Assistant(s.store, w.chat, Hub(), w.alarms, w.dialogue)):
                assert (await s.heard(conversation, kind=EventKind.RED_FLAG_RAISED)).data["target"] == cry.seq
        await w.chat.act(await s.person(ADVISOR), conversation, "nonce-clear", "clear_red_flag", why="已联系")
        async with running(Assistant(s.store, w.chat, Hub(), w.alarms, w.dialogue)):
            calm = await s.say(MOTHER, conversation, "nonce-0002", CALM)
            await asyncio.sleep(0.2)  # nothing comes of it: she is read
        assert (await told(s, conversation), (await s.log(conversation))[-1]) == (["S03"], calm)


async def test_what_was_recalled_or_said_in_a_call_is_no_question(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        gone = await s.say(MOTHER, conversation, "nonce-0001", "发错了")
        await s.chat.recall(await s.person(MOTHER), conversation, "nonce-0002", gone.seq)
        speech = {"kind": "speech", "text": "喂", "call": "k-1", "turn": 1}
        await s.chat.append(conversation, Fact(EventKind.MESSAGE_SENT, MOTHER, "customer", "said-1-00", speech))
        async with s.store.read() as connection:
            assert await questions.unanswered(connection, "") == []


# ---------------------------------------------------------------- her button


async def test_an_answer_is_not_lost_when_she_asks_for_a_person_meanwhile(database: Settings) -> None:
    async with scene(database) as s:
        conversation, mother = await s.begin(), await s.person(MOTHER)

        class Pressed(Dangerous):
            async def answer(self, _text: str, _context: Context) -> AsyncIterator[Say | Closing]:
                await s.chat.act(mother, conversation, "nonce-press", "ask_person")
                yield Closing("已请顾问", "handoff", handoff=HandoffReason.SENSITIVE)

        w = World(s, Pressed())
        asked = await w.says(conversation, "宝宝湿疹怎么办")
        assert (await s.heard(conversation, nonce=f"answer-{asked.seq}")).body == TextBody(text="已请顾问")


# ---------------------------------------------------------------- what is gone, and what is no log's


async def test_a_recalled_question_or_draft_is_gone_from_the_managers_list_too(database: Settings) -> None:
    async with scene(database) as s:
        conversation, mother, advisor = await s.begin(), await s.person(MOTHER), await s.person(ADVISOR)
        one, two = [await s.say(MOTHER, conversation, f"nonce-{n:04}", f"问题{n}") for n in range(2)]
        said = await s.say(ADVISOR, conversation, "nonce-0009", "我家的秘密")

        async def note(connection: AsyncConnection) -> None:
            for asked in (one, two):
                noted = teaching.Noted(conversation, asked.seq, "问题", "miss")
                await teaching.note(connection, mother.chain, noted, "k-1", said.at)
            newest, *_ = await teaching.asked_before(connection, conversation, said.seq)
            await teaching.propose(connection, newest[0], "我家的秘密")

        await s.store.write(note)
        await s.chat.recall(mother, conversation, "nonce-0010", one.seq)
        await s.chat.recall(advisor, conversation, "nonce-0011", said.seq)
        async with s.store.read() as connection:
            rows = (await connection.execute(select(unanswered.c.seq, unanswered.c.draft))).all()
        assert [tuple(row) for row in rows] == [(two.seq, "")]


async def test_the_database_names_no_values_in_its_errors(database: Settings) -> None:
    async with scene(database) as s:
        mother = await s.person(MOTHER)
        row = {"id": mother.id, "chain": mother.chain, "role": "customer", "name": "王丽丽", "created_at": clock.now()}
        with pytest.raises(IntegrityError) as broken:
            await s.store.write(lambda connection: connection.execute(insert(people).values(row)))
        assert "王丽丽" not in str(broken.value)


async def test_who_was_second_with_the_same_row_finds_it(database: Settings) -> None:
    async with scene(database) as s:
        tries: list[int] = []
        chain = (await s.person(MOTHER)).chain

        async def raced(connection: AsyncConnection) -> str:
            tries.append(1)
            if len(tries) == 1:  # what PostgreSQL says when another transaction was first
                await connection.execute(insert(chains).values(id=chain, name="twice"))
            return "found"

        assert await s.store.write(raced) == "found"


async def test_a_type_that_is_no_word_is_refused(settings: Settings) -> None:
    async with served(settings) as house:
        conversation = await house.conversation(MOTHER)
        path = f"/api/v1/conversations/{conversation}/events"
        assert (await house.call(MOTHER, "POST", path, type=[]))[0] == 400
