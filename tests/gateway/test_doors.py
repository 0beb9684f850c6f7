"""Who gets in, and what every answer carries: sign-in, guests, signed identity, Origin, CSRF, headers, limits."""

import asyncio
import time
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import WSServerHandshakeError
from pydantic import SecretStr

from gateway import clock, switchboard
from gateway.http.routes import ROUTES
from gateway.settings import Settings
from gateway.store import people
from signaling.ice import TURN_LIFETIME_S
from tests.gateway.served import Served, served

MOTHER, ADVISOR, STRANGER, MANAGER = "customer-lili", "advisor-chen", "advisor-zhou", "manager-lin"
SECRET = "a-test-secret-of-at-least-32-bytes!"


def signed(**claims: Any) -> str:
    return jwt.encode({"sub": "m-77", "name": "李雷", "exp": int(time.time()) + 60} | claims, SECRET, algorithm="HS256")


async def code_for(s: Served, person: str) -> str:
    return await s.gateway.store.write(lambda c: people.new_code(c, person, clock.now()))


async def test_a_sign_in_link_works_once(settings: Settings) -> None:
    async with served(settings) as s:
        path = f"{s.url}/sign-in?code={await code_for(s, ADVISOR)}"
        async with s.http.get(path, allow_redirects=False) as first:
            assert (first.status, first.headers["Location"]) == (303, "/console")
            cookie = first.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
        async with s.http.get(path, allow_redirects=False) as second:
            assert second.status == 410
        both = [
            s.http.get(f"{s.url}/sign-in?code={c}", allow_redirects=False) for c in [await code_for(s, ADVISOR)] * 2
        ]
        assert sorted(r.status for r in await asyncio.gather(*both)) == [303, 410]


async def test_the_token_is_nowhere_in_the_database(settings: Settings) -> None:
    async with served(settings) as s:
        token, code = await s.token(ADVISOR), await code_for(s, ADVISOR)
        stored = b"".join(path.read_bytes() for path in settings.data_dir.glob("nestcall.db*"))
        assert token.encode() not in stored
        assert code.encode() not in stored
        assert len(code) >= 112 / 6


@pytest.mark.parametrize("door", ["/", "/phone"])
async def test_a_first_visit_makes_a_guest_with_a_conversation(settings: Settings, door: str) -> None:
    async with served(settings) as s:
        browser = {"Accept": "text/html", "Accept-Language": "en-GB"}
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=browser) as http:
            async with http.get(s.url + door) as page:
                assert "nestcall_session" in page.cookies
            async with http.get(s.url + "/api/v1/inbox") as mine:
                items = (await mine.json())["items"]
            assert len(items) == 1
            assert "AI assistant" in items[0]["last_text"]
            assert items[0]["store"] == "store-xuhui"  # not the first by name: that one has fewest advisors
            async with http.get(s.url + door) as again:
                assert "nestcall_session" not in again.cookies


async def test_guests_can_be_refused(settings: Settings) -> None:
    async with served(settings.model_copy(update={"guests": False})) as s:
        assert (await s.call(None, "POST", "/api/v1/sessions", guest=True))[0] == 403


async def test_the_shops_signed_word_is_believed_and_nothing_else(settings: Settings) -> None:
    async with served(settings.model_copy(update={"identity_secret": SecretStr(SECRET)})) as s:
        status, first = await s.call(None, "POST", "/api/v1/sessions", token=signed(store="store-yuhang"))
        assert (status, first["person"]["store"], first["person"]["name"]) == (201, "store-yuhang", "李雷")
        again = (await s.call(None, "POST", "/api/v1/sessions", token=signed(store="store-yuhang")))[1]
        assert again["conversation"] == first["conversation"]
        assert again["token"] != first["token"]
        wrong = [
            signed(exp=int(time.time()) - 1),
            jwt.encode({"sub": "m-77", "exp": time.time() + 60}, "x" * 40, algorithm="HS256"),
            jwt.encode({"sub": "m-77", "exp": time.time() + 60}, "", algorithm="none"),
            jwt.encode({"sub": "m-77"}, SECRET, algorithm="HS256"),
            "not a token",
        ]
        for token in wrong:
            assert (await s.call(None, "POST", "/api/v1/sessions", token=token))[0] == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("{own}", 101),
        ("https://shop.example", 101),
        ("https://evil.example", 403),
        ("https://shop.example.evil.example", 403),
        ("http://shop.example", 403),
        ("null", 403),
        ("{own}0", 403),
        ("", 403),
    ],
)
async def test_only_our_pages_shake_hands(settings: Settings, origin: str, status: int) -> None:
    async with served(settings.model_copy(update={"allowed_origins": ("https://shop.example",)})) as s:
        assert await handshake(s, origin.format(own=s.url)) == status


