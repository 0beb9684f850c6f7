"""Uploads, files, search and export as a browser sees them: real sockets, real bytes."""

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientOSError, ClientSession
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from gateway import clock
from gateway.app import Gateway, running
from gateway.domain.people import Person
from gateway.http.routes import application
from gateway.settings import Settings
from gateway.store import audit, people, schema
from signaling.protocol import MessageSend
from tests.gateway.files import crafted
from tests.gateway.files.test_bad_files import SCRIPT
from tests.gateway.shop import Shop, furnished

TUS = {"Tus-Resumable": "1.0.0"}


class Browser:
    """A client of the running gateway that is one person or another."""

    def __init__(self, gateway: Gateway, shop: Shop, client: TestClient[Any, Any]) -> None:
        self.gateway, self.shop, self.client = gateway, shop, client
        self._tokens: dict[str, str] = {}

    async def ask(self, person: Person, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {await self._token(person)}", **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    async def _token(self, person: Person) -> str:
        if person.id not in self._tokens:
            self._tokens[person.id] = await self.gateway.store.write(
                lambda connection: people.start_session(connection, person.id, clock.now())
            )
        return self._tokens[person.id]

    async def begun(self, size: int, name: str = "", purpose: str = "image", where: str = "") -> Any:
        told = {"conversation": where or self.shop.anna_chat, "purpose": purpose, "name": name}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        return await self.ask(self.shop.anna, "POST", "/api/v1/uploads", headers=headers)

    async def patched(self, place: str, offset: int, content: bytes, **more: Any) -> Any:
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return await self.ask(self.shop.anna, "PATCH", place, headers=headers, data=content, **more)

    async def offset(self, place: str) -> int:
        return int((await self.ask(self.shop.anna, "HEAD", place, headers=TUS)).headers["Upload-Offset"])

    async def sent(
        self, content: bytes, name: str = "", purpose: str = "image", nonce: str = "nonce-0001"
    ) -> dict[str, Any]:
        """Uploaded, finished and sent by Anna; gives the event's seq and the file's id."""
        place = (await self.begun(len(content), name, purpose)).headers["Location"]
        assert (await self.patched(place, 0, content)).status == 204
        finished = await self.ask(self.shop.anna, "POST", f"{place}/finish")
        assert finished.status == 200, await finished.text()
        body = (await finished.json())["body"]
        message = MessageSend(conversation=self.shop.anna_chat, nonce=nonce, body=body).model_dump(mode="json")
        del message["conversation"]
        events = f"/api/v1/conversations/{self.shop.anna_chat}/events"
        ack = await (await self.ask(self.shop.anna, "POST", events, json=message)).json()
        return {"seq": ack["seq"], "file": body["file"]["id"], "body": body}


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[Browser]:
    async with running(settings) as gateway, TestClient(TestServer(application(gateway))) as client:
        yield Browser(gateway, await furnished(gateway.store, gateway.chat), client)


async def test_tus(browser: Browser) -> None:
    shop, photo = browser.shop, crafted.jpeg()
    options = await browser.ask(shop.anna, "OPTIONS", "/api/v1/uploads")
    assert options.headers["Tus-Extension"] == "creation,termination"
    made = await browser.begun(len(photo), "宝宝.jpg")
    assert (made.status, made.headers["Tus-Resumable"]) == (201, "1.0.0")
    place = made.headers["Location"]
    assert (await browser.patched(place, 0, photo[:100])).headers["Upload-Offset"] == "100"
    where = await browser.ask(shop.anna, "HEAD", place, headers=TUS)
    assert (where.headers["Upload-Offset"], where.headers["Upload-Length"]) == ("100", str(len(photo)))
    wrong = await browser.patched(place, 50, b"x")
    assert (wrong.status, (await wrong.json())["code"]) == (409, "upload_offset")
    early = await browser.ask(shop.anna, "POST", f"{place}/finish")
    assert (early.status, (await early.json())["code"]) == (409, "upload_offset")
    assert (await browser.patched(place, 100, photo[100:])).status == 204
    finished = await (await browser.ask(shop.anna, "POST", f"{place}/finish")).json()
    assert finished["body"]["file"]["name"] == "宝宝.jpg"


async def test_what_tus_refuses(browser: Browser) -> None:
    shop, size = browser.shop, browser.gateway.settings.max_upload
    assert (await browser.ask(shop.anna, "POST", "/api/v1/uploads")).status == 412
    assert (await browser.begun(size + 1)).status == 413
    assert (await browser.begun(10, "evil.html")).status == 415
    assert (await browser.begun(10, where=shop.bella_chat)).status == 404
    assert (await browser.begun(10, purpose="poem")).status == 400
    place = (await browser.begun(10)).headers["Location"]
    assert (
        await browser.ask(shop.anna, "PATCH", place, headers={**TUS, "Upload-Offset": "0"}, data=b"x")
    ).status == 415
    assert (await browser.patched(place, 0, bytes(11))).status == 413
    for person in (shop.bella, shop.advisor, shop.manager):
        assert (await browser.ask(person, "HEAD", place, headers=TUS)).status == 404
        assert (await browser.ask(person, "DELETE", place, headers=TUS)).status == 404
    assert (await browser.ask(shop.anna, "DELETE", place, headers=TUS)).status == 204
    assert (await browser.ask(shop.anna, "HEAD", place, headers=TUS)).status == 404


async def test_a_connection_lost_in_the_middle_of_a_chunk_keeps_what_came(browser: Browser) -> None:
    photo = crafted.jpeg(2000, 1500)
    place = (await browser.begun(len(photo))).headers["Location"]
    half = len(photo) // 2

    async def dying() -> AsyncIterator[bytes]:
        yield photo[:half]
        while await browser.offset(place) < half:  # noqa: ASYNC110 - the gateway is only seen from outside
            await asyncio.sleep(0.01)
        raise ConnectionResetError

    with pytest.raises(ClientOSError):
        await browser.patched(place, 0, dying())  # type: ignore[arg-type]
    assert await browser.offset(place) == half
    assert (await browser.patched(place, half, photo[half:])).headers["Upload-Offset"] == str(len(photo))


async def test_a_full_disk_is_507(browser: Browser) -> None:
    place = (await browser.begun(100)).headers["Location"]
    part = browser.gateway.uploads.vault.path(place.rsplit("/", 1)[1], "part")
    part.unlink()
    part.symlink_to("/dev/full")
    full = await browser.patched(place, 0, bytes(100))
    assert (full.status, (await full.json())["code"]) == (507, "storage_full")


async def test_files_are_served_to_whom_they_belong_and_never_as_a_page(browser: Browser) -> None:
    shop = browser.shop
    sent = await browser.sent(crafted.jpeg() + SCRIPT, "我的 <宝宝>.jpg")
    path = f"/api/v1/files/{sent['file']}"
    for person, status in (
        (shop.anna, 200),
        (shop.advisor, 200),
        (shop.manager, 200),
        (shop.bella, 404),
        (shop.stranger, 404),
    ):
        assert (await browser.ask(person, "GET", path)).status == status
    assert (await browser.client.get(path)).status == 401
    for part in ("content", "thumbnail"):
        got = await browser.ask(shop.anna, "GET", f"{path}?part={part}")
        assert got.headers["Content-Type"] == "image/jpeg"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert got.headers["Cache-Control"] == "private, no-cache"
        assert "%E6%88%91" in got.headers["Content-Disposition"]
        assert b"canary" not in await got.read()
    assert (await browser.ask(shop.anna, "GET", f"{path}?part=part")).status == 404


async def test_a_pdf_is_only_ever_saved(browser: Browser) -> None:
    sent = await browser.sent(b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n", "a.pdf", "file")
    got = await browser.ask(browser.shop.anna, "GET", f"/api/v1/files/{sent['file']}")
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in got.headers["Content-Security-Policy"]


async def test_sound_can_be_fetched_in_ranges(browser: Browser, tmp_path: Path) -> None:
    sent = await browser.sent(crafted.recording(tmp_path / "r", "webm", "libopus", 2.0), "", "voice")
    got = await browser.ask(
        browser.shop.advisor, "GET", f"/api/v1/files/{sent['file']}", headers={"Range": "bytes=4-11"}
    )
    assert (got.status, got.headers["Content-Type"]) == (206, "audio/mp4")
    assert (await got.read()).startswith(b"ftyp")


async def test_a_recall_ends_access_at_once(browser: Browser) -> None:
    shop = browser.shop
    sent = await browser.sent(crafted.jpeg())
    path = f"/api/v1/files/{sent['file']}"
    etag = (await browser.ask(shop.advisor, "GET", path)).headers["ETag"]
    assert (await browser.ask(shop.advisor, "GET", path, headers={"If-None-Match": etag})).status == 304
    await shop.chat.recall(shop.anna, shop.anna_chat, "nonce-0009", sent["seq"])
    for person in (shop.anna, shop.advisor):
        assert (await browser.ask(person, "GET", path, headers={"If-None-Match": etag})).status == 404
        assert (await browser.ask(person, "GET", f"{path}?part=thumbnail")).status == 404


TRAVERSALS = [
    "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cwin.ini", "%00", "f-%00", "CON", "nul.txt",
    "%0d%0aSet-Cookie:x=1", "f-..%2f..", "a%e2%88%95b", "%c0%ae%c0%ae", ".", "..", "~root", "$HOME", "%252e%252e%252f",
    "f-" + "0" * 33, "F-" + "A" * 32, "f-" + "g" * 32, "x" * 4000, "file:%2f%2f%2fetc%2fpasswd", "|id", ";id", "`id`",
]  # fmt: skip


@pytest.mark.parametrize("name", TRAVERSALS)
async def test_names_lead_nowhere(browser: Browser, name: str) -> None:
    for path in (f"/api/v1/files/{name}", f"/api/v1/uploads/{name}"):
        got = await browser.ask(browser.shop.anna, "GET" if "files" in path else "HEAD", path, headers=TUS)
        assert got.status in (400, 404, 405)
        assert b"root:" not in await got.read()


NAMES = [
    "../../etc/passwd", "..\\..\\win.ini", "a\0b.jpg", "a\r\nSet-Cookie: x=1.jpg", "CON.jpg", "/etc/passwd",
    "C:\\a.jpg", 'q"uote.jpg', "semi;colon.jpg", "x" * 4000 + ".jpg", "é中文 ☃.jpg",
    "%2e%2e%2fetc.jpg", "....//a.jpg", " .jpg", "",
]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NAMES if len(name) < 3000])
async def test_a_name_is_only_ever_shown(browser: Browser, name: str) -> None:
    content = crafted.jpeg()
    made = await browser.begun(len(content), name)
    assert made.status == 201
    await browser.patched(made.headers["Location"], 0, content)
    finished = await browser.ask(browser.shop.anna, "POST", f"{made.headers['Location']}/finish")
    if finished.status == 415:  # the name claims another type
        return
    file = (await finished.json())["body"]["file"]
    got = await browser.ask(browser.shop.anna, "GET", f"/api/v1/files/{file['id']}")
    assert not set("\r\n\0/\\").intersection(file["name"])
    assert got.headers["Content-Disposition"].isascii()
    assert "Set-Cookie" not in got.headers


