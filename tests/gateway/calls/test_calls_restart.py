"""Calls and a gateway or a database that fails."""

import asyncio
from typing import Any

import pytest

from gateway.domain.events import Fact
from gateway.errors import StorageBroken
from gateway.settings import Settings
from gateway.store.schema import calls, conversations, events
from signaling.protocol import EventKind
from tests.gateway.callers import on_line, quiet, rows, somebody
from tests.gateway.served import Served, served


async def test_a_call_outlives_its_gateway(settings: Settings) -> None:
    async with served(settings) as house:
        customer = await somebody(house, "customer")
        async with on_line(house, customer) as line:
            await line.standby()
            await line.start()
            await line.state("with_assistant")
            call = line.call
            await line.client.ask("call.say", call=call, text="你好")
            said = (await line.frame(is_reply))["turn"]
    async with served(settings) as house, on_line(house, customer) as line:
        assert [c["call"] for c in line.client.ready["calls"]] == [call]
        assert line.client.ready["calls"][0]["state"] == "reconnecting"
        await line.standby()
        await line.client.ask("call.resume", call=call, peer="p1")
        await line.state("with_assistant")
        assert await line.browser.heard_hz(20, 2) > 0
        again = await line.message("caption.shown", role="assistant")
        assert again["turn"] > said  # below what she has read, not in its place
        await line.client.ask("call.leave", call=call)
        await line.event("call.ended")


def is_reply(frame: dict[str, Any]) -> bool:
    return frame["type"] == "caption.shown" and frame["text"].startswith("Reply")


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