async def handshake(s: Served, origin: str) -> int:
    try:
        async with s.http.ws_connect(s.url + "/ws", headers={"Origin": origin}):
            return 101
    except WSServerHandshakeError as refused:
        return refused.status


async def test_a_cookie_alone_opens_no_socket_without_an_origin(settings: Settings) -> None:
    async with served(settings) as s:
        cookies = {"nestcall_session": await s.token(MOTHER)}
        for headers, expected in (({}, "error"), ({"Origin": s.url}, "ready")):
            async with (
                aiohttp.ClientSession(cookies=cookies) as http,
                http.ws_connect(s.url + "/ws", headers=headers) as socket,
            ):
                await socket.send_json({"type": "hello"})
                assert (await socket.receive_json(timeout=5))["type"] == expected


async def test_who_does_not_say_who_she_is_is_hung_up(settings: Settings) -> None:
    async with served(settings) as s:
        async with s.http.ws_connect(s.url + "/ws") as socket:
            await socket.send_json({"type": "hello", "token": "made-up"})
            assert (await socket.receive_json(timeout=5))["code"] == "unauthenticated"
            assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        async with s.http.ws_connect(s.url + "/ws") as silent:
            async with asyncio.timeout(7):
                assert (await silent.receive_json())["code"] == "hello_first"


async def test_a_foreign_page_cannot_write_with_her_cookie(settings: Settings) -> None:
    async with served(settings) as s:
        path = f"{s.url}/api/v1/conversations/{await s.conversation(MOTHER)}/events"
        message = {"nonce": "nonce-0001", "body": {"kind": "text", "text": "hi"}}
        cookies = {"nestcall_session": await s.token(MOTHER)}
        async with aiohttp.ClientSession(cookies=cookies) as http:
            for headers, status in (
                ({}, 403),
                ({"Origin": "https://evil.example"}, 403),
                ({"Origin": "https://evil.example", "X-Nestcall": "1"}, 403),
                ({"Origin": s.url}, 201),
                ({"X-Nestcall": "1"}, 201),
            ):
                async with http.post(path, json=message, headers=headers) as response:
                    assert response.status == status, headers


