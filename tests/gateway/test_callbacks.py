"""A call back that was promised is on the advisors' list until one of them resolves the conversation."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from gateway.calls import context
from gateway.dialogue.phrases import phrase
from gateway.settings import Settings
from gateway.store.schema import callbacks
from tests.gateway.served import Served, served

MOTHER, OTHER, ADVISOR = "customer-lili", "customer-wang", "advisor-chen"
NOON, LATER = "2026-11-24T04:00:00.000000Z", "2026-11-26T04:00:00.000000Z"  # 12:00 in Shanghai, a Tuesday, a Thursday
TEN_ON_WEDNESDAY, TEN_ON_FRIDAY = "2026-11-25T02:00:00.000000Z", "2026-11-27T02:00:00.000000Z"


@pytest.fixture
async def shop(database: Settings) -> AsyncIterator[Served]:
    async with served(database) as started:
        started.gateway.chat.now = lambda: NOON
        yield started


async def promise(shop: Served, person: str, words: str) -> str:
    """The conversation in which the assistant promised her a call back."""
    conversation = await shop.conversation(person)
    async with shop.connect(person) as phone:
        await phone.send(conversation, words)
        told = await phone.event(kind="message.sent", role="assistant")
    assert "回电" in told["body"]["text"]
    return conversation


async def listed(shop: Served) -> dict[str, Any]:
    """callback_at by conversation, in the order of the list."""
    _, page = await shop.call(ADVISOR, "GET", "/api/v1/inbox")
    return {item["conversation"]: item.get("callback_at") for item in page["items"]}


async def test_a_promise_is_told_to_the_advisors_and_kept_by_resolving(shop: Served) -> None:
    async with shop.connect(ADVISOR) as desk:
        await desk.ask("inbox.watch")
        conversation = await promise(shop, MOTHER, "约明天上午十点回电")
        while (await desk.until("inbox.changed"))["item"].get("callback_at") != TEN_ON_WEDNESDAY:
            pass
        newer = await shop.conversation(OTHER)
        assert list((await listed(shop)).items()) == [(conversation, TEN_ON_WEDNESDAY), (newer, None)]
        await desk.ask("conversation.act", conversation=conversation, act="accept")
        await desk.ask("conversation.act", conversation=conversation, act="hand_back")
        assert (await listed(shop))[conversation] == TEN_ON_WEDNESDAY  # handing back is not calling
        await desk.ask("conversation.act", conversation=conversation, act="accept")
        await desk.ask("conversation.act", conversation=conversation, act="resolve")
        assert (await listed(shop))[conversation] is None
    async with shop.gateway.store.read() as connection:
        assert (await connection.execute(select(callbacks.c.state))).scalars().all() == ["done"]


async def test_resolving_one_conversation_keeps_the_promises_of_others(shop: Served) -> None:
    one, other = await promise(shop, MOTHER, "约明天上午十点回电"), await promise(shop, OTHER, "约周五上午十点回电")
    async with shop.connect(ADVISOR) as desk:
        await desk.ask("conversation.act", conversation=one, act="resolve")
    assert await listed(shop) == {other: TEN_ON_FRIDAY, one: None}


async def test_who_was_not_called_is_promised_a_time_that_is_to_come(shop: Served) -> None:
    conversation = await promise(shop, MOTHER, "约明天上午十点回电")
    shop.gateway.chat.now = lambda: LATER
    await promise(shop, MOTHER, "约周五上午十点回电")
    assert await listed(shop) == {conversation: TEN_ON_FRIDAY}


async def test_the_advisor_reads_what_she_wants_to_be_called_for(shop: Served) -> None:
    await promise(shop, MOTHER, "明天上午十点回电，电话13812345678")
    _, page = await shop.call(ADVISOR, "GET", "/api/v1/inbox")
    assert [item["callback_words"] for item in page["items"]] == ["明天上午十点回电，电话13812345678"]


async def test_who_is_a_guest_is_known_in_chat_and_in_a_call(shop: Served) -> None:
    _, signed = await shop.call(None, "POST", "/api/v1/sessions", guest=True)
    conversation, asking = signed["conversation"], phrase("callback.number", "zh")
    async with shop.connect(signed["person"]["id"]) as phone:
        await phone.send(conversation, "约顾问回电")
        assert (await phone.event(kind="message.sent", role="assistant"))["body"]["text"].endswith(asking)
    member = await shop.conversation(MOTHER)
    calls = [await context.of_call(shop.gateway.store, shop.gateway.chat, one) for one in (conversation, member)]
    assert [call.context.guest for call in calls] == [True, False]
