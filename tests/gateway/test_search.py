"""Found in Chinese and English, only by whoever may see it, and not after it was recalled."""

from collections.abc import AsyncIterator

import pytest

from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.search_terms import wanted
from gateway.settings import Settings
from gateway.store import search
from gateway.store.engine import Store
from signaling.protocol import EventKind, ProductBody, TextBody
from tests.gateway.shop import Shop, furnished


@pytest.fixture
async def shop(database: Settings) -> AsyncIterator[Shop]:
    store = await Store.open(database)
    yield await furnished(store)
    await store.close()


async def found(shop: Shop, person: Person, query: str, **narrowed: object) -> list[str]:
    async with shop.store.read() as connection:
        return [hit.text for hit in await search.find(connection, person, wanted(query), **narrowed)]


async def say(shop: Shop, person: Person, text: str, nonce: str) -> int:
    where = shop.bella_chat if person in (shop.bella, shop.stranger) else shop.anna_chat
    return (await shop.chat.send(person, where, nonce, TextBody(text=text))).seq


async def test_two_characters_find_newest_first(shop: Shop) -> None:
    await say(shop, shop.anna, "宝宝喝奶粉吐奶怎么办", "nonce-01")
    await say(shop, shop.anna, "哪种奶粉好", "nonce-02")
    await say(shop, shop.anna, "Which Aptamil stage?", "nonce-03")
    assert await found(shop, shop.anna, "奶粉") == ["哪种奶粉好", "宝宝喝奶粉吐奶怎么办"]
    assert await found(shop, shop.anna, "奶粉 吐奶") == ["宝宝喝奶粉吐奶怎么办"]
    assert await found(shop, shop.anna, "apta") == ["Which Aptamil stage?"]
    assert await found(shop, shop.anna, "吐") == ["宝宝喝奶粉吐奶怎么办"]
    assert await found(shop, shop.anna, "奶瓶") == []


async def test_only_within_reach(shop: Shop) -> None:
    await say(shop, shop.anna, "黄疸多久退", "nonce-01")
    await say(shop, shop.bella, "黄疸照蓝光", "nonce-02")
    await shop.chat.note(shop.advisor, shop.anna_chat, "nonce-03", "黄疸偏高，明天回访")
    assert await found(shop, shop.anna, "黄疸") == ["黄疸多久退"]
    assert await found(shop, shop.bella, "黄疸") == ["黄疸照蓝光"]
    assert await found(shop, shop.advisor, "黄疸") == ["黄疸偏高，明天回访", "黄疸多久退"]
    assert await found(shop, shop.stranger, "黄疸") == ["黄疸照蓝光"]
    assert len(await found(shop, shop.manager, "黄疸")) == 3
    assert await found(shop, shop.manager, "黄疸", conversation=shop.bella_chat) == ["黄疸照蓝光"]
    assert await found(shop, shop.anna, "黄疸", conversation=shop.bella_chat) == []


async def test_edits_and_recalls(shop: Shop) -> None:
    seq = await say(shop, shop.anna, "湿疹用什么药膏", "nonce-01")
    await shop.chat.edit(shop.anna, shop.anna_chat, "nonce-02", seq, "湿疹用什么面霜")
    assert await found(shop, shop.anna, "药膏") == []
    assert await found(shop, shop.anna, "湿疹") == ["湿疹用什么面霜"]
    await shop.chat.edit(shop.anna, shop.anna_chat, "nonce-03", seq, "尿布疹用什么")
    assert await found(shop, shop.anna, "面霜") == []
    await shop.chat.recall(shop.anna, shop.anna_chat, "nonce-04", seq)
    for query in ("湿疹", "药膏", "面霜", "尿布"):
        assert await found(shop, shop.advisor, query) == []


async def test_cards_are_found_by_their_words(shop: Shop) -> None:
    card = ProductBody(product="p1", name="拉拉裤 XL", price_fen=9900, facts="夜用 加厚").model_dump(mode="json")
    await shop.chat.append(
        shop.anna_chat, Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", "card-0001", card, {})
    )
    assert await found(shop, shop.anna, "夜用") == ["拉拉裤 XL 夜用 加厚"]


async def test_pages(shop: Shop) -> None:
    for n in range(25):
        await say(shop, shop.anna, f"第{n}次睡眠问题", f"nonce-{n:04}")
    async with shop.store.read() as connection:
        pages, after = [], None
        while page := await search.find(connection, shop.anna, wanted("睡眠"), after=after, limit=10):
            pages.append([hit.seq for hit in page])
            after = (page[-1].at, page[-1].conversation, page[-1].seq)
    seqs = [seq for page in pages for seq in page]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert seqs == sorted(set(seqs), reverse=True)
