"""The shop's own system over HTTP (docs/shop-connector.md): signed, 800 ms, the last good answer with a stale badge.

Look-ups of products, promotions, orders and membership go there; stores, appointments and callbacks stay ours.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.dialogue.tools.port import (
    Answered,
    Appointment,
    Caller,
    MemberFacts,
    OrderFacts,
    ProductFacts,
    PromotionFacts,
    Shop,
    StoreFacts,
    What,
)
from gateway.errors import EngineBroken

BUDGET_S = 0.8
MAX_BYTES = 256 * 1024
MAX_KEPT = 2_000
"""Last good answers, least recently used dropped."""
STALE_S = 24 * 3_600.0

T = TypeVar("T")


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Product(_Reply):
    name: str = Field(max_length=200)
    name_en: str = Field(default="", max_length=200)
    category: str = Field(default="", max_length=60)
    stage: int | None = None
    price_fen: int = Field(ge=0)
    stock: int = Field(ge=0)
    label: str = Field(default="", max_length=500)
    label_en: str = Field(default="", max_length=500)


class _Promotion(_Reply):
    title: str = Field(max_length=200)
    title_en: str = Field(default="", max_length=200)
    terms: str = Field(default="", max_length=1_000)
    terms_en: str = Field(default="", max_length=1_000)
    starts_on: str = Field(max_length=10)
    ends_on: str = Field(max_length=10)


class _Order(_Reply):
    id: str = Field(max_length=64)
    state: str = Field(max_length=40)
    carrier: str = Field(default="", max_length=60)
    tracking: str = Field(default="", max_length=60)
    eta: str = Field(default="", max_length=40)
    placed_on: str = Field(default="", max_length=10)


class _Member(_Reply):
    level: str = Field(default="", max_length=40)
    points: int = Field(ge=0)


class _Page(_Reply):
    products: tuple[_Product, ...] = Field(default=(), max_length=200)
    promotions: tuple[_Promotion, ...] = Field(default=(), max_length=100)
    orders: tuple[_Order, ...] = Field(default=(), max_length=20)
    member: _Member | None = None


def signature(secret: str, method: str, path: str, at: str, nonce: str) -> str:
    """HMAC-SHA256, hex, of `method\\npath?query\\ntimestamp\\nnonce`."""
    text = "\n".join((method, path, at, nonce))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class RemoteShop:
    """Implements `port.Shop`; `own` serves what stays ours."""

    def __init__(self, url: str, secret: str, own: Shop, *, clock: Callable[[], float] = time.time) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._own = own
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, _Page]] = OrderedDict()

    async def products(self, caller: Caller, words: str) -> Answered[tuple[ProductFacts, ...]]:
        page = await self._get("/products", caller, q=words[:200])
        return Answered(tuple(ProductFacts(**p.model_dump()) for p in page.value.products), page.stale)

    async def promotions(self, caller: Caller) -> Answered[tuple[PromotionFacts, ...]]:
        page = await self._get("/promotions", caller)
        day = caller.now[:10]
        running = (p for p in page.value.promotions if p.starts_on <= day <= p.ends_on)
        return Answered(tuple(PromotionFacts(**p.model_dump()) for p in running), page.stale)

    async def orders(self, caller: Caller) -> Answered[tuple[OrderFacts, ...]]:
        page = await self._get("/orders", caller, customer=caller.customer)
        return Answered(tuple(OrderFacts(**o.model_dump()) for o in page.value.orders[:3]), page.stale)

    async def member(self, caller: Caller) -> Answered[MemberFacts | None]:
        page = await self._get("/member", caller, customer=caller.customer)
        member = page.value.member
        return Answered(MemberFacts(member.level, member.points) if member else None, page.stale)

    async def _get(self, path: str, caller: Caller, **query: str) -> Answered[_Page]:
        """The page, or the last good one of the same question. Raises `EngineBroken` when there is neither."""
        full = f"{path}?{urlencode({'store': caller.store, **query})}"
        try:
            page = await self._asked(full)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            kept = self._kept.get(full)
            if kept is None or self._clock() - kept[0] > STALE_S:
                raise EngineBroken(detail=f"shop: {type(error).__name__}") from None
            return Answered(kept[1], stale=True)
        self._kept[full] = (self._clock(), page)
        self._kept.move_to_end(full)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return Answered(page)

    async def _asked(self, full: str) -> _Page:
        at, nonce = str(int(self._clock())), token_hex(8)
        headers = {
            "X-Nestcall-Timestamp": at,
            "X-Nestcall-Nonce": nonce,
            "X-Nestcall-Signature": signature(self._secret, "GET", full, at, nonce),
        }
        async with (
            asyncio.timeout(BUDGET_S),
            aiohttp.ClientSession(headers=headers) as session,
            session.get(self._url + full, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError("status")
            body = b""
            while len(body) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                body += more
        if len(body) > MAX_BYTES:
            raise ValueError("too large")
        return _page(body)

    # ------------------------------------------------------------ ours

    async def store(self, caller: Caller) -> Answered[StoreFacts]:
        return await self._own.store(caller)

    async def appointments(self, caller: Caller) -> Answered[tuple[Appointment, ...]]:
        return await self._own.appointments(caller)

    async def book(self, caller: Caller, what: What, starts_at: str) -> Appointment:
        return await self._own.book(caller, what, starts_at)

    async def change(self, caller: Caller, appointment: str, starts_at: str) -> Appointment:
        return await self._own.change(caller, appointment, starts_at)

    async def cancel(self, caller: Caller, appointment: str) -> Appointment:
        return await self._own.cancel(caller, appointment)

    async def promised(self, caller: Caller) -> str | None:
        return await self._own.promised(caller)

    async def call_back(self, caller: Caller, due_at: str, message: str) -> None:
        await self._own.call_back(caller, due_at, message)


def _page(body: bytes) -> _Page:
    try:
        content: Any = json.loads(body)
        return _Page.model_validate(content)
    except (ValidationError, RecursionError):
        raise ValueError("not the contract") from None
