"""The four pages and their files, as `web` built them."""

import html
from pathlib import Path

from aiohttp import web

from gateway.domain.people import Person
from gateway.errors import NotYours
from gateway.http import auth
from gateway.http.ask import Ask
from signaling.protocol import ErrorCode

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"
HOMES = {"customer": "/", "advisor": "/console", "manager": "/manager"}

NOT_BUILT = "页面尚未构建，请运行 make web。The pages are not built yet: run `make web`. The API works."
SIGN_IN = (
    "请用服务启动时打印的一次性登录链接进入（也在数据目录的 sign-in-links.txt 里）。"
    "Please come in by the one-time sign-in link printed at start (also in sign-in-links.txt in the data directory)."
)


def home_of(person: Person) -> str:
    return HOMES[person.role]


def sentence(status: int, text: str) -> web.Response:
    """A page of one sentence."""
    content = f"<!doctype html><meta charset=utf-8><title>Nestcall</title><p>{html.escape(text)}</p>"
    return web.Response(text=content, content_type="text/html", status=status)


def page(name: str) -> web.StreamResponse:
    path = STATIC / name
    return web.FileResponse(path, headers={"Cache-Control": "no-store"}) if path.is_file() else sentence(503, NOT_BUILT)


async def customer(ask: Ask) -> web.StreamResponse:
    """Her page."""
    return await hers(ask, "index.html")


async def phone(ask: Ask) -> web.StreamResponse:
    return await hers(ask, "phone.html")


async def hers(ask: Ask, name: str) -> web.StreamResponse:
    """A first visit makes her a guest, where guests are welcome; staff go to their own page."""
    if ask.visitor is not None:
        return page(name) if not ask.visitor.staff else moved(home_of(ask.visitor))
    if not ask.gateway.settings.guests or "text/html" not in ask.request.headers.get("Accept", ""):
        return page(name)
    await ask.turnstile.pass_(ask.request, "guest", 120)
    language = "en" if ask.request.headers.get("Accept-Language", "zh").lower().startswith("en") else "zh"
    _, token, _ = await auth.as_guest(ask.gateway, ask.request.query.get("store"), language)
    response = page(name)
    auth.set_cookie(ask.gateway, response, token)
    return response


async def console(ask: Ask) -> web.StreamResponse:
    if ask.visitor is None or not ask.visitor.staff:
        return sentence(401, SIGN_IN)
    return page("console.html")


async def manager(ask: Ask) -> web.StreamResponse:
    if ask.visitor is None or ask.visitor.role != "manager":
        return sentence(401, SIGN_IN)
    return page("manager.html")


async def static(ask: Ask) -> web.StreamResponse:
    """Built files carry their content's hash in the name: they never change."""
    path = (STATIC / ask.part("path")).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file() or path.suffix == ".html":
        raise NotYours(ErrorCode.NOT_FOUND)
    hashed = "assets" in path.parts
    caching = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": caching})


def moved(to: str) -> web.Response:
    return web.Response(status=303, headers={"Location": to})
