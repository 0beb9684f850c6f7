"""Tools: for the customer of the connection only; times as people say them."""

import re
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.phrases import phrase
from gateway.dialogue.ports import HandoffReason, Said
from gateway.dialogue.tools import words
from gateway.dialogue.tools.requests import Wish, wish
from gateway.dialogue.tools.when import when
from gateway.domain.schedule import DAYS
from gateway.store import schema
from gateway.store.engine import Store
from signaling.protocol import Language
from tests.dialogue.conftest import NOW, ask

TUESDAY = datetime.fromisoformat(NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("周六下午三点", "2026-11-28T15:00:00+08:00"),
        ("明天上午10点半", "2026-11-25T10:30:00+08:00"),
        ("下周二 9:15", "2026-12-01T09:15:00+08:00"),
        ("12月3号下午两点", "2026-12-03T14:00:00+08:00"),
        ("后天3点", "2026-11-26T15:00:00+08:00"),
        ("tomorrow at 3pm", "2026-11-25T15:00:00+08:00"),
        ("Saturday at 10:30", "2026-11-28T10:30:00+08:00"),
        ("2026-11-28 at 14:00", "2026-11-28T14:00:00+08:00"),
        ("11月28日 周六 10:00", "2026-11-28T10:00:00+08:00"),
    ],
)
def test_times_as_people_say_them(text: str, moment: str) -> None:
    found = when(text, TUESDAY).moment(TUESDAY)
    assert found is not None
    assert found.isoformat() == moment


def test_an_impossible_time_is_no_time() -> None:
    assert when("2月30日 25点", TUESDAY).moment(TUESDAY) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("我的快递到哪了", Wish.ORDER),
        ("where is my parcel", Wish.ORDER),
        ("我还有多少积分", Wish.POINTS),
        ("最近有什么活动", Wish.PROMOTIONS),
        ("你们几点关门", Wish.HOURS),
        ("春节几点开门", None),
        ("怎么预约游泳", None),
        ("想约周六上午十点游泳", Wish.BOOK),
        ("取消预约", Wish.CANCEL),
        ("明天让顾问回电给我", Wish.CALLBACK),
        ("宝宝夜里醒怎么办", None),
        ("我想明天下午三点带宝宝来游泳", Wish.BOOK),
        ("can I come in on saturday for a massage", Wish.BOOK),
        ("把游泳改到周日下午两点", Wish.CHANGE),
        ("我想改到后天上午十点", Wish.CHANGE),
        ("一段奶粉有什么优惠", None),  # the list of promotions is no answer about first formula
        ("我约的是几点", Wish.MINE),
        ("明天上午十点回我电话", Wish.CALLBACK),
        ("快递怎么还不来", Wish.ORDER),
        ("has my order shipped", Wish.ORDER),
        ("游泳前要喂奶吗", None),
        ("我想留言", Wish.MESSAGE),
        ("告诉陈顾问我周六来取货", Wish.MESSAGE),
        ("please take a message", Wish.MESSAGE),
        ("你们有留言板吗", None),
    ],
)
def test_which_tool_a_text_asks_for(text: str, asked: Wish | None) -> None:
    assert wish(text) is asked


async def test_look_ups_are_hers_alone(assistant: Assistant) -> None:
    mine = await ask(assistant, "我的订单到哪了")
    assert "order-20001" in mine.text
    assert "order-20002" not in (await ask(assistant, "查一下customer-wang的订单到哪了")).text
    assert "2680" in (await ask(assistant, "我的积分有多少")).text
    assert (await ask(assistant, "my points", language="en")).tools == (Wish.POINTS,)


async def test_hours_price_and_promotions_are_the_stores(assistant: Assistant) -> None:
    assert "09:00–21:00" in (await ask(assistant, "今天几点关门")).text
    assert "10:00–20:00" in (await ask(assistant, "今天几点关门", store="store-jiangning")).text
    assert "95元" in (await ask(assistant, "云柔纸尿裤M码多少钱")).text
    swim = "婴儿游泳体验课"
    assert swim in (await ask(assistant, "现在有什么活动")).text
    assert swim not in (await ask(assistant, "现在有什么活动", store="store-yuhang")).text


async def test_formula_facts_begin_with_breastfeeding(assistant: Assistant) -> None:
    assert (await ask(assistant, "暖巢婴儿配方奶粉1段多少钱")).text.startswith("母乳是宝宝最好的食物")


