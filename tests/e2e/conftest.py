"""A real gateway in a subprocess, and real pages in Chromium with a fake microphone."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
START_S = 60
ENGINES = {"NESTCALL_RECOGNIZER": "instant", "NESTCALL_SYNTHESIZER": "espeak", "NESTCALL_RESPONDER": "retrieval"}
STORE = "store-xuhui"
ADVISORS = ("陈顾问", "吴顾问")
"""Of that store."""


expect.set_options(timeout=20_000)  # a busy machine: what is waited for comes at once otherwise


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


@dataclass
class Gateway:
    """One gateway on a free port; `kill` and `start` again keep port and data."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def start(self) -> None:
        self.port = self.port or free_port()
        command = [
            sys.executable,
            "-m",
            "gateway.cli",
            "serve",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.folder),
        ]
        with self.log.open("ab") as log:
            env = {**os.environ, **ENGINES, **self.env}
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the gateway did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process = None

    def sign_in_link(self, name: str) -> str:
        for line in (self.folder / "sign-in-links.txt").read_text().splitlines():
            if name in line:
                return line.split()[-1].replace("http://127.0.0.1:8080", self.url)
        raise AssertionError(f"no sign-in link for {name}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def make_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Gateway]]:
    made: list[Gateway] = []

    def make(**env: str) -> Gateway:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), env)
        made.append(gateway)
        gateway.start()
        return gateway

    yield make
    for gateway in made:
        gateway.stop()


@pytest.fixture(scope="session")
def gateway(make_gateway: Callable[..., Gateway]) -> Gateway:
    return make_gateway()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        for made in getattr(item, "funcargs", {}).values():
            if isinstance(made, Gateway) and made.log.exists():
                report.sections.append(("gateway log", made.log.read_text()[-6000:]))
            if isinstance(made, People):
                report.sections.append(("pages", made.story()))
                made.photograph(item.name)
    return report


# ---------------------------------------------------------------- browsers


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="session")
def make_browser(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """With FLAGS and `more`, but for what `without` begins with. Browsers are kept for the session."""
    made: dict[tuple[str, ...], Browser] = {}

    def make(*more: str, without: str = "-none") -> Browser:
        flags = (*(flag for flag in FLAGS if not flag.startswith(without)), *more)
        if flags not in made:
            made[flags] = playwright.chromium.launch(executable_path=CHROMIUM, args=list(flags), headless=True)
        return made[flags]

    yield make
    for browser in made.values():
        browser.close()


@pytest.fixture(scope="session")
def staff(gateway: Gateway, make_browser: Callable[..., Browser]) -> dict[str, Any]:
    """Each advisor's and the manager's signed-in state: links work once."""
    states: dict[str, Any] = {}
    for name in (*ADVISORS, "林店长"):
        context = make_browser().new_context()
        context.new_page().goto(gateway.sign_in_link(name))
        states[name] = context.storage_state()
        context.close()
    return states


def until(page: Page, expression: str, timeout: float = 15.0) -> Any:
    """The first true value of a JavaScript expression. (wait_for_function needs eval, which our CSP forbids.)"""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if value := page.evaluate(expression):
                return value
        except Error:  # the page is between two documents
            pass
        page.wait_for_timeout(50)
    call = page.evaluate("JSON.stringify(globalThis.__nestcall?.call ?? null)")
    raise AssertionError(
        f"never true within {timeout} s: {expression}; last: {page.evaluate(expression)}; call: {call}"
    )


class People:
    """Opens pages as somebody, and remembers what they said."""

    def __init__(self, gateway: Gateway, staff: dict[str, Any], make_browser: Callable[..., Browser]) -> None:
        self._gateway, self._staff, self._browser = gateway, staff, make_browser
        self.contexts: list[BrowserContext] = []
        self.said: list[str] = []
        self.errors: list[str] = []

    def context(self, browser: Browser | None = None, *, wide: bool = False, **more: Any) -> BrowserContext:
        size = {"width": 1440, "height": 900} if wide else {"width": 360, "height": 740}
        granted = more.pop("permissions", ["microphone", "camera"])
        context = (browser or self._browser()).new_context(viewport=size, locale="zh-CN", permissions=granted, **more)
        context.set_default_timeout(15_000)
        context.on("page", self._listen)
        self.contexts.append(context)
        return context

    def customer(self, browser: Browser | None = None, **more: Any) -> Page:
        return self.visit(self.context(browser, **more))

    def visit(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.goto(f"{self._gateway.url}/?store={STORE}")
        until(page, "globalThis.__nestcall?.link === 'online'")
        page.wait_for_selector(".message .ai-tag")  # the assistant's welcome: from here on answers can be counted
        return page

    def advisor(self, name: str = ADVISORS[0], path: str = "/console") -> Page:
        page = self.context(wide=True, storage_state=self._staff[name]).new_page()
        page.goto(f"{self._gateway.url}{path}")
        page.wait_for_selector(".inbox section, .entries, .top")
        return page

    def _listen(self, page: Page) -> None:
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        self.said.append(f"{kind}: {text}")
        if "Content Security Policy" in text:
            self.errors.append(text)

    def story(self) -> str:
        return "\n".join([*self.errors, *self.said])[-4000:]

    def photograph(self, name: str) -> None:
        shots = Path(__file__).parent / "shots"
        shots.mkdir(exist_ok=True)
        for nth, page in enumerate(page for context in self.contexts for page in context.pages):
            try:
                page.screenshot(path=shots / f"{name}-{nth}.png", timeout=3_000)
            except Exception as error:  # a page that is gone has no picture, and the failure is reported already
                self.said.append(f"no photograph: {error}")


@pytest.fixture
def people(gateway: Gateway, staff: dict[str, Any], make_browser: Callable[..., Browser]) -> Iterator[People]:
    """Ends with: no script error and no CSP violation on any page."""
    opened = People(gateway, staff, make_browser)
    yield opened
    for context in opened.contexts:
        context.close()
    assert not opened.errors
