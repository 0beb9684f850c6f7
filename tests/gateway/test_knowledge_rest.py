"""The manager's knowledge over REST: publish with a judged score, versions, import and export, the teaching loop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest

from gateway.dialogue.handoff import MATTERS, Matter
from gateway.dialogue.teaching import RATES
from gateway.http.routes import ROUTES
from gateway.settings import Settings
from gateway.store import knowledge, teaching
from tests.gateway.served import Served, served

MANAGER, ADVISOR, CUSTOMER = "manager-lin", "advisor-chen", "customer-lili"
UMBRELLA = {
    "question": "雨天可以借伞吗?",
    "phrasings": ["借把伞"],
    "answer": "可以,收银台登记。",
    "category": "shopping",
}


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Served]:
    async with served(settings) as started:
        yield started


async def only(shop: Served, *questions: tuple[str, str | None]) -> None:
    """These golden questions and no others: the rest of the demo's would only cost time."""
    chain = "chain-demo"

    async def job(connection: Any) -> None:
        for row in await teaching.golden(connection, chain):
            await teaching.drop_golden(connection, chain, row["id"])
        rows = [{"id": f"{chain}-{n}", "question": q, "expect": e, "tags": []} for n, (q, e) in enumerate(questions)]
        await teaching.add_golden(connection, chain, rows)

    await shop.gateway.store.write(job)


async def test_only_the_manager_comes_in(shop: Served) -> None:
    mine = [
        r
        for r in ROUTES
        if r.path.startswith(("/api/v1/knowledge", "/api/v1/unanswered", "/api/v1/golden", "/api/v1/scores"))
    ]
    assert len(mine) == 19
    for route in mine:
        path = route.path.format(entry="sterilise", cluster="k", question="q")
        for person, status in ((CUSTOMER, 404), (ADVISOR, 404), (None, 404)):
            assert (await shop.call(person, route.method, path))[0] == status or (
                (await shop.call(person, route.method, path))[0] in (401, 403)
            ), route.path