async def test_search(browser: Browser) -> None:
    shop = browser.shop
    for n, text in enumerate(("奶粉怎么冲", "水温多少冲奶粉", "hello")):
        message = {"nonce": f"nonce-{n:04}", "body": {"kind": "text", "text": text}}
        await browser.ask(shop.anna, "POST", f"/api/v1/conversations/{shop.anna_chat}/events", json=message)
    first = await (await browser.ask(shop.advisor, "GET", "/api/v1/search", params={"q": "奶粉", "limit": "1"})).json()
    assert [item["snippet"] for item in first["items"]] == ["水温多少冲奶粉"]
    more = {"q": "奶粉", "limit": "1", "cursor": first["next"]}
    second = await (await browser.ask(shop.advisor, "GET", "/api/v1/search", params=more)).json()
    assert [item["snippet"] for item in second["items"]] == ["奶粉怎么冲"]
    for person in (shop.bella, shop.stranger):
        found = await (await browser.ask(person, "GET", "/api/v1/search", params={"q": "奶粉"})).json()
        assert found["items"] == []
    assert (await browser.ask(shop.anna, "GET", "/api/v1/search", params={"q": "奶粉", "cursor": "x"})).status == 400
    assert (await (await browser.ask(shop.anna, "GET", "/api/v1/search", params={"q": "，"})).json())["items"] == []