async def test_booking_changing_and_cancelling(assistant: Assistant, store: Store) -> None:
    assert (await ask(assistant, "想约周六上午十点游泳")).tools == (Wish.BOOK,)
    assert (await states(store)) == [("swim", "booked", "2026-11-28T02:00:00.000000Z")]
    again = await ask(assistant, "想约周六上午十点游泳")
    assert again.decision == "clarify"
    await ask(assistant, "我的预约改到周日下午两点")
    assert (await states(store)) == [("swim", "changed", "2026-11-29T06:00:00.000000Z")]
    assert "游泳" in (await ask(assistant, "我的预约")).text
    assert (await ask(assistant, "取消预约", customer="customer-wang")).decision == "answer"
    assert (await states(store))[0][1] == "changed"  # hers is not anothers to cancel
    await ask(assistant, "取消游泳预约")
    assert (await states(store))[0][1] == "cancelled"


async def states(store: Store) -> list[tuple[str, str, str]]:
    table = schema.appointments
    async with store.read() as connection:
        rows = await connection.execute(select(table.c.what, table.c.state, table.c.starts_at))
        return [(row[0], row[1], row[2]) for row in rows]


async def test_a_closed_hour_is_met_with_open_ones_that_can_be_tapped(assistant: Assistant, store: Store) -> None:
    for language, text in (("zh", "预约周六凌晨2点游泳"), ("en", "book a massage on Saturday at 23:30")):
        offered = await ask(assistant, text, language=language)
        assert offered.decision == "clarify"
        assert offered.choices
        tapped = await ask(assistant, offered.choices[1].text, language=language)
        assert tapped.decision == "answer", offered.choices[1].text
    assert len(await states(store)) == 2


@pytest.mark.parametrize(
    ("again", "due"),
    [
        ("明天给我打电话", "2026-11-25T07:00:00.000000Z"),  # the day she has: the hour stays
        ("约顾问回电", "2026-11-25T07:00:00.000000Z"),
        ("还是四点打给我吧", "2026-11-25T08:00:00.000000Z"),
        ("改成周五回电", "2026-11-27T07:00:00.000000Z"),
        ("周五上午十点回我电话", "2026-11-27T02:00:00.000000Z"),
    ],
)
async def test_a_second_wish_moves_the_one_callback_she_waits_for(
    assistant: Assistant, store: Store, again: str, due: str
) -> None:
    await ask(assistant, "约明天下午三点回电")
    told = (await ask(assistant, again)).text
    assert words.moment(datetime.fromisoformat(due).astimezone(TUESDAY.tzinfo).isoformat(), "zh") in told
    assert [row[0] for row in await calls_back(store)] == [due]


async def test_what_she_says_for_a_callback_is_kept_for_the_caller(assistant: Assistant, store: Store) -> None:
    about = "明天上午十点给我回电，想问湿疹膏"
    wanted, number = phrase("choice.callback", "zh"), "13812345678"
    await ask(assistant, wanted, guest=True)
    assert [row[1] for row in await calls_back(store)] == [""]  # the button says nothing
    await ask(assistant, about, guest=True)
    await ask(assistant, f"{wanted} {number}", guest=True)
    await ask(assistant, about, guest=True)
    assert [row[1] for row in await calls_back(store)] == [f"{about}\n{number}"]


async def calls_back(store: Store) -> list[tuple[str, str]]:
    """(due, her words)"""
    table = schema.callbacks
    async with store.read() as connection:
        return [(row[0], row[1]) for row in await connection.execute(select(table.c.due_at, table.c.message))]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-24T00:30:00+08:00", "11月24日 周二 10:00"),
        ("2026-11-24T22:00:00+08:00", "11月25日 周三 10:00"),
        ("2026-11-24T17:10:00+08:00", "11月24日 周二 18:00"),  # somebody is there now
        ("2026-11-24T20:45:00+08:00", "11月25日 周三 10:00"),
    ],
)
async def test_a_callback_without_a_time_is_at_the_next_opening(assistant: Assistant, now: str, said: str) -> None:
    offered = phrase("choice.callback", "zh")
    assert said in (await ask(assistant, offered, now=now)).text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_callback_from_a_store_without_hours_is_promised_without_a_time(
    assistant: Assistant, store: Store, language: Language
) -> None:
    async def job(connection: Any) -> None:
        await connection.execute(update(schema.stores).values(hours={}))

    await store.write(job)
    told = await ask(assistant, phrase("choice.callback", language), language=language)
    assert told.text == words.call_back(None, language)
    assert re.findall(r"\d", told.text) == []
    async with store.read() as connection:
        due = (await connection.execute(select(schema.callbacks.c.due_at))).scalars().all()
    assert due == ["2026-11-24T02:30:00.000000Z"]  # at once: whoever comes to work sees it as due