async def test_publish_try_version_and_roll_back(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"))
    status, said = await shop.call(MANAGER, "PUT", "/api/v1/knowledge/umbrella", **UMBRELLA)
    assert (status, said["entry"]["version"]) == (200, 1)
    changed = UMBRELLA | {"answer": "可以,押金20元。"}
    assert (await shop.call(MANAGER, "PUT", "/api/v1/knowledge/umbrella", **changed))[1]["entry"]["version"] == 2
    _, tried = await shop.call(MANAGER, "POST", "/api/v1/knowledge/try", question="能借伞吗")
    assert (tried["top"][0]["id"], tried["vectors"]) == ("umbrella", "off")
    status, back = await shop.call(MANAGER, "POST", "/api/v1/knowledge/umbrella/rollback", version=1)
    assert (back["version"], back["answer"]) == (3, UMBRELLA["answer"])
    _, history = await shop.call(MANAGER, "GET", "/api/v1/knowledge/umbrella/versions")
    assert [one["version"] for one in history["items"]] == [3, 2, 1]
    assert (await shop.call(MANAGER, "DELETE", "/api/v1/knowledge/umbrella"))[0] == 200
    _, tried = await shop.call(MANAGER, "POST", "/api/v1/knowledge/try", question="能借伞吗")
    assert "umbrella" not in [one["id"] for one in tried["top"]]


async def test_publishing_that_lowers_the_score_asks_first(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"), ("奶瓶要消毒吗", "sterilise"))
    thief = {
        "question": "怎么给奶瓶消毒",
        "phrasings": ["奶瓶要消毒吗"],
        "answer": "奶瓶不用消毒，蒸汽煮沸消毒奶瓶都没有用",
        "category": "shopping",
    }
    status, said = await shop.call(MANAGER, "PUT", "/api/v1/knowledge/thief", **thief)
    assert status == 409
    fewer = any(said["after"][rate] < said["before"][rate] for rate in RATES)
    assert fewer or said["after"]["answered_wrong"] > said["before"]["answered_wrong"]
    assert (await shop.call(MANAGER, "GET", "/api/v1/knowledge/thief"))[0] == 404
    assert (await shop.call(MANAGER, "PUT", "/api/v1/knowledge/thief?confirm=true", **thief))[0] == 200
    _, scores = await shop.call(MANAGER, "GET", "/api/v1/scores")
    assert scores["items"][-1]["totals"] == said["after"]
    async with shop.http.get(
        shop.url + "/api/v1/scores?format=svg", headers={"Authorization": f"Bearer {await shop.token(MANAGER)}"}
    ) as plot:
        assert (await plot.text()).startswith("<svg")


async def test_import_names_bad_rows_and_export_brings_all_back(shop: Served) -> None:
    headers = {"Authorization": f"Bearer {await shop.token(MANAGER)}", "Content-Type": "text/csv"}
    text = "id,question,answer,category\nlocker,有储物柜吗,有,shopping\n,坏行,x,shopping\n"
    async with shop.http.post(shop.url + "/api/v1/knowledge/import", data=text.encode(), headers=headers) as response:
        said = await response.json()
    assert (said["published"], said["faults"][0]["row"]) == (1, 2)
    async with shop.http.get(shop.url + "/api/v1/knowledge/export?format=csv", headers=headers) as response:
        assert "locker" in await response.text()


async def test_an_import_is_judged_and_brings_only_what_changes(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"), ("奶瓶要消毒吗", "sterilise"))
    headers = {"Authorization": f"Bearer {await shop.token(MANAGER)}", "Content-Type": "text/csv"}

    async def bring(text: str, query: str = "") -> tuple[int, Any]:
        url = f"{shop.url}/api/v1/knowledge/import{query}"
        async with shop.http.post(url, data=text.encode(), headers=headers) as response:
            return response.status, await response.json()

    rows = "id,question,answer,category,phrasings\nlocker,有储物柜吗,有,shopping,\n"
    thief = "thief,怎么给奶瓶消毒,奶瓶不用消毒，蒸汽煮沸消毒奶瓶都没有用,shopping,奶瓶要消毒吗\n"
    status, said = await bring(rows)
    assert (status, said["published"], said["same"]) == (200, 1, 0)
    status, said = await bring(rows)
    assert (status, said["published"], said["same"]) == (200, 0, 1)
    assert len((await shop.call(MANAGER, "GET", "/api/v1/knowledge/locker/versions"))[1]["items"]) == 1
    status, said = await bring(rows + thief)
    assert (status, said["worse"], said["good"]) == (409, True, 2)
    assert (await shop.call(MANAGER, "GET", "/api/v1/knowledge/thief"))[0] == 404
    assert (await bring(rows + thief, "?confirm=true"))[1]["published"] == 1


async def test_rolling_back_to_what_lowers_the_score_asks_first(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"), ("奶瓶要消毒吗", "sterilise"))
    thief = {
        "question": "怎么给奶瓶消毒",
        "phrasings": ["奶瓶要消毒吗"],
        "answer": "奶瓶不用消毒，蒸汽煮沸消毒奶瓶都没有用",
        "category": "shopping",
    }
    await shop.call(MANAGER, "PUT", "/api/v1/knowledge/thief?confirm=true", **thief)
    await shop.call(MANAGER, "PUT", "/api/v1/knowledge/thief", **UMBRELLA)
    path = "/api/v1/knowledge/thief/rollback"
    assert (await shop.call(MANAGER, "POST", path, version=1))[0] == 409
    assert (await shop.call(MANAGER, "POST", f"{path}?confirm=true", version=1))[1]["version"] == 3
    _, history = await shop.call(MANAGER, "GET", "/api/v1/knowledge/thief/versions")
    assert {one["name"] for one in history["items"]} == {"林店长"}
    assert (await shop.call(MANAGER, "POST", path, version=9))[0] == 404


async def test_an_empty_file_says_so(shop: Served) -> None:
    headers = {"Authorization": f"Bearer {await shop.token(MANAGER)}", "Content-Type": "text/csv"}
    async with shop.http.post(shop.url + "/api/v1/knowledge/import", data=b"", headers=headers) as response:
        assert (response.status, (await response.json())["faults"][0]["why"]) == (422, "no entries")


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-8-sig"])
async def test_a_spreadsheets_own_encoding_is_read(shop: Served, encoding: str) -> None:
    headers = {"Authorization": f"Bearer {await shop.token(MANAGER)}", "Content-Type": "text/csv"}
    rows = "id,question,answer,category\nlocker,有储物柜吗,有,shopping\n".encode(encoding)
    async with shop.http.post(shop.url + "/api/v1/knowledge/import", data=rows, headers=headers) as response:
        assert (await response.json())["published"] == 1
    assert (await shop.call(MANAGER, "GET", "/api/v1/knowledge/locker"))[1]["question"] == "有储物柜吗"


async def eventually(shop: Served, size: int) -> list[dict[str, Any]]:
    for _ in range(100):
        _, said = await shop.call(MANAGER, "GET", "/api/v1/unanswered")
        if sum(one["size"] for one in said["items"]) >= size and all(one["draft"] or size < 2 for one in said["items"]):
            return list(said["items"])
        await asyncio.sleep(0.05)
    raise AssertionError(said)


async def test_an_unanswered_question_becomes_knowledge(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"))
    conversation = await shop.conversation(CUSTOMER)
    body = {"kind": "text", "text": "下雨天能跟你们借把雨伞不"}
    await shop.call(CUSTOMER, "POST", f"/api/v1/conversations/{conversation}/events", nonce="nonce-0001", body=body)
    first = await eventually(shop, 1)
    assert first[0]["questions"] == ["下雨天能跟你们借把雨伞不"]
    wanted = UMBRELLA | {"id": "umbrella", "phrasings": ["下雨天能借雨伞吗"]}
    _, foreseen = await shop.call(MANAGER, "POST", "/api/v1/knowledge/preview", **wanted)
    assert foreseen["answered"] == ["下雨天能跟你们借把雨伞不"]
    status, told = await shop.call(ADVISOR, "GET", f"/api/v1/conversations/{conversation}/summary")
    assert (status, "借把雨伞" in told["summary"]) == (200, True)
    assert (await shop.call("advisor-zhou", "GET", f"/api/v1/conversations/{conversation}/summary"))[0] == 404
    path = f"/api/v1/unanswered/{first[0]['cluster']}/answer"
    assert (await shop.call(MANAGER, "POST", path, **wanted))[0] == 200
    assert (await shop.call(MANAGER, "GET", "/api/v1/unanswered"))[1]["items"] == []
    assert (await shop.call(MANAGER, "POST", path, **wanted))[0] == 404  # settled already


async def test_golden_questions_are_edited(shop: Served) -> None:
    await only(shop, ("怎么给奶瓶消毒", "sterilise"))
    status, made = await shop.call(MANAGER, "POST", "/api/v1/golden", question="能借伞吗", expect=None)
    assert status == 201
    path = f"/api/v1/golden/{made['id']}"
    assert (await shop.call(MANAGER, "PUT", path, question="能借伞吗", expect="umbrella"))[0] == 200
    _, kept = await shop.call(MANAGER, "GET", "/api/v1/golden")
    assert {(one["question"], one["expect"]) for one in kept["items"]} == {
        ("怎么给奶瓶消毒", "sterilise"),
        ("能借伞吗", "umbrella"),
    }
    await shop.call(MANAGER, "DELETE", path)
    assert len((await shop.call(MANAGER, "GET", "/api/v1/golden"))[1]["items"]) == 1


async def test_a_manager_sets_for_what_a_store_wants_a_person(shop: Served) -> None:
    path, rules = "/api/v1/stores/store-xuhui/rules", {"person_for": [{"matter": "feeding", "under_days": 30}]}
    assert await shop.call(MANAGER, "GET", path) == (200, {"person_for": []})
    assert (await shop.call(ADVISOR, "PUT", path, **rules))[0] == 403
    assert (await shop.call(MANAGER, "PUT", path, person_for=[{"matter": "weather"}]))[0] == 400
    assert (await shop.call(MANAGER, "PUT", "/api/v1/stores/elsewhere/rules", **rules))[0] == 404
    assert (await shop.call(MANAGER, "PUT", path, **rules))[0] == 200
    assert (await shop.call(MANAGER, "GET", path))[1]["person_for"][0] == {"matter": "feeding", "under_days": 30}
    async with shop.gateway.store.read() as connection:
        assert await knowledge.rules_of(connection, "store-xuhui") == rules
        assert (await knowledge.rules_of(connection, "store-yuhang")) == {}


async def test_the_manager_sees_the_stores_of_her_chain(shop: Served) -> None:
    status, found = await shop.call(MANAGER, "GET", "/api/v1/stores")
    assert status == 200
    assert [one["id"] for one in found["items"]] == ["store-jiangning", "store-xuhui", "store-yuhang"]
    assert (await shop.call(ADVISOR, "GET", "/api/v1/stores"))[0] == 403


def test_the_matters_of_a_rule_are_those_the_assistant_knows() -> None:
    assert set(get_args(Matter)) == set(MATTERS)
