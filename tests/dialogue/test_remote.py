"""The shop's own system: signed, in time, and honest when it is not."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from gateway.dialogue import safety
from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.library import Library
from gateway.dialogue.ports import HandoffReason
from gateway.dialogue.tools import Desk
from gateway.dialogue.tools.own import OwnShop
from gateway.dialogue.tools.remote import RemoteShop
from gateway.store.engine import Store
from tests.dialogue.conftest import ask

SECRET = "shared"


class ShopSystem:
    """Answers by the contract; `mode` breaks it."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.asked: list[web.Request] = []
        self.release = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        match self.mode:
            case "hang":
                await self.release.wait()
            case "broken":
                raise web.HTTPInternalServerError
            case "garbage":
                return web.Response(text='{"member": {"points": -5}}')
            case "huge":
                return web.Response(text=" " * 400_000)
        return web.json_response({"member": {"level": "钻石", "points": 77}, "orders": [], "extra": 1})


@pytest.fixture
async def system() -> AsyncIterator[tuple[ShopSystem, str]]:
    shop = ShopSystem()
    app = web.Application()
    app.router.add_get("/api/{path:.*}", shop.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield shop, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/api"  # type: ignore[union-attr]
    shop.release.set()
    await runner.cleanup()


@pytest.fixture
async def assistant(system: tuple[ShopSystem, str], store: Store) -> AsyncIterator[Assistant]:
    library = Library(store)
    yield Assistant(library, safety, Desk(RemoteShop(system[1], SECRET, OwnShop(store))))
    library.close()


async def test_a_look_up_is_signed_and_names_the_customer(assistant: Assistant, system: tuple[ShopSystem, str]) -> None:
    assert "77" in (await ask(assistant, "我的积分")).text
    request = system[0].asked[0]
    assert request.query["customer"] == "customer-lili"
    path = str(request.rel_url).removeprefix("/api")
    parts: list[Any] = ["GET", path, request.headers["X-Nestcall-Timestamp"], request.headers["X-Nestcall-Nonce"]]
    expected = hmac.new(SECRET.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
    assert request.headers["X-Nestcall-Signature"] == expected


@pytest.mark.parametrize("mode", ["hang", "broken", "garbage", "huge"])
async def test_an_older_answer_says_that_it_is_older(
    assistant: Assistant, system: tuple[ShopSystem, str], mode: str
) -> None:
    await ask(assistant, "我的积分")
    system[0].mode = mode
    stale = await ask(assistant, "我的积分")
    assert "77" in stale.text
    assert "稍早" in stale.text


async def test_without_any_answer_a_person_looks(assistant: Assistant, system: tuple[ShopSystem, str]) -> None:
    system[0].mode = "broken"
    assert (await ask(assistant, "我的积分")).handoff is HandoffReason.TOOL_FAILED
    assert (await ask(assistant, "几点关门")).decision == "answer"  # the store's own hours are ours
