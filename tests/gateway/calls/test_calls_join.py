"""How a call begins, ends and is refused."""

import asyncio
import gc
from contextlib import AsyncExitStack

import pytest

from gateway.calls.silence import GOODBYE
from gateway.settings import Settings
from gateway.store.schema import calls, people
from media.ports import IdleNote
from tests.gateway.callers import on_line, quiet, rows, somebody
from tests.gateway.served import Served, served
from tests.media.browser import Browser, Tone


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


async def test_a_call_that_never_connects_is_gone(settings: Settings) -> None:
    hasty = settings.model_copy(update={"connect_deadline": 0.3})
    async with served(hasty) as house, on_line(house, await somebody(house, "customer")) as line:
        await line.client.say("peer.offer", peer="p1", sdp=await line.browser.offer())
        await line.message("peer.answered")  # and never applied
        await line.start()
        ended = await line.event("call.ended")
        assert ended["data"]["reason"] == "never_connected"
        await quiet(house)


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


async def test_a_failed_assertion_leaves_no_peer_open(settings: Settings) -> None:
    """Its decoder thread would keep pytest from ending."""
    other = Browser(audio=Tone(600))

    async def failing() -> None:
        async with served(settings) as house, on_line(house, await somebody(house, "customer")) as line:
            await line.standby()
            await other.offer()  # and nobody answers it
            raise AssertionError("as a test fails")

    with pytest.raises(ExceptionGroup, match="unhandled"):
        await failing()
    assert other.pc.connectionState == "closed"
