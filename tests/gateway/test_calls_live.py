"""Whole calls: the real wire, real ICE, DTLS and RTP, benchmark engines, the real log."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import select

from gateway.calls.room import Room
from gateway.calls.silence import GOODBYE
from gateway.domain.events import Fact
from gateway.errors import StorageBroken
from gateway.settings import Settings
from gateway.store.schema import calls, conversations, events, people, turns
from media.ports import IdleNote
from signaling.protocol import EventKind, TextBody
from tests.gateway.callers import on_line
from tests.gateway.served import Client, Served, served
from tests.media.browser import Browser, Tone
from tests.media.spoken import Spoken, recording


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The greeting is 500 Hz, replies are 650 Hz and up: who speaks can be heard."""
    return settings.model_copy(update={"recognizer": "instant", "synthesizer": "tone", "responder": "instant"})


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[Served]:
    async with served(settings) as made:
        yield made


async def somebody(house: Served, role: str, n: int = 0, store: str | None = None) -> str:
    async with house.gateway.store.read() as connection:
        query = select(people.c.id).where(people.c.role == role).order_by(people.c.id)
        if store:
            query = query.where(people.c.store == store)
        return (await connection.execute(query)).scalars().all()[n]


async def neighbour(house: Served) -> str:
    """A customer of a store with two advisors."""
    async with house.gateway.store.read() as connection:
        found = (await connection.execute(select(people.c.store, people.c.role, people.c.id))).all()
    busy = next(s for s, role, _ in found if [(x, r) for x, r, _ in found].count((s, "advisor")) > 1)
    return next(id_ for s, role, id_ in found if s == busy and role == "customer")


async def advisor_of(house: Served, conversation: str, n: int = 0) -> str:
    async with house.gateway.store.read() as connection:
        query = select(conversations.c.store).where(conversations.c.id == conversation)
        store = (await connection.execute(query)).scalar_one()
    return await somebody(house, "advisor", n, store)


async def rows(house: Served, table, **fits):
    async with house.gateway.store.read() as connection:
        query = select(table)
        for name, value in fits.items():
            query = query.where(table.c[name] == value)
        return (await connection.execute(query)).mappings().all()


