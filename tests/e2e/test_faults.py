"""The real pages behind a bad network: Chromium talks through the harness's proxy, the harness's checker judges."""

import asyncio
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect

from tests.e2e.conftest import STORE, Gateway, until
from tests.faults.checker import Run, Sent, check
from tests.faults.member import seen
from tests.faults.toxics import Pair, Proxy

PATIENCE_MS = 45_000
"""A half-open link is noticed within 25 s; then the page comes back and sends again."""


class Network:
    """The proxy on a loop of its own, for tests that do not await."""

    def __init__(self, to_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.proxy = Proxy(to_port)
        self.url = f"http://127.0.0.1:{self.run(self.proxy.start())}"

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def each(self, act: Callable[[Pair], None]) -> None:
        async def all_of_them() -> None:
            for pair in tuple(self.proxy.pairs):
                act(pair)

        self.run(all_of_them())

    def set(self, **toxics: Any) -> None:
        for name, value in toxics.items():
            setattr(self.proxy.toxics, name, value)

    def late(self, page: Page) -> None:
        """The links break; what was held back arrives at the gateway after the page has come back."""
        self.each(Pair.abandon)
        until(page, "globalThis.__nestcall?.link === 'online'", 30)
        self.each(lambda pair: pair.up.set())

    def close(self) -> None:
        self.run(self.proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Wire:
    """What went over a page's WebSockets: texts by nonce, and the seqs that were acknowledged."""

    texts: dict[str, str] = field(default_factory=dict)
    acks: dict[str, int] = field(default_factory=dict)
    frames: int = 0

    def listen(self, page: Page) -> Page:
        page.on("websocket", self._opened)
        return page

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "message.send":
            self.frames += 1
            self.texts[message["nonce"]] = message["body"]["text"]

    def _received(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "ack" and message.get("nonce") in self.texts:
            self.acks[self.texts[message["nonce"]]] = message["seq"]


@pytest.fixture
def network(make_gateway: Callable[..., Gateway]) -> Iterator[tuple[Gateway, Network]]:
    gateway = make_gateway()
    found = Network(gateway.port)
    yield gateway, found
    found.close()


def visit(context: BrowserContext, network: Network, wire: Wire) -> Page:
    page = wire.listen(context.new_page())
    page.goto(f"{network.url}/?store={STORE}")
    until(page, "globalThis.__nestcall?.link === 'online'", 30)
    return page


def write(page: Page, wrote: list[str], count: int = 3) -> None:
    for _ in range(count):
        wrote.append(f"第{len(wrote) + 1}句")
        page.locator(".composer textarea").fill(wrote[-1])
        page.locator(".composer textarea").press("Enter")


def judge(page: Page, context: BrowserContext, url: str, wrote: list[str], wire: Wire) -> None:
    """Every message acknowledged, and both windows show what the log has."""
    expect(page.locator(".mine .bubble")).to_have_text(wrote, timeout=PATIENCE_MS)
    expect(page.locator(".outgoing")).to_have_count(0, timeout=PATIENCE_MS)
    (conversation,) = page.evaluate("__nestcall.lastSeq()")
    answer = context.request.get(f"{url}/api/v1/conversations/{conversation}/events?after=0&limit=500")
    assert answer.status == 200
    events = answer.json()["events"]
    history = [seen(event) for event in events]
    shown = page.locator(".mine:not(.outgoing)").evaluate_all("all => all.map(one => Number(one.id.slice(4)))")
    assert shown == [one.seq for one in history if one.text in wrote]
    sent = [Sent(conversation, "page", text, wire.acks.get(text)) for text in wrote]
    assert check(Run(sent, {conversation: history})) == []
    assert len(wire.acks) >= len(wrote) / 2  # acks lost to a fault are the point; but acks there must be


def test_the_pages_lose_and_double_nothing_on_a_bad_network(
    network: tuple[Gateway, Network], make_browser: Callable[..., Browser]
) -> None:
    gateway, line = network
    context = make_browser().new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
    wire, wrote = Wire(), list[str]()
    page = visit(context, line, wire)
    write(page, wrote)
    for _ in range(2):  # reset in the middle of sending
        write(page, wrote)
        line.each(Pair.reset)
    line.set(twice=True, delay_s=0.1)  # every frame twice, and slowly
    write(page, wrote)
    expect(page.locator(".outgoing")).to_have_count(0, timeout=PATIENCE_MS)
    line.set(twice=False, delay_s=0.0)
    line.each(lambda pair: pair.up.clear())  # what is sent now arrives after it was sent again
    write(page, wrote, 1)
    page.wait_for_timeout(300)
    line.late(page)
    write(page, wrote)
    gateway.stop(signal.SIGKILL)  # among the commits
    write(page, wrote)
    page.close()  # and the tab is gone
    gateway.start()
    page = visit(context, line, wire)
    line.each(lambda pair: pair.down.clear())  # half-open: stored, but the ack never comes
    write(page, wrote, 2)
    judge(page, context, gateway.url, wrote, wire)
    context.close()


def test_long_poll_keeps_the_same_promise_on_a_bad_network(
    network: tuple[Gateway, Network], make_browser: Callable[..., Browser]
) -> None:
    gateway, line = network
    context = make_browser().new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
    context.add_init_script(
        "globalThis.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 5); } send() {} close() {} }"
    )
    wrote: list[str] = []
    page = context.new_page()
    page.goto(f"{line.url}/?store={STORE}")
    until(page, "globalThis.__nestcall?.link === 'online'", 30)
    for _ in range(3):
        write(page, wrote, 2)
        line.each(Pair.reset)
    gateway.stop(signal.SIGKILL)
    write(page, wrote, 2)
    gateway.start()
    expect(page.locator(".mine .bubble")).to_have_text(wrote, timeout=PATIENCE_MS)
    expect(page.locator(".outgoing")).to_have_count(0, timeout=PATIENCE_MS)
    (conversation,) = page.evaluate("__nestcall.lastSeq()")
    answer = context.request.get(f"{gateway.url}/api/v1/conversations/{conversation}/events?after=0&limit=500")
    history = [seen(event) for event in answer.json()["events"]]
    seqs = {one.text: one.seq for one in history}
    sent = [Sent(conversation, "page", text, seqs.get(text, -1)) for text in wrote]  # shown as sent: must be there
    assert check(Run(sent, {conversation: history})) == []
    context.close()
