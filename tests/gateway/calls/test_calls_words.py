"""What is said and written in a call, and what the log has of it."""

import asyncio

import pytest

from gateway.calls.room import Room
from gateway.settings import Settings
from gateway.store.schema import events, turns
from signaling.protocol import TextBody
from tests.gateway.callers import advisor_of, on_line, quiet, rows, said, somebody, spoken
from tests.gateway.served import Served, served
from tests.media.browser import Browser
from tests.media.spoken import Spoken, recording


async def test_typed_words_are_a_turn_and_the_log_keeps_what_was_heard(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.client.ask("call.say", call=line.call, text="你好")
        said = await line.event("message.sent", role="customer")
        assert said["body"]["text"] == "你好"
        heard = await line.event("message.sent", role="assistant")
        assert (heard["ai"], heard["body"]["kind"], heard["body"]["call"]) == (True, "speech", line.call)
        caption = await line.message("caption.shown", role="assistant")
        assert caption["call"] == line.call


async def test_what_she_sends_in_the_chat_beside_the_call_is_a_turn_of_it_once(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        for _ in range(2):  # the page repeats what was not acknowledged
            await line.client.send(line.conversation, "订单到哪了", nonce="nonce-order")
        await said(house, line.conversation, 1)
        await line.client.ask("call.say", call=line.call, text="谢谢")
        await said(house, line.conversation, 2)
        await asyncio.sleep(1.5)
        assert len(await spoken(house, line.conversation)) == 2


async def test_a_spoken_turn_is_answered_and_measured(house: Served) -> None:
    """A tone is no speech to Silero, so her words are played from a recording of espeak."""
    words = Spoken(await recording("Hello, can you tell me where my order is today?"))
    async with on_line(house, await somebody(house, "customer"), audio=words) as line:
        await line.standby()
        await line.start()
        answered = await line.message("turn.measured")
        assert sum(answered["parts_ms"].values()) == pytest.approx(answered["response_ms"], abs=2)
        assert await line.browser.heard_hz(10, 5) > 600
    assert await rows(house, turns, call=line.call)


async def test_what_an_advisor_says_is_written_down(house: Served) -> None:
    words = Spoken(await recording("Hello, this is your advisor, how is the baby today?"), after_s=1.0)
    async with on_line(house, await somebody(house, "customer")) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        person = await advisor_of(house, mother.conversation)
        async with on_line(house, person, conversation=mother.conversation) as advisor:
            advisor.browser = Browser(audio=words)
            await advisor.standby()
            await advisor.client.ask("call.take_over", call=mother.call, peer="p1")
            said = await mother.event("message.sent", role="advisor")
            assert (said["sender"], said["body"]["kind"]) == (person, "speech")
            await advisor.browser.pc.close()


async def test_what_both_say_while_she_hangs_up_is_written_down(house: Served) -> None:
    """In mid-speech, with no silence behind it; the record of the call still stands last."""
    breath = await recording("and so I told her that we would go there in the morning " * 6)
    mine, his = Spoken(breath, after_s=0.5), Spoken(breath, after_s=0.5)
    async with on_line(house, await somebody(house, "customer"), audio=mine) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        person = await advisor_of(house, mother.conversation)
        async with on_line(house, person, conversation=mother.conversation, audio=his) as advisor:
            await advisor.standby()
            await advisor.client.ask("call.take_over", call=mother.call, peer="p1")
            await mother.state("with_advisor")
            await asyncio.sleep(2)
            await mother.client.ask("call.leave", call=mother.call)
            await mother.event("call.ended")
    said = await rows(house, events, conversation=mother.conversation, kind="message.sent")
    last = sorted(said, key=lambda row: row["seq"])[-3:]
    assert {row["role"] for row in last[:2]} == {"customer", "advisor"}
    assert last[2]["body"]["kind"] == "call_record"


async def test_a_message_between_the_tap_and_the_log_has_one_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """She writes when the room is there and its beginning not yet in the log; then when its end is not yet there."""
    async with served(settings) as house, on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        begin = house.gateway.calls.rooms.record.begin
        written = asyncio.Event()

        async def late(room: Room) -> None:
            await written.wait()
            await begin(room)

        monkeypatch.setattr(house.gateway.calls.rooms.record, "begin", late)
        tap = asyncio.create_task(line.start())
        async with asyncio.timeout(5):
            while not house.gateway.calls.rooms.open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        mother = house.gateway.calls.rooms.live[0].about.customer
        await house.gateway.chat.send(mother, line.conversation, "nonce-order", TextBody(text="订单到哪了"))
        await asyncio.sleep(1)
        written.set()
        await tap
        await said(house, line.conversation, 1)
        await asyncio.sleep(1)
        answers = await rows(house, events, conversation=line.conversation, role="assistant", kind="message.sent")
        assert [row["body"]["kind"] for row in answers if "answers" in row["data"]] == []
        assert len(await spoken(house, line.conversation)) == 1
        await line.client.ask("call.leave", call=line.call)
        await line.client.send(line.conversation, "几点关门", nonce="nonce-close")
        answer = await line.event("message.sent", role="assistant")
        while "answers" not in answer["data"]:
            answer = await line.event("message.sent", role="assistant")


async def test_the_call_client_joins_speaks_and_hears_an_answer(house: Served) -> None:
    """`nestcall call` from the inside: guest, standby, tap, a spoken turn, hang-up."""
    from gateway.calls.client import dial

    async with dial(house.url, "en") as client:
        shown: list[str] = []
        client.on_message = lambda message: shown.append(message["type"])
        await client.offer()
        await client.connected()
        await client.tap(standby=True)
        assert client.steps["first_sound"] >= client.steps["first_packet"] >= 0
        assert await client.say(await recording("Can you tell me where my order is?"), within=30) > 0
        await client.hang_up()
        assert "turn.measured" in shown
    await quiet(house)