async def quiet(house: Served) -> None:
    """Until no room is left."""
    async with asyncio.timeout(8):
        while house.gateway.calls.rooms.open:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_standby_becomes_a_call_and_nothing_is_left(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        assert (await line.start())["type"] == "ack"
        assert abs(await line.browser.heard_hz(20, 2) - 500) < 10
        await line.client.ask("call.leave", call=line.call)
        ended = await line.event("call.ended")
        assert ended["data"]["reason"] == "customer_left"
        await quiet(house)
    row = (await rows(house, calls))[0]
    assert (row["state"], row["reason"]) == ("ended", "customer_left")
    assert row["waterfall"]["gateway"]["first_sound"] >= 0
    assert not house.gateway.calls.peers.standbys


async def test_hanging_up_leaves_no_task(house: Served) -> None:
    customer = await somebody(house, "customer")
    async with on_line(house, customer) as line:
        await line.standby()
        before = {task.get_name() for task in asyncio.all_tasks()}
        await line.start()
        await line.browser.heard_hz(5, 2)
        await line.client.ask("call.leave", call=line.call)
        await line.event("call.ended")
        await quiet(house)
        await asyncio.sleep(0.3)
        gc.collect()
        left = [task for task in asyncio.all_tasks() if task.get_name() not in before]
        assert not [task for task in left if "Room" in repr(task) or "Voice" in repr(task)]


async def test_early_trickle_without_a_standby(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.client.say("peer.offer", peer="p1", sdp=await line.browser.offer())
        await line.client.say(
            "call.start", nonce="n" * 12, conversation=line.conversation, media="voice", peer="p1", style="browser"
        )
        await line.browser.accept((await line.message("peer.answered"))["sdp"])
        await line.state("with_assistant")
        assert abs(await line.browser.heard_hz(20, 2) - 500) < 10


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


async def said(house: Served, conversation: str, answers: int) -> None:
    async with asyncio.timeout(15):
        while len(await spoken(house, conversation)) < answers:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def spoken(house: Served, conversation: str) -> list[Any]:
    """Answers of the voice in the log: the greeting is a text."""
    said = await rows(house, events, conversation=conversation, role="assistant", kind="message.sent")
    return [row for row in said if row["body"]["kind"] == "speech" and row["body"]["text"].startswith("Reply")]


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


async def test_the_line_is_measured_from_both_ends_and_kept(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Her own uplink loses every fifth packet; the advisor sees it live, and in the numbers of the call afterwards."""
    monkeypatch.setattr("gateway.calls.lines.EVERY_S", 0.5)
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        lose_every(5, line.browser)
        await line.start()
        advisor = await advisor_of(house, line.conversation)
        async with house.connect(advisor) as desk:
            await desk.ask("conversation.open", conversation=line.conversation, after=0)
            await line.client.say("call.report", call=line.call, stats={"audio_received": 10, "audio_lost": 0})
            await line.client.say("call.report", call=line.call, stats={"audio_received": 40, "audio_lost": 10})
            seen = await next_with(desk, {"up", "down", "page"})
        await line.client.ask("call.leave", call=line.call)
        await line.event("call.ended")
        await quiet(house)
    assert seen["party"] == "customer"
    assert seen["ends"]["up"]["loss"] == pytest.approx(0.2, abs=0.05)
    assert seen["ends"]["down"]["loss"] == pytest.approx(0, abs=0.05)
    assert seen["ends"]["page"]["loss"] == pytest.approx(0.25)
    assert seen["ends"]["up"]["mos"] < 3.5 < seen["ends"]["down"]["mos"]
    assert seen["ends"]["down"]["rtt_ms"] < 200
    _, answer = await house.call(advisor, "GET", f"/api/v1/conversations/{line.conversation}/calls")
    kept = answer["calls"][0]
    assert kept["call"] == line.call
    assert kept["lines"]["customer"]["up"]["loss"] == pytest.approx(0.2, abs=0.05)


def lose_every(n: int, browser: Browser) -> None:
    """Each n-th packet of its microphone goes nowhere; its camera shares the transport."""
    sender: Any = browser.pc.getSenders()[0]
    send, ssrc = sender.transport._send_rtp, sender._ssrc.to_bytes(4, "big")

    async def lossy(data: bytes) -> None:
        if data[8:12] != ssrc or int.from_bytes(data[2:4], "big") % n:
            await send(data)

    sender.transport._send_rtp = lossy


async def next_with(desk: Client, ends: set[str]) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            frame = await desk.next()
            if frame["type"] == "line.measured" and ends <= set(frame["ends"]):
                return frame


async def test_who_opens_a_conversation_is_told_of_its_running_call(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        async with house.connect(await advisor_of(house, mother.conversation)) as desk:
            await desk.ask("conversation.open", conversation=mother.conversation, after=0)
            shown = (await desk.until("call.changed"))["call"]
    assert (shown["call"], shown["state"]) == (mother.call, "with_assistant")


async def test_an_advisor_takes_over_and_hands_back(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer"), hz=600) as mother:
        await mother.standby()
        await mother.start(media="video")
        await mother.state("with_assistant")
        person = await advisor_of(house, mother.conversation)
        async with on_line(house, person, hz=900, conversation=mother.conversation) as advisor:
            await advisor.client.ask("conversation.open", conversation=mother.conversation, after=0)
            await advisor.standby()
            answer = await advisor.client.ask("call.take_over", call=mother.call, peer="p1")
            assert answer["type"] == "ack"
            shown = await mother.state("with_advisor")
            assert shown["advisor"] == person
            assert abs(await mother.browser.heard_hz() - 900) < 10
            assert abs(await advisor.browser.heard_hz() - 600) < 10
            async with asyncio.timeout(30):
                assert (await mother.browser.tracks["video"].recv()).width > 0
            await mother.event("conversation.assigned")
            await advisor.client.ask("call.hand_back", call=mother.call)
            await mother.state("with_assistant")
            assert await mother.browser.heard_hz(20, 10) != pytest.approx(900, abs=50)
    log = await rows(house, events, conversation=mother.conversation)
    named = [event["data"].get("name") for event in log if event["data"].get("state") == "with_advisor"]
    assert all(named)
    assert named
    kinds = [event["kind"] for event in log]
    assert kinds.count("conversation.assigned") == kinds.count("conversation.handed_back") == 1


async def test_one_advisor_wins(house: Served) -> None:
    async with on_line(house, await neighbour(house)) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        first, second = [await advisor_of(house, mother.conversation, n) for n in (0, 1)]
        async with (
            on_line(house, first, conversation=mother.conversation) as one,
            on_line(house, second, conversation=mother.conversation) as two,
        ):
            await one.standby()
            await two.standby()
            answers = await asyncio.gather(
                *(line.client.ask("call.take_over", call=mother.call, peer="p1") for line in (one, two))
            )
            assert sorted(answer["type"] for answer in answers) == ["ack", "error"]
            assert next(a for a in answers if a["type"] == "error")["code"] == "taken"


async def test_an_advisor_who_vanishes_is_replaced_by_the_assistant(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        person = await advisor_of(house, mother.conversation)
        async with on_line(house, person, conversation=mother.conversation) as advisor:
            await advisor.standby()
            await advisor.client.ask("call.take_over", call=mother.call, peer="p1")
            await mother.state("with_advisor")
            await advisor.browser.pc.close()
            await mother.state("with_assistant")
        assert (await mother.event("conversation.queued"))["data"]["reason"] == "advisor_lost"  # she asked for nothing
        await mother.browser.heard_hz(10, 2)


async def test_an_advisor_comes_back_on_a_new_connection(house: Served) -> None:
    """His network switched: the call stays his, and she never hears the assistant."""
    async with on_line(house, await somebody(house, "customer"), hz=600) as mother:
        await mother.standby()
        await mother.start()
        await mother.state("with_assistant")
        person = await advisor_of(house, mother.conversation)
        async with on_line(house, person, hz=900, conversation=mother.conversation) as advisor:
            await advisor.standby()
            await advisor.client.ask("call.take_over", call=mother.call, peer="p1")
            epoch = (await mother.state("with_advisor"))["epoch"]
            old = advisor.browser
            advisor.browser = Browser(audio=Tone(800))
            await advisor.standby("p2")
            answer = await advisor.client.ask("call.resume", call=mother.call, peer="p2")
            assert answer["type"] == "ack", answer
            assert abs(await mother.browser.heard_hz() - 800) < 10
            assert abs(await advisor.browser.heard_hz() - 600) < 10
            view = house.gateway.calls.rooms.open[mother.call].view()
            assert (view.state, view.advisor, view.epoch) == ("with_advisor", person, epoch)
            await old.pc.close()
            await advisor.browser.pc.close()


async def test_she_comes_back_on_a_new_connection(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        await line.browser.pc.close()
        await line.state("reconnecting")
        line.browser = Browser(audio=Tone(600))
        await line.standby("p2")
        assert (await line.client.ask("call.resume", call=line.call, peer="p2"))["call"] == line.call
        await line.state("with_assistant")
        assert await line.browser.heard_hz(20, 2) > 0
        await line.browser.pc.close()


async def test_a_line_that_falls_silent_is_noticed(house: Served) -> None:
    """No close, no ICE failure: her packets just stop, as in a lift."""
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        transport = line.browser.pc.getTransceivers()[0].receiver.transport.transport

        for protocol in transport._connection._protocols:
            protocol.transport.sendto = lambda *_: None
        await line.state("reconnecting")


async def test_a_call_that_never_connects_is_gone(settings: Settings) -> None:
    hasty = settings.model_copy(update={"connect_deadline": 0.3})
    async with served(hasty) as house, on_line(house, await somebody(house, "customer")) as line:
        await line.client.say("peer.offer", peer="p1", sdp=await line.browser.offer())
        await line.message("peer.answered")  # and never applied
        await line.start()
        ended = await line.event("call.ended")
        assert ended["data"]["reason"] == "never_connected"
        await quiet(house)


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


async def test_a_call_outlives_its_gateway(settings: Settings) -> None:
    async with served(settings) as house:
        customer = await somebody(house, "customer")
        async with on_line(house, customer) as line:
            await line.standby()
            await line.start()
            await line.state("with_assistant")
            call = line.call
    async with served(settings) as house, on_line(house, customer) as line:
        assert [c["call"] for c in line.client.ready["calls"]] == [call]
        assert line.client.ready["calls"][0]["state"] == "reconnecting"
        await line.standby()
        await line.client.ask("call.resume", call=call, peer="p1")
        await line.state("with_assistant")
        assert await line.browser.heard_hz(20, 2) > 0
        await line.client.ask("call.leave", call=call)
        await line.event("call.ended")


async def test_what_is_half_said_is_kept_and_comes_into_the_log_once(settings: Settings) -> None:
    """After a crash from what was kept, unless its end was written after all."""
    async with served(settings) as house, on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        half: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while not half:
                await asyncio.sleep(0.05)
                half = (await rows(house, calls))[0]["half_said"]
        record = house.gateway.calls.rooms.record
        died = {"assistant": half["assistant"] | {"nonce": "said-by-one-that-died"}}
        for _ in range(2):
            await record.half_said(line.conversation, line.call, died)
        said = await line.event("message.sent", role="assistant")
        assert said["body"]["cut"]
        assert said["body"]["text"] == half["assistant"]["body"]["text"]
        await line.client.ask("call.leave", call=line.call)
        await line.event("call.ended")
        await record.half_said(line.conversation, line.call, half)
        sent = sorted(await rows(house, events, kind="message.sent", role="assistant"), key=lambda row: row["seq"])
        spoken = [row["nonce"] for row in sent if row["body"]["kind"] == "speech"]
        assert spoken == ["said-by-one-that-died", half["assistant"]["nonce"]]
        assert (await rows(house, calls))[0]["half_said"] == {}


async def test_an_end_the_database_refused_is_written_as_soon_as_it_can_be(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")

        async def locked(*_: Any, **__: Any) -> None:
            raise StorageBroken(detail="told to be locked")

        with monkeypatch.context() as broken:
            broken.setattr(house.gateway.store, "write", locked)
            await line.client.ask("call.leave", call=line.call)
            await quiet(house)
            assert (await rows(house, conversations, id=line.conversation))[0]["call"] == line.call
        ended = await line.event("call.ended")
        assert ended["data"]["reason"] == "customer_left"
    assert (await rows(house, conversations, id=line.conversation))[0]["call"] is None
    assert (await rows(house, calls))[0]["ended_at"]


async def test_a_conversation_left_in_a_call_that_nobody_has_is_mended_at_the_start(settings: Settings) -> None:
    async with served(settings) as house:
        conversation = await house.conversation(await somebody(house, "customer"))
        await house.gateway.chat.append(
            conversation, Fact(EventKind.CALL_STARTED, "system", "system", "start-k-gone", data={"call": "k-gone"})
        )
    async with served(settings) as house:
        await house.gateway.calls.rooms.ready.wait()
        assert (await rows(house, conversations, id=conversation))[0]["call"] is None


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


async def test_a_call_begins_in_the_language_of_the_page(house: Served) -> None:
    """Her record says Chinese; what she reads just now is English."""
    async with on_line(house, await somebody(house, "customer"), language="en") as line:
        await line.standby()
        await line.start()
        greeting = await line.message("caption.shown", role="assistant")
        assert greeting["text"].startswith("Hello")
        assert house.gateway.calls.rooms.open[line.call].about.language == "en"


async def test_who_changes_the_pages_language_is_called_in_it(house: Served) -> None:
    """Without a new connection; and it stays known of her."""
    person = await somebody(house, "customer")
    async with on_line(house, person, language="zh") as line:
        await line.client.say("language.set", language="en")
        await line.standby()
        await line.start()
        greeting = await line.message("caption.shown", role="assistant")
        assert greeting["text"].startswith("Hello")
    assert [row["language"] for row in await rows(house, people, id=person)] == ["en"]


async def test_a_silent_call_is_ended_and_says_why(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        for times in (GOODBYE, GOODBYE + 1):
            house.gateway.calls.rooms.open[line.call].minutes(IdleNote(10.0, times))
            await asyncio.sleep(0.5)
        assert (await line.event("call.ended"))["data"]["reason"] == "silent"


async def test_refusals(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        refused = await line.start(peer="never-offered")
        assert refused["code"] == "no_such_peer"
        await line.client.say("peer.offer", peer="p9", sdp="v=0\r\nrubbish\r\n")
        assert (await line.message("error", re="peer.offer"))["code"] == "bad_sdp"
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        again = await line.client.ask("call.start", conversation=line.conversation, media="voice", peer="p1")
        assert again["code"] == "call_limit"
        assert (await line.client.ask("call.leave", call="k-nobody"))["code"] == "not_found"


async def test_calling_again_right_after_hanging_up(house: Served) -> None:
    """The last words of the first call are still being written."""
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.state("with_assistant")
        first = line.call
        await line.client.ask("call.leave", call=first)
        await line.browser.pc.close()
        line.browser = Browser(audio=Tone(600))
        await line.standby("p2")
        assert (await line.start("p2"))["type"] == "ack"
        assert line.call != first
        await line.browser.pc.close()


async def test_full_is_said_politely(settings: Settings) -> None:
    async with served(settings.model_copy(update={"max_calls": 1})) as house:
        one, two = [await somebody(house, "customer", n) for n in (0, 1)]
        async with on_line(house, one) as first, on_line(house, two) as second:
            await first.standby()
            await second.standby()
            await first.start()
            refused = await second.start()
            assert refused["code"] == "busy"
            assert refused["retry_after_ms"] > 0


async def test_the_oldest_standby_is_shed(settings: Settings) -> None:
    async with served(settings.model_copy(update={"max_standbys": 1})) as house:
        one, two = [await somebody(house, "customer", n) for n in (0, 1)]
        async with on_line(house, one) as first, on_line(house, two) as second:
            await first.standby()
            await second.standby()
            assert (await first.message("peer.closed"))["reason"] == "shed"


async def test_a_guest_who_opens_many_pushes_out_her_own(settings: Settings) -> None:
    """Behind a proxy: she and the mother come from different addresses, and change names as they like."""
    behind = settings.model_copy(update={"max_standbys": 3, "trusted_proxies": ("127.0.0.1",)})
    async with served(behind) as house:
        one, two, three = [await somebody(house, "customer", n) for n in range(3)]

        async def opens(person: str, address: str, peers: int) -> None:
            client = await stack.enter_async_context(house.connect(person, address=address))
            for n in range(peers):
                browser = Browser(audio=Tone(600))
                stack.push_async_callback(browser.pc.close)
                await client.say("peer.offer", peer=f"p{n}", sdp=await browser.offer())
                await client.until("peer.answered")

        async with AsyncExitStack() as stack:
            await opens(one, "192.0.2.1", 1)
            for person in (two, three):
                await opens(person, "192.0.2.7", 2)
            kept = [(peer.line.person.id, peer.name) for peer in house.gateway.calls.peers.standbys]
            assert kept == [(one, "p0"), (two, "p1"), (three, "p1")]


async def test_the_page_reports_its_waterfall(house: Served) -> None:
    async with on_line(house, await somebody(house, "customer")) as line:
        await line.standby()
        await line.start()
        await line.client.say(
            "call.report", call=line.call, waterfall={"mode": "standby", "steps": {"tap": 0, "first_sound": 40}}
        )
        await line.client.say("ping", t=1)
        await line.message("pong")
        assert (await rows(house, calls))[0]["waterfall"]["customer"]["mode"] == "standby"


async def test_whip_rings_hears_and_hangs_up(house: Served) -> None:
    """RFC 9725 by plain HTTP: ticket, offer, answer with candidates, trickle, delete."""
    customer = await somebody(house, "customer")
    status, ticket = await house.call(customer, "POST", "/api/v1/tickets")
    assert status == 201
    browser = Browser(audio=Tone(600))
    bearer = {"Authorization": f"Bearer {ticket['ticket']}"}
    sdp = {**bearer, "Content-Type": "application/sdp"}
    url = house.url + "/api/v1/whip"
    offer = await browser.offer()
    async with house.http.post(url, data=offer, headers=bearer) as response:
        assert response.status == 400  # not application/sdp
    async with house.http.post(url, data=offer, headers=sdp) as response:
        assert response.status == 201
        assert response.content_type == "application/sdp"
        resource = house.url + response.headers["Location"]
        answer = await response.text()
    assert "a=candidate" in answer
    await browser.accept(answer)
    await browser.connected()
    assert abs(await browser.heard_hz(20, 2) - 500) < 10
    async with house.http.post(url, data=offer, headers=sdp) as response:
        assert (response.status, (await response.json())["code"]) == (401, "bad_ticket")  # each once
    fragment = {**bearer, "Content-Type": "application/trickle-ice-sdpfrag"}
    trickled = "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 50000 typ host\r\n"
    async with house.http.patch(resource, data=trickled, headers=fragment) as response:
        assert response.status == 204
    async with house.http.delete(resource, headers=bearer) as response:
        assert response.status == 200
    await quiet(house)
    assert (await rows(house, calls))[0]["reason"] == "customer_left"
    await browser.pc.close()


async def test_whip_refuses_in_code(house: Served) -> None:
    headers = {"Content-Type": "application/sdp", "Authorization": "Bearer nonsense"}
    async with house.http.post(house.url + "/api/v1/whip", data="v=0", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (401, "bad_ticket")
    _, ticket = await house.call(await somebody(house, "customer"), "POST", "/api/v1/tickets")
    headers["Authorization"] = f"Bearer {ticket['ticket']}"
    async with house.http.post(house.url + "/api/v1/whip", data="v=0\r\nnonsense", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, "bad_sdp")
    async with house.http.post(house.url + "/api/v1/whip", data="v" * 70_000, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")
    assert not house.gateway.calls.peers.standbys


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
