"""Lines: measured, silent, replaced."""

import asyncio
from typing import Any

import pytest

from tests.gateway.callers import advisor_of, on_line, quiet, somebody
from tests.gateway.served import Client, Served
from tests.media.browser import Browser, Tone


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
