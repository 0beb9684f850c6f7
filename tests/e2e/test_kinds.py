"""Photos, files, voice notes, search and red flags, from one page to the other."""

import io

from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import People, until
from tests.e2e.test_chat import open_conversation, said, write

LOADED = "(images) => images.length > 0 && images.every((one) => one.complete && one.naturalWidth > 0)"


def photo(color: str) -> dict[str, object]:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(out, "JPEG")
    return {"name": f"{color}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def photos_shown(page: Page, count: int) -> None:
    expect(page.locator(".photo img.full")).to_have_count(count, timeout=20_000)
    page.locator(".photo img.full").last.scroll_into_view_if_needed()
    for nth in range(count):
        page.locator(".photo img.full").nth(nth).scroll_into_view_if_needed()
    until(page, f"({LOADED})([...document.querySelectorAll('.photo img.full')])")


def test_several_photos_at_once_arrive_and_open(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    customer.get_by_role("button", name="更多").click()
    customer.locator('input[type="file"][aria-label="照片"]').set_input_files([photo("teal"), photo("orange")])
    photos_shown(customer, 2)
    open_conversation(advisor, customer)
    photos_shown(advisor, 2)
    customer.locator(".photo").first.click()
    expect(customer.locator("dialog.viewer img")).to_be_visible()
    customer.keyboard.press("Escape")
    expect(customer.locator("dialog.viewer")).to_have_count(0)


def test_a_file_that_is_not_allowed_says_why_and_the_next_message_goes_on(people: People) -> None:
    page = people.customer()
    page.get_by_role("button", name="更多").click()
    evil = {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'/>"}
    page.locator('input[type="file"][aria-label="文件"]').set_input_files([evil])
    expect(page.locator(".outgoing .failed")).to_contain_text("不支持这种文件")
    write(page, "文字照样能发")
    expect(page.locator(".mine:not(.outgoing) .status")).to_contain_text("已")
    page.get_by_role("button", name="删除").click()
    expect(page.locator(".outgoing")).to_have_count(0)


def test_a_voice_note_can_be_taken_back_and_is_playable_when_sent(people: People) -> None:
    page = people.customer()
    mic = page.get_by_role("button", name="录语音消息")
    mic.click()
    expect(page.locator(".recorder")).to_contain_text("0:01", timeout=10_000)
    page.get_by_role("button", name="完成").click()
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".outgoing, .voice")).to_have_count(0)
    mic.click()
    expect(page.locator(".recorder")).to_contain_text("0:01", timeout=10_000)
    page.get_by_role("button", name="完成").click()
    expect(page.locator(".voice")).to_have_count(1, timeout=30_000)
    page.locator(".voice button").click()
    until(page, "document.querySelector('.voice audio').currentTime > 0.1", 20)


def test_a_found_message_opens_where_it_was_said(people: People) -> None:
    page = people.customer()
    write(page, "宝宝的湿疹霜还有货吗")
    expect(page.locator(".mine .status")).to_contain_text("已")
    page.get_by_role("button", name="搜索聊天记录").click()
    page.get_by_role("searchbox").fill("湿疹")
    page.keyboard.press("Enter")
    page.locator(".results button", has_text="湿疹霜").first.click()
    expect(page.locator(".message.found")).to_contain_text("湿疹霜还有货吗")


def test_a_baby_in_danger(people: People) -> None:
    """The number to ring is a button, the advisor is alarmed until somebody takes it."""
    customer, advisor = people.customer(), people.advisor()
    write(customer, "宝宝抽搐了，叫不醒，嘴唇发紫")
    expect(customer.locator("a.tel")).to_have_attribute("href", "tel:120", timeout=10_000)
    conversation = next(iter(customer.evaluate("__nestcall.lastSeq()")))
    advisor.locator(f'.alarm[data-conversation="{conversation}"]').get_by_role("button", name="我来处理").click()
    said(advisor, "宝宝抽搐了，叫不醒，嘴唇发紫")
    expect(advisor.get_by_role("button", name="解除警示")).to_be_visible()
    advisor.get_by_role("button", name="解除警示").click()
    expect(advisor.get_by_role("button", name="解除警示")).to_have_count(0)