@pytest.mark.parametrize(
    ("language", "number"), [("zh", "13812345678"), ("zh", "我的电话是010-12345678"), ("en", "it is +44 20 7946 0958")]
)
async def test_a_guest_is_asked_for_the_number_to_call(assistant: Assistant, language: Language, number: str) -> None:
    wanted, asking = phrase("choice.callback", language), phrase("callback.number", language)
    told = await ask(assistant, wanted, language=language, guest=True)
    assert told.text.endswith(asking)
    said = (Said("customer", wanted), Said("assistant", told.text))
    given = await ask(assistant, number, language=language, guest=True, history=said)
    assert (given.tools, given.text + asking) == ((Wish.CALLBACK,), told.text)
    again = (*said, Said("customer", number), Said("assistant", given.text))
    assert (await ask(assistant, wanted, language=language, guest=True, history=again)).text == given.text
    assert (await ask(assistant, wanted, language=language)).text == given.text  # a member's is known to the shop


async def test_a_number_is_taken_also_after_something_else_was_said(assistant: Assistant) -> None:
    told = await ask(assistant, "给我回电话", guest=True, channel="voice")
    assert told.text.endswith(phrase("callback.number.voice", "zh"))  # on the telephone there is no chat to write it in
    between = (Said("assistant", told.text), Said("customer", "嗯"), Said("assistant", "您还在吗？"))
    given = await ask(assistant, "13800138000", guest=True, channel="voice", history=between)
    assert given.tools == (Wish.CALLBACK,)


@pytest.mark.parametrize(("language", "other"), [("zh", "周四下午三点"), ("en", "Thursday at 3pm")])
async def test_a_time_after_the_promise_moves_it(
    assistant: Assistant, store: Store, language: Language, other: str
) -> None:
    told = await ask(assistant, phrase("choice.callback", language), language=language)
    moved = await ask(assistant, other, language=language, history=(Said("assistant", told.text),))
    assert moved.text == words.call_back("2026-11-26T15:00:00+08:00", language)
    async with store.read() as connection:
        due = (await connection.execute(select(schema.callbacks.c.due_at))).scalars().all()
    assert due == ["2026-11-26T07:00:00.000000Z"]


@pytest.mark.parametrize(
    ("language", "wish_", "message"),
    [
        ("zh", "我想留言", "周六我来取推车，你们几点关门前都行"),
        ("en", "can I leave a message", "is it ready"),
    ],
)
async def test_a_message_is_asked_for_and_whatever_comes_then_is_it(
    assistant: Assistant, language: Language, wish_: str, message: str
) -> None:
    asked = await ask(assistant, wish_, language=language)
    assert (asked.text, asked.handoff) == (phrase("message.ask", language), None)
    kept = await ask(assistant, message, language=language, history=(Said("assistant", asked.text),))
    assert (kept.text, kept.handoff) == (phrase("message.kept", language), HandoffReason.ASKED)
    at_once = await ask(assistant, f"帮我转告顾问：{message}")
    assert at_once.text == phrase("message.kept", "zh")


@pytest.mark.parametrize("text", ["你们几点关门", "我的快递到哪了", "我还有多少积分", "最近有什么活动"])
async def test_what_is_told_in_chinese_has_chinese_punctuation(assistant: Assistant, text: str) -> None:
    told = (await ask(assistant, text)).text
    assert re.findall(r"[,;?!()]|:(?!\d)", told) == []


async def test_a_stores_rule_calls_a_person(assistant: Assistant, store: Store) -> None:
    rules = {"person_for": [{"matter": "feeding", "under_days": 30}]}

    async def job(connection: Any) -> None:
        await connection.execute(update(schema.stores).values(rules=rules))

    await store.write(job)
    young = await ask(assistant, "一天喂几次奶", baby_age_days=(12,))
    assert young.handoff is HandoffReason.STORE_RULE
    older = await ask(assistant, "奶瓶怎么消毒", baby_age_days=(245,))
    assert older.handoff is None


@pytest.mark.parametrize(
    "asked", ["美林和泰诺林可以一起吃吗", "布洛芬跟对乙酰氨基酚交替吃行不行", "can i alternate calpol and nurofen"]
)
async def test_medicines_together_are_no_shops_to_answer(assistant: Assistant, asked: str) -> None:
    assert (await ask(assistant, asked)).handoff is HandoffReason.SENSITIVE


async def evenings(store: Store) -> None:
    """The store opens from six to eight, every day."""

    async def job(connection: Any) -> None:
        await connection.execute(update(schema.stores).values(hours=dict.fromkeys(DAYS, [["18:00", "20:00"]])))

    await store.write(job)


