"""Advisors in a call."""

import asyncio

import pytest

from gateway.store.schema import events
from tests.gateway.callers import advisor_of, neighbour, on_line, rows, somebody
from tests.gateway.served import Served
from tests.media.browser import Browser, Tone


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
