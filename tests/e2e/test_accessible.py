"""axe-core finds nothing serious on any page, in both colour schemes, at a phone's width and at a desk's."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, People, until
from tests.e2e.test_chat import open_conversation, write

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Pages under axe are opened with bypass_csp: axe now and then adds a style of its own. All other tests keep our CSP.
pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core comes with the page's build tools: cd web && npm ci")


def violations(page: Page) -> list[dict[str, Any]]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    return [
        {"rule": one["id"], "where": [node["html"][:160] for node in one["nodes"][:3]], "why": one["help"]}
        for one in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_customers_page(people: People, scheme: str) -> None:
    page = people.customer(color_scheme=scheme, bypass_csp=True)
    write(page, "门店几点开门？")
    expect(page.locator(".mine .status")).to_contain_text("已")
    assert violations(page) == []
    page.get_by_role("button", name="搜索聊天记录").click()
    assert violations(page) == []


def test_the_console(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "转人工")
    open_conversation(advisor, customer)
    assert violations(advisor) == []


def test_the_phone(people: People) -> None:
    page = people.customer()
    page.goto(page.url.split("?")[0] + "phone")
    until(page, "globalThis.__nestcall?.link === 'online'")
    assert violations(page) == []


def test_one_hand(people: People) -> None:
    """Nothing needs sideways scrolling at 360 px, and what she taps is big and low on the screen."""
    page = people.customer(has_touch=True, is_mobile=True)
    write(page, "您好")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = page.locator(".quick button, .composer button").all()
    sizes = [box.bounding_box() for box in boxes]
    assert all(size and size["width"] >= 44 and size["height"] >= 44 for size in sizes)
    assert all(size and size["y"] > 740 * 0.6 and size["x"] + size["width"] <= 361 for size in sizes)
