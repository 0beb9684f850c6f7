"""Whole calls: real WebSocket, real ICE, DTLS and RTP, benchmark engines, the real log."""

import asyncio

import pytest

from gateway.settings import Settings
from tests.gateway.callers import on_line
from tests.gateway.served import served


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"recognizer": "instant", "synthesizer": "tone", "responder": "instant"})


async def _customer(house) -> str:
    async with house.gateway.store.read() as connection:
        from sqlalchemy import select

        from gateway.store.schema import people

        row = await connection.execute(select(people.c.id).where(people.c.role == "customer").limit(1))
        return row.scalar_one()


async def test_a_standby_becomes_a_call_and_the_greeting_is_heard(settings: Settings) -> None:
    async with served(settings) as house, on_line(house, await _customer(house)) as line:
        await line.standby()
        assert (await line.start())["type"] == "ack"
        assert abs(await line.browser.heard_hz(20, 2) - 500) < 10
        await line.client.ask("call.leave", call=line.call)
        ended = await line.client.event(kind="call.ended")
        assert ended["data"]["reason"] == "customer_left"
        await asyncio.sleep(0.2)
        assert not house.gateway.calls.rooms.open
