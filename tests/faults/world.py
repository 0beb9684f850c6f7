"""The people of a run: customers by signed identity with three devices each, advisors by sign-in code."""

import random
import time
from typing import Any

import aiohttp
import jwt

from tests.faults.checker import Run, Seen
from tests.faults.member import Member, Work, seen
from tests.faults.process import SECRET, GatewayProcess

STORES = {"store-xuhui": ("陈顾问", "吴顾问"), "store-yuhang": ("周顾问", "徐顾问"), "store-jiangning": ("何顾问",)}
WINDOWS = 4
"""Of each advisor."""


async def customer(http: aiohttp.ClientSession, url: str, name: str, store: str) -> dict[str, Any]:
    """{token, person, conversation}"""
    claims = {"sub": name, "name": name, "store": store, "exp": int(time.time()) + 3600 * 24}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    async with http.post(url + "/api/v1/sessions", json={"token": token}) as response:
        assert response.status == 201, await response.text()
        session: dict[str, Any] = await response.json()
        return session


async def advisor_token(http: aiohttp.ClientSession, url: str, code: str) -> str:
    async with http.get(url + "/sign-in", params={"code": code}, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
        return response.cookies["nestcall_session"].value


async def post(http: aiohttp.ClientSession, url: str, token: str, **body: Any) -> None:
    async with http.post(url, json=body, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status < 300, await response.text()


async def populate(process: GatewayProcess, work: Work, dice: random.Random, customers: int) -> list[Member]:
    """Every advisor has accepted her conversations, so that people write and not the assistant."""
    members: list[Member] = []
    links = process.links()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        desks: list[tuple[str, Member]] = []
        for store, names in STORES.items():
            for name in names:
                token = await advisor_token(http, process.url, links[name])
                async with http.get(
                    process.url + "/api/v1/me", headers={"Authorization": f"Bearer {token}"}
                ) as response:
                    person = (await response.json())["id"]
                desks.append((store, Member(person, person, token, [], work, random.Random(dice.random()))))
        for number in range(customers):
            store, desk = desks[number % len(desks)]
            session = await customer(http, process.url, f"faults-{number}", store)
            conversation = session["conversation"]
            path = f"{process.url}/api/v1/conversations/{conversation}"
            await post(http, path + "/acts", session["token"], nonce=f"ask-{number:08}", act="ask_person")
            await post(http, path + "/acts", desk.token, nonce=f"accept-{number:08}", act="accept")
            desk.conversations.append(conversation)
            for device, writes in (("phone", True), ("tablet", False), ("laptop", False)):
                name = f"c{number}-{device}"
                person = session["person"]["id"]
                dice_of = random.Random(dice.random())
                strict = device != "laptop"
                member = Member(name, person, session["token"], [conversation], work, dice_of, writes, strict)
                members.append(member)
        members += [device for _, desk in desks if desk.conversations for device in windows(desk)]
    return members


def windows(desk: Member) -> list[Member]:
    """An advisor's open windows: each writes, each must see all; every other one on a line that doubles and swaps."""
    return [
        Member(
            f"{desk.name}-w{n}",
            desk.person,
            desk.token,
            desk.conversations,
            desk.work,
            random.Random(desk.dice.random()),
            strict=n % 2 == 0,
        )
        for n in range(WINDOWS)
    ]


async def history(http: aiohttp.ClientSession, url: str, token: str, conversation: str) -> list[Seen]:
    """The whole log, by REST: what is in the database."""
    found: list[Seen] = []
    while True:
        path = f"{url}/api/v1/conversations/{conversation}/events"
        query = {"after": str(found[-1].seq if found else 0), "limit": "500"}
        async with http.get(path, params=query, headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == 200, await response.text()
            page = await response.json()
        found += [seen(event) for event in page["events"]]
        if not page["more"]:
            return found


async def collect(url: str, members: list[Member]) -> Run:
    run = Run()
    async with aiohttp.ClientSession() as http:
        for member in members:
            run.sent += member.sent
            for conversation in member.conversations:
                run.received[member.name, conversation] = member.received[conversation]
                if conversation not in run.history:
                    run.history[conversation] = await history(http, url, member.token, conversation)
    return run


async def heads(url: str, members: list[Member]) -> dict[str, int]:
    """{conversation: last seq}"""
    found: dict[str, int] = {}
    async with aiohttp.ClientSession() as http:
        for member in members:
            headers = {"Authorization": f"Bearer {member.token}"}
            for conversation in set(member.conversations) - set(found):
                async with http.get(f"{url}/api/v1/conversations/{conversation}", headers=headers) as response:
                    assert response.status == 200, await response.text()
                    found[conversation] = (await response.json())["last_seq"]
    return found
