"""Photos, files, voice notes, search and red flags, from one page to the other."""

import io
import json
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.conftest import Gateway, People, until
from tests.e2e.test_chat import open_conversation, said, write

LOADED = "(images) => images.length > 0 && images.every((one) => one.complete && one.naturalWidth > 0)"


def photo(color: str) -> dict[str, object]:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(out, "JPEG")
    return {"name": f"{color}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def large_photo() -> dict[str, object]:
    """Noise: about 1 MB."""
    out = io.BytesIO()
    Image.effect_noise((1600, 1200), 90).save(out, "JPEG", quality=90)
    return {"name": "noise.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def slow_line(page: Page, bytes_per_s: int) -> None:
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    cdp.send("Network.emulateNetworkConditions", conditions)


def photos_shown(page: Page, count: int) -> None:
    expect(page.locator(".photo img.full")).to_have_count(count, timeout=20_000)
    page.locator(".photo img.full").last.scroll_into_view_if_needed()
    for nth in range(count):
        page.locator(".photo img.full").nth(nth).scroll_into_view_if_needed()
    until(page, f"({LOADED})([...document.querySelectorAll('.photo img.full')])")


def test_several_photos_at_once_arrive_and_open(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    customer.get_by_role("button", name="更多").click()
    for label in ("照片", "拍照"):  # an iPhone makes a JPEG of its HEIC only where HEIC is not among what is asked for
        asked = customer.locator(f'input[type="file"][aria-label="{label}"]').get_attribute("accept")
        assert asked == "image/jpeg,image/png,image/webp"
    customer.locator('input[type="file"][aria-label="照片"]').set_input_files([photo("teal"), photo("orange")])
    photos_shown(customer, 2)
    open_conversation(advisor, customer)
    photos_shown(advisor, 2)
    customer.locator(".photo").first.click()
    expect(customer.locator("dialog.viewer img")).to_be_visible()
    customer.keyboard.press("Escape")
    expect(customer.locator("dialog.viewer")).to_have_count(0)


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(people: People) -> None:
    page = people.customer()
    slow_line(page, 100_000)
    page.get_by_role("button", name="更多").click()
    page.locator('input[type="file"][aria-label="照片"]').set_input_files([large_photo()])
    expect(page.locator(".outgoing .chosen img")).to_be_visible()
    expect(page.locator(".to-end")).to_have_count(0)  # it has not pushed the end away
    until(page, "(document.querySelector('.outgoing progress')?.value ?? 0) > 0.02", 20)
    assert page.evaluate("document.querySelector('.outgoing progress').value") < 0.9
    page.locator(".outgoing").get_by_role("button", name="取消").click()
    expect(page.locator(".outgoing")).to_have_count(0)
    expect(page.locator(".photo")).to_have_count(0)


def test_an_upload_goes_on_where_it_was_when_the_gateway_was_killed(
    make_gateway: Callable[..., Gateway], make_browser: Callable[..., Browser]
) -> None:
    gateway = make_gateway()
    context = make_browser().new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
    page = context.new_page()
    offsets: list[int] = []
    begun: list[str] = []

    def listen(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))
        if request.method == "POST" and request.url.endswith("/uploads"):
            begun.append(request.url)

    page.on("request", listen)
    page.goto(gateway.url)
    until(page, "globalThis.__nestcall?.link === 'online'")
    slow_line(page, 200_000)
    page.get_by_role("button", name="更多").click()
    page.locator('input[type="file"][aria-label="照片"]').set_input_files([large_photo()])
    until(page, "(document.querySelector('.outgoing progress')?.value ?? 0) > 0.2", 30)
    gateway.stop(signal.SIGKILL)
    expect(page.locator(".link-notice")).to_be_visible()
    before = len(offsets)
    slow_line(page, -1)
    gateway.start()
    photos_shown(page, 1)
    assert offsets[before] > 0
    assert len(begun) == 1
    context.close()


def test_her_words_can_be_changed_and_both_see_it(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "宝宝四个月，转人工 5512")
    open_conversation(advisor, customer)
    said(advisor, "宝宝四个月，转人工 5512")
    mine = customer.locator(".mine", has_text="5512")
    mine.get_by_role("button", name="修改").click()
    box = customer.locator("dialog textarea")
    expect(box).to_have_value("宝宝四个月，转人工 5512")
    box.fill("宝宝五个月，转人工 5512")
    customer.get_by_role("button", name="保存修改").click()
    expect(customer.locator("dialog")).to_have_count(0)
    for page in (customer, advisor):
        said(page, "宝宝五个月，转人工 5512")
        expect(page.locator(".message", has_text="五个月，转人工 5512").locator(".foot")).to_contain_text("已修改")


def test_an_advisor_finds_it_in_any_conversation_and_takes_it_along(people: People, tmp_path: Path) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "宝宝的鹅口疮怎么办")
    for n in range(3):
        write(customer, f"门店几点开门 {n}")
    expect(customer.locator(".outgoing")).to_have_count(0)
    advisor.get_by_role("button", name="搜索全部对话").click()
    advisor.get_by_role("searchbox").fill("鹅口")
    advisor.keyboard.press("Enter")
    advisor.locator(".results button", has_text="鹅口疮").first.click()
    expect(advisor.locator(".message.found")).to_contain_text("鹅口疮怎么办")
    expect(advisor.locator("dialog")).to_have_count(0)
    for link, name in (("网页和照片 (zip)", "page.zip"), ("JSON", "events.json")):
        with advisor.expect_download() as taken:
            advisor.locator("aside").get_by_role("link", name=link).click()
        taken.value.save_as(tmp_path / name)
    assert "鹅口疮" in zipfile.ZipFile(tmp_path / "page.zip").read("index.html").decode()
    assert any(
        "鹅口疮" in json.dumps(one, ensure_ascii=False)
        for one in json.loads((tmp_path / "events.json").read_text())["events"]
    )
    customer.get_by_role("button", name="搜索聊天记录").click()
    expect(customer.get_by_role("link", name="JSON")).to_be_visible()


def test_a_voice_note_held_is_recorded_until_the_finger_lifts_and_slid_up_it_goes_on(people: People) -> None:
    page = people.customer()
    box = page.get_by_role("button", name="录语音消息").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    expect(page.locator(".recorder")).to_contain_text("0:01", timeout=10_000)
    page.mouse.up()
    expect(page.locator(".recorder")).to_contain_text("秒后发送")
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".outgoing, .voice")).to_have_count(0)
    page.mouse.move(x, y)
    page.mouse.down()
    expect(page.locator(".recorder")).to_contain_text("0:01", timeout=10_000)
    page.mouse.move(x, y - 120, steps=4)
    page.mouse.up()
    expect(page.locator(".recorder")).to_contain_text("0:02", timeout=10_000)
    page.get_by_role("button", name="取消录音").click()
    expect(page.locator(".recorder, .outgoing, .voice")).to_have_count(0)


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
