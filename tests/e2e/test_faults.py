"""The real pages behind a bad network: Chromium talks through the harness's proxy, the harness's checker judges."""

import asyncio
import itertools
import json
import signal
import threading
from collections import Counter
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


NUMBERS = itertools.count(1)
"""No two texts of a test are the same, whoever wrote them."""


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

    def close(self) -> None:
        self.run(self.proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Wire:
    """What went over a page's WebSockets."""

    texts: dict[str, str] = field(default_factory=dict)
    """By nonce."""
    acks: dict[str, int] = field(default_factory=dict)
    """Seqs by text."""
    sent: Counter[str] = field(default_factory=Counter)
    """How often each text was sent."""
    links: int = 0
    """WebSockets that were greeted with `ready`; those of them that are open are `live`."""
    live: set[WebSocket] = field(default_factory=set)

    def listen(self, page: Page) -> Page:
        page.on("websocket", self._opened)
        return page

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", lambda frame: self._received(socket, frame))
        socket.on("close", self._closed)

    def _closed(self, socket: WebSocket) -> None:
        self.live.discard(socket)

    def _sent(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "message.send":
            self.texts[message["nonce"]] = message["body"]["text"]
            self.sent[message["body"]["text"]] += 1

    def _received(self, socket: WebSocket, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "ready":
            self.links += 1
            self.live.add(socket)
        if message["type"] == "ack" and message.get("nonce") in self.texts:
            self.acks[self.texts[message["nonce"]]] = message["seq"]


@pytest.fixture
def network(make_gateway: Callable[..., Gateway]) -> Iterator[tuple[Gateway, Network]]:
    gateway = make_gateway()
    found = Network(gateway.port)
    yield gateway, found
    found.close()


@dataclass
class BadLine:
    """A customer's page behind the proxy, and what she wrote."""

    gateway: Gateway
    line: Network
    context: BrowserContext
    wire: Wire
    page: Page
    wrote: list[str]

    def until(self, what: Callable[[], object], seconds: float = 10) -> None:
        for _ in range(int(seconds * 20)):
            if what():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never within {seconds} s; sent: {self.wire.sent}")

    def on_its_way(self) -> None:
        """The last text has been sent."""
        self.until(lambda: self.wire.sent[self.wrote[-1]])

    def quiet(self) -> None:
        """All is sent, and the page talks by WebSocket (after a long silence it does not at once)."""
        all_sent(self.page)
        self.until(lambda: self.wire.live)

    def back(self, links: int) -> None:
        """On another link than those so far."""
        self.until(lambda: self.wire.links > links, 40)
        until(self.page, "globalThis.__nestcall?.link === 'online'", 40)


def visit(context: BrowserContext, network: Network, wire: Wire) -> Page:
    page = wire.listen(context.new_page())
    page.goto(f"{network.url}/?store={STORE}")
    until(page, "globalThis.__nestcall?.link === 'online'", 30)
    return page


def write(page: Page, wrote: list[str], count: int = 3) -> None:
    for _ in range(count):
        wrote.append(f"第{len(wrote) + 1}句 {next(NUMBERS)}")
        page.locator(".composer textarea").fill(wrote[-1])
        page.locator(".composer textarea").press("Enter")


def all_sent(page: Page) -> None:
    expect(page.locator(".outgoing")).to_have_count(0, timeout=PATIENCE_MS)


def log_of(page: Page, url: str) -> list[dict[str, Any]]:
    (conversation,) = page.evaluate("__nestcall.lastSeq()")
    answer = page.context.request.get(f"{url}/api/v1/conversations/{conversation}/events?after=0&limit=500")
    assert answer.status == 200
    return list(answer.json()["events"])


def judge(page: Page, url: str, wrote: list[str], acks: dict[str, int]) -> None:
    """Every message acknowledged; the page shows what the log has, each once and in its order."""
    expect(page.locator(".mine .bubble")).to_have_text(wrote, timeout=PATIENCE_MS)
    all_sent(page)
    until(page, f"Object.values(__nestcall.lastSeq())[0] >= {log_of(page, url)[-1]['seq']}")
    shown = page.locator(".message:not(.outgoing)").evaluate_all("all => all.map(one => Number(one.id.slice(4)))")
    events = log_of(page, url)  # after the page, which may show a late answer meanwhile
    conversation = events[0]["conversation"]
    messages = [event["seq"] for event in events if event["kind"] == "message.sent"]
    assert len(shown) >= len(wrote)
    assert [seq for seq in messages if shown[0] <= seq <= shown[-1]] == shown
    history = [seen(event) for event in events]
    sent = [Sent(conversation, "page", text, acks.get(text)) for text in wrote]
    assert check(Run(sent, {conversation: history})) == []


@pytest.fixture
def bad_line(network: tuple[Gateway, Network], make_browser: Callable[..., Browser]) -> Iterator[BadLine]:
    gateway, line = network
    context = make_browser().new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
    wire = Wire()
    yield BadLine(gateway, line, context, wire, visit(context, line, wire), [])
    context.close()


def test_the_pages_lose_and_double_nothing_on_a_bad_network(bad_line: BadLine) -> None:
    """One fault after the other; each proves that it has struck."""
    x = bad_line
    for fault in (reset, dropped, late, doubled, rough, slow, refused, killed, half_open):
        write(x.page, x.wrote)
        fault(x)
        x.line.run(healed(x.line.proxy))
        x.quiet()
    judge(x.page, x.gateway.url, x.wrote, x.wire.acks)
    assert len(x.wire.acks) >= len(x.wrote) / 2  # acks lost to a fault are the point; but acks there must be


def test_a_tab_closed_while_the_gateway_is_dead_loses_nothing(bad_line: BadLine) -> None:
    x = bad_line
    write(x.page, x.wrote)
    x.gateway.stop(signal.SIGKILL)
    write(x.page, x.wrote)
    x.page.close()
    x.gateway.start()
    judge(visit(x.context, x.line, x.wire), x.gateway.url, x.wrote, x.wire.acks)


def reset(x: BadLine) -> None:
    for _ in range(2):
        before = x.wire.links
        x.line.each(Pair.reset)
        write(x.page, x.wrote)
        x.back(before)


def dropped(x: BadLine) -> None:
    """What was sent never arrives, and then the link breaks."""
    x.quiet()
    before = x.wire.links
    x.line.each(lambda pair: pair.up.clear())
    write(x.page, x.wrote, 1)
    x.on_its_way()
    x.line.each(Pair.reset)
    x.back(before)
    all_sent(x.page)
    assert x.wire.sent[x.wrote[-1]] >= 2


def late(x: BadLine) -> None:
    """What was sent arrives after it was sent again on the next link."""
    x.quiet()
    x.line.each(lambda pair: pair.up.clear())
    write(x.page, x.wrote, 1)
    x.on_its_way()
    before = x.wire.links
    x.line.each(Pair.abandon)
    x.back(before)
    all_sent(x.page)
    x.line.each(lambda pair: pair.up.set())
    assert x.wire.sent[x.wrote[-1]] >= 2


def doubled(x: BadLine) -> None:
    """Every frame of the page twice, and slowly."""
    x.line.set(twice=True, delay_s=0.1)
    write(x.page, x.wrote)
    all_sent(x.page)
    assert x.line.proxy.toxics.doubled > 0


def rough(x: BadLine) -> None:
    """The gateway's frames doubled and swapped."""
    x.line.set(echo=0.5, swap=0.7)
    write(x.page, x.wrote, 6)
    all_sent(x.page)
    assert x.line.proxy.toxics.echoed > 0
    assert x.line.proxy.toxics.swapped > 0


def slow(x: BadLine) -> None:
    x.line.each(lambda pair: setattr(pair, "bytes_per_s", 4_000.0))
    write(x.page, x.wrote)


def refused(x: BadLine) -> None:
    x.line.set(refuse=True)
    x.line.each(Pair.reset)
    write(x.page, x.wrote)
    until(x.page, "globalThis.__nestcall?.link === 'waiting'")
    expect(x.page.locator(".link-notice")).to_be_visible()


def killed(x: BadLine) -> None:
    x.gateway.stop(signal.SIGKILL)  # among the commits
    write(x.page, x.wrote)
    x.gateway.start()


def half_open(x: BadLine) -> None:
    """Stored, but the ack never comes, and nobody is told that the link is dead."""
    x.quiet()
    before = x.wire.links
    x.line.each(lambda pair: pair.down.clear())
    write(x.page, x.wrote, 2)
    x.back(before)
    all_sent(x.page)
    assert x.wire.sent[x.wrote[-2]] >= 2


async def healed(proxy: Proxy) -> None:
    proxy.heal()


def test_two_tabs_leave_each_others_messages_alone_and_a_closed_ones_are_sent(bad_line: BadLine) -> None:
    x = bad_line
    write(x.page, x.wrote, 1)
    all_sent(x.page)
    x.line.each(lambda pair: pair.up.clear() if pair.websocket else None)
    write(x.page, x.wrote, 2)
    first, *stuck = x.wrote
    expect(x.page.locator(".outgoing")).to_have_count(2)
    wire, wrote = Wire(), list[str]()
    second = visit(x.context, x.line, wire)
    expect(second.locator(".mine .bubble")).to_have_text([first])
    write(second, wrote, 1)
    expect(second.locator(".mine .bubble")).to_have_text([first, *wrote])
    all_sent(second)
    assert set(wire.sent) == set(wrote)
    expect(x.page.locator(".outgoing .status.sending")).to_have_count(2)  # still there, and its own
    x.page.close()
    judge(second, x.gateway.url, [first, *wrote, *stuck], x.wire.acks | wire.acks)
    assert set(wire.sent) == {*wrote, *stuck}


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
    line.each(lambda pair: pair.down.clear())  # half-open: stored, but nothing comes back
    write(page, wrote, 2)
    until(page, "globalThis.__nestcall?.link !== 'online'", 40)
    expect(page.locator(".outgoing")).to_have_count(0, timeout=PATIENCE_MS)
    seqs = {seen(event).text: event["seq"] for event in log_of(page, gateway.url)}
    judge(page, gateway.url, wrote, {text: seqs.get(text, -1) for text in wrote})  # shown as sent: must be there
    context.close()