async def test_every_answer_carries_the_security_headers(settings: Settings) -> None:
    async with served(settings) as s:
        for path in ("/", "/console", "/healthz", "/api/v1/inbox", "/nowhere", "/sign-in", "/static/none.js"):
            async with s.http.get(s.url + path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "script-src 'self'" in policy
                assert "unsafe" not in policy.split("script-src")[1].split(";")[0]
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "camera=(self)" in response.headers["Permissions-Policy"]
                assert response.headers["Cache-Control"] == "no-store"


async def test_no_route_of_a_conversation_shows_it_to_a_stranger(settings: Settings) -> None:
    """From the table itself, so that a new route is tested the day it comes."""
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        missing = "c-" + "0" * 32
        other = "customer-zhao"
        paths = [(route.method, route.path) for route in ROUTES if "{conversation}" in route.path]
        assert len(paths) >= 5
        for method, path in paths:
            for who, status in ((None, {401}), (STRANGER, {403, 404}), (other, {403, 404})):
                body = bodies(path) if method == "POST" else {}
                outcomes = [
                    await s.call(who, method, path.format(conversation=name, file="f-1"), **body)
                    for name in (conversation, missing)
                ]
                assert outcomes[0][0] in status | {202}, (method, path, who)
                assert outcomes[0] == outcomes[1], (method, path, who)
        assert len((await s.call(MOTHER, "GET", f"/api/v1/conversations/{conversation}/events"))[1]["events"]) == 2


def bodies(path: str) -> dict[str, Any]:
    match path.rsplit("/", 1)[-1]:
        case "events":
            return {"nonce": "nonce-0001", "body": {"kind": "text", "text": "hi"}}
        case "acts":
            return {"nonce": "nonce-0001", "act": "ask_person"}
        case _:
            return {"delivered": 1, "read": 1}


async def test_what_is_asked_badly_is_refused_with_a_code(settings: Settings) -> None:
    async with served(settings) as s:
        path = f"/api/v1/conversations/{await s.conversation(MOTHER)}/events"
        for query in ("after=-1", "after=x", "limit=0", "limit=501", "wait=999", "after=9" + "9" * 30, "after=١"):
            status, answer = await s.call(MOTHER, "GET", f"{path}?{query}")
            assert (status, answer["code"]) == (400, "bad_message"), query
        for body in (
            {},
            {"nonce": "short"},
            {"nonce": "nonce-0001", "body": {"kind": "dance"}},
            {"type": "peer.offer"},
        ):
            status, answer = await s.call(MOTHER, "POST", path, **body)
            assert status == 400, body
            assert set(answer) == {"code", "detail", "retry_after_ms"}
        headers = {"Authorization": f"Bearer {await s.token(MOTHER)}"}
        async with s.http.post(s.url + path, data=b"\xff{", headers=headers) as response:
            assert response.status == 400


async def test_metrics_are_for_this_machine_and_name_no_person(settings: Settings) -> None:
    async with served(settings) as s:
        await s.call(MOTHER, "GET", f"/api/v1/conversations/{await s.conversation(MOTHER)}/events")
        async with s.http.get(s.url + "/metrics") as response:
            content = await response.text()
            assert "/api/v1/conversations/{conversation}/events" in content
            assert "c-" + "0" not in content
            assert await s.conversation(MOTHER) not in content
        async with s.http.get(s.url + "/metrics", headers={"X-Forwarded-For": "1.2.3.4"}) as response:
            assert response.status == 404


async def test_rest_does_what_the_socket_does(settings: Settings) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        path = f"/api/v1/conversations/{conversation}"
        last = (await s.call(MOTHER, "GET", path))[1]["last_seq"]
        waiting = asyncio.create_task(s.call(ADVISOR, "GET", f"{path}/events?after={last}&wait=20"))
        await asyncio.sleep(0.2)
        body = {"kind": "text", "text": "在吗"}
        status, ack = await s.call(MOTHER, "POST", path + "/events", nonce="nonce-0001", body=body)
        assert (status, ack["seq"]) == (201, last + 1)
        assert (await s.call(MOTHER, "POST", path + "/events", nonce="nonce-0001", body=body))[1] == ack
        page = (await waiting)[1]
        assert page["events"][0]["body"]["text"] == "在吗"
        assert (await s.call(ADVISOR, "POST", path + "/acts", nonce="nonce-0002", act="accept"))[0] == 200
        assert (await s.call(ADVISOR, "POST", path + "/receipts", delivered=last + 1, read=last + 1))[0] == 202
        items = (await s.call(MANAGER, "GET", "/api/v1/inbox"))[1]["items"]
        assert items[0]["assignee"] == ADVISOR
        recall = {"type": "message.recall", "nonce": "nonce-0003", "target": last + 1}
        assert (await s.call(MOTHER, "POST", path + "/events", **recall))[0] == 201
        before = (await s.call(MOTHER, "GET", f"{path}/events?before=3&limit=1"))[1]
        assert ([event["seq"] for event in before["events"]], before["more"]) == ([2], True)


async def test_sign_out_ends_the_session(settings: Settings) -> None:
    async with served(settings) as s:
        headers = {"Authorization": f"Bearer {await s.token(MOTHER)}"}
        async with s.http.delete(s.url + "/api/v1/sessions", headers=headers) as response:
            assert response.status == 204
        async with s.http.get(s.url + "/api/v1/me", headers=headers) as response:
            assert response.status == 401


async def test_signing_out_closes_what_the_session_opened_and_nothing_else(settings: Settings) -> None:
    async with served(settings) as s, s.http.ws_connect(s.url + "/ws") as socket, s.connect(MOTHER) as other:
        token = await s.token(MOTHER)
        await socket.send_json({"type": "hello", "token": token})
        assert (await socket.receive_json(timeout=5))["type"] == "ready"
        async with s.http.delete(s.url + "/api/v1/sessions", headers={"Authorization": f"Bearer {token}"}) as gone:
            assert gone.status == 204
        async with asyncio.timeout(5):
            frames = [frame async for frame in socket]
        assert frames[-1].json()["code"] == "unauthenticated"
        assert socket.close_code == 4401
        await other.say("ping", t=1)
        await other.until("pong")


async def test_turn_credentials_are_renewed_before_they_die(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert switchboard.RENEW_S < TURN_LIFETIME_S
    monkeypatch.setattr(switchboard, "RENEW_S", 0.05)
    turn = settings.model_copy(update={"ice_servers": ("turn:turn.shop",), "turn_secret": SecretStr("shared")})
    async with served(turn) as s, s.connect(MOTHER) as phone:
        for _ in range(2):
            server = (await phone.until("ice.renewed"))["ice_servers"][0]
            assert int(server["username"].split(":")[0]) > time.time() + TURN_LIFETIME_S - 5
    async with served(settings) as s, s.connect(MOTHER) as phone:
        await asyncio.sleep(0.2)
        await phone.say("ping", t=1)
        await phone.until("pong")
        assert not any(frame["type"] == "ice.renewed" for frame in phone.got)