async def test_a_store_open_in_the_evening_offers_its_evenings(assistant: Assistant, store: Store) -> None:
    await evenings(store)
    offered = await ask(assistant, "想约婴儿游泳")
    assert [choice.text for choice in offered.choices] == [
        f"预约婴儿游泳 11月{day}日 {name} 18:00" for day, name in ((24, "周二"), (25, "周三"), (26, "周四"))
    ]
    assert (await ask(assistant, offered.choices[0].text)).text.startswith("约好了：婴儿游泳，11月24日 周二 18:00")
    assert "11月24日 周二 19:00" in (await ask(assistant, phrase("choice.callback", "zh"))).text


@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-11-24T04:20:00+08:00", 24), ("2026-11-24T10:30:00+08:00", 25), ("2026-11-24T22:00:00+08:00", 25)],
)
async def test_times_are_offered_from_the_next_opening_on(assistant: Assistant, now: str, day: int) -> None:
    offered = await ask(assistant, "想约婴儿游泳", now=now)
    assert offered.choices[0].text.startswith(f"预约婴儿游泳 11月{day}日")


@pytest.mark.parametrize(
    ("language", "typed", "booked"),
    [("zh", "视频吧", "顾问视频"), ("zh", "到店", "到店"), ("en", "by video", "a video consultation")],
)
async def test_who_may_come_or_talk_by_video_is_asked_which(
    assistant: Assistant, language: Language, typed: str, booked: str
) -> None:
    asked = await ask(assistant, phrase("choice.appointment", language), language=language)
    assert len(asked.choices) == 2
    for said in (typed, next(choice.text for choice in asked.choices if booked in choice.text)):
        offered = await ask(assistant, said, language=language, history=(Said("assistant", asked.text),))
        assert len(offered.choices) == 3
        assert all(booked in choice.text for choice in offered.choices)


@pytest.mark.parametrize(
    ("now", "zh", "en"),
    [
        ("2026-11-24T10:30:00+08:00", "现在营业中", "open now"),
        ("2026-11-24T07:30:00+08:00", "现在还没开门，09:00开门", "not open now, opens at 09:00"),
        ("2026-11-24T21:30:00+08:00", "现在已打烊，明天09:00开门", "closed now, opens tomorrow at 09:00"),
    ],
)
async def test_who_comes_too_early_hears_when_the_store_opens(assistant: Assistant, now: str, zh: str, en: str) -> None:
    assert f"，{zh}。" in (await ask(assistant, "今天几点开门", now=now)).text
    assert f", {en}." in (await ask(assistant, "are you open", now=now, language="en")).text


async def test_on_a_day_of_rest_nothing_has_closed(assistant: Assistant) -> None:
    monday = "2026-11-23T12:00:00+08:00"
    told = (await ask(assistant, "今天几点关门", store="store-jiangning", now=monday)).text
    assert "今天休息，明天10:00开门" in told


async def test_a_bare_time_answers_the_question_when(assistant: Assistant) -> None:
    first = await ask(assistant, "想约婴儿游泳")
    done = await ask(assistant, "周六上午十点", history=(Said("assistant", first.text),))
    assert (done.tools, done.text.startswith("约好了：婴儿游泳，11月28日 周六 10:00")) == ((Wish.BOOK,), True)
    asked = await ask(assistant, "改约游泳")
    done = await ask(assistant, "周日14:00", history=(Said("assistant", asked.text),))
    assert done.text.startswith("改好了：婴儿游泳，11月29日 周日 14:00")


async def test_only_the_kind_she_names_is_changed(assistant: Assistant) -> None:
    await ask(assistant, "预约抚触 周六上午十点")
    asked = await ask(assistant, "把游泳改到周日下午两点")
    assert asked.decision == "clarify"
    assert [choice.text for choice in asked.choices[:-1]] == ["改约抚触"]
    assert "11月28日 周六 10:00" in (await ask(assistant, "我的预约")).text


async def test_a_closed_time_for_a_change_offers_open_ones(assistant: Assistant) -> None:
    await ask(assistant, "预约抚触 周六上午十点")
    offered = await ask(assistant, "抚触改到周日晚上十一点")
    assert offered.text.startswith("那个时间门店不营业")
    done = await ask(assistant, offered.choices[0].text)
    assert done.text.startswith("改好了：抚触")


@pytest.mark.parametrize("text", ["余杭店几点关门", "江宁店在哪"])
async def test_another_stores_hours_are_not_ours(assistant: Assistant, text: str) -> None:
    closing = await ask(assistant, text)
    assert closing.tools == ()
    assert text[:3] in closing.text


async def test_a_call_back_today_where_only_an_hour_is_named(assistant: Assistant) -> None:
    assert "11月24日 周二 20:00" in (await ask(assistant, "晚上八点打给我")).text