async def test_export(browser: Browser) -> None:
    shop = browser.shop
    sent = await browser.sent(crafted.jpeg(), "baby.jpg")
    await shop.chat.note(shop.advisor, shop.anna_chat, "nonce-note", "canary-note")
    path = f"/api/v1/conversations/{shop.anna_chat}/export"
    for person, sees_note in ((shop.anna, False), (shop.advisor, True)):
        got = await browser.ask(person, "GET", path)
        assert (got.status, got.headers["Content-Type"]) == (200, "application/zip")
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        with zipfile.ZipFile(io.BytesIO(await got.read())) as zip_:
            page = zip_.read("index.html").decode()
            assert zip_.read(f"media/{sent['file']}.jpg").startswith(b"\xff\xd8")
        assert ("canary-note" in page) is sees_note
        assert "AI 生成" in page
        events = json.loads(await (await browser.ask(person, "GET", f"{path}?format=json")).read())["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert ("canary-note" in json.dumps(events)) is sees_note
    for person in (shop.bella, shop.stranger):
        assert (await browser.ask(person, "GET", path)).status == 404
    async with browser.gateway.store.read() as connection:
        query = select(schema.audit.c.person).where(schema.audit.c.act == "conversation.export")
        taken = await connection.execute(query)
        assert [row[0] for row in taken] == [shop.anna.id] * 2 + [shop.advisor.id] * 2
        assert await audit.broken_at(connection) is None


async def test_two_devices_and_a_long_poll_see_the_same(browser: Browser) -> None:
    """One person, a phone and a tablet on WebSockets and an old network on long poll."""
    shop = browser.shop
    token = await browser._token(shop.anna)
    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        url = browser.client.make_url("/ws")
        async with session.ws_connect(url) as phone, session.ws_connect(url) as tablet:
            for socket in (phone, tablet):
                await socket.send_json({"type": "hello", "token": token, "resume": {shop.anna_chat: 0}})
            polled = asyncio.create_task(_poll(browser, 5))
            for n in range(3):
                body = {"kind": "text", "text": f"第{n}句"}
                message = {
                    "type": "message.send",
                    "conversation": shop.anna_chat,
                    "nonce": f"nonce-{n:04}",
                    "body": body,
                }
                await (phone if n % 2 else tablet).send_json(message)
            seen = [await _events(socket, 5) for socket in (phone, tablet)]
            assert seen[0] == seen[1] == await polled


async def _events(socket: Any, count: int) -> list[tuple[int, str]]:
    events: dict[int, str] = {}
    async with asyncio.timeout(10):
        while len(events) < count:
            frame = await socket.receive_json()
            if frame["type"] == "event.appended":
                events[frame["event"]["seq"]] = frame["event"]["kind"]
    return sorted(events.items())[:count]


async def _poll(browser: Browser, count: int) -> list[tuple[int, str]]:
    shop, events = browser.shop, []
    path = f"/api/v1/conversations/{shop.anna_chat}/events"
    async with asyncio.timeout(10):
        while len(events) < count:
            after = str(events[-1][0] if events else 0)
            page = await (await browser.ask(shop.anna, "GET", path, params={"after": after, "wait": "5"})).json()
            events += [(event["seq"], event["kind"]) for event in page["events"]]
    return events[:count]
