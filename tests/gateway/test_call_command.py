"""`nestcall call`: what it measures, and what it tells an operator."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from gateway.calls.client import CallClient
from gateway.commands.call import address, printer, reason
from media.audio import WIRE_HZ
from media.opus import FRAME_SAMPLES, SILENCE, OpusEncoder
from tests import virtual_time

REPLY_S = 0.4


class Packet:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload


async def reply_after(*says: tuple[float, float]) -> float:
    """The measured delay of a reply that begins REPLY_S after her words; the assistant speaks at `says`
    before."""
    loop = asyncio.get_running_loop()
    client = CallClient(None, "c")  # type: ignore[arg-type]
    loud = OpusEncoder().encode((np.sin(np.arange(FRAME_SAMPLES) / 10) * 9_000).astype(np.int16))
    started, hers = loop.time(), []

    async def microphone() -> None:
        while True:
            frame = await client.microphone.recv()
            if np.abs(frame.to_ndarray()).max() > 0:
                hers.append(loop.time())

    async def assistant() -> None:
        for n in range(3_000):
            at = n / 50
            await asyncio.sleep(started + at - loop.time())
            replies = bool(hers) and loop.time() > hers[-1] + REPLY_S and len(hers) == 50
            speaking = replies or any(since <= at < until for since, until in says)
            client.hearing.packet(Packet(loud if speaking else SILENCE))  # type: ignore[arg-type]

    tasks = [asyncio.create_task(microphone()), asyncio.create_task(assistant())]
    try:
        await asyncio.sleep(0.1)
        return await client.say(np.full(WIRE_HZ, 9_000, np.int16))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()


@pytest.mark.parametrize(
    "says",
    [((0.0, 1.0), (1.5, 3.0)), ((0.0, 20.0),), ((0.0, 1.0), (2.5, 3.05))],
    ids=["greeting of two sentences", "long greeting", "still speaking while she does"],
)
def test_what_the_assistant_was_still_saying_is_no_reply(says: tuple[tuple[float, float], ...]) -> None:
    assert virtual_time.run(reply_after(*says)) == pytest.approx(REPLY_S, abs=0.06)


def test_addresses_are_as_people_type_them() -> None:
    assert address("localhost:9811") == "http://localhost:9811"
    assert address("https://shop.example/") == "https://shop.example"


@pytest.fixture
async def somebody_else() -> AsyncIterator[str]:
    """A web server that is no gateway."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="hello", status=404)

    app = web.Application()
    app.router.add_post("/api/v1/sessions", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def failure(url: str) -> str:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.post(f"{url}/api/v1/sessions") as response:
                await response.json()
        except Exception as error:
            return reason(error, url)
    raise AssertionError("it answered")


async def test_why_there_was_no_call_is_something_to_act_on(somebody_else: str) -> None:
    assert "nestcall serve" in await failure("http://127.0.0.1:1")
    assert "no Nestcall gateway" in await failure(f"http://{somebody_else}")
    assert "TLS" in await failure(f"https://{somebody_else}")
    assert reason(TimeoutError(), "http://x")  # asyncio's has no words of its own


def test_a_caption_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    tell = printer()
    shown = {"type": "caption.shown", "final": True, "role": "assistant", "text": "您好", "turn": 1}
    for message in (shown, shown | {"lit": 2}, shown | {"turn": 2, "text": "再见"}):
        tell(message)
    assert capsys.readouterr().out.splitlines() == ["assistant: 您好", "assistant: 再见"]
