"""A mother chats, the assistant answers, an advisor takes over in writing."""

import re
import signal
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Gateway, People, until

BUBBLE = ".message .bubble"


def write(page: Page, text: str) -> None:
    page.locator(".composer textarea").fill(text)
    page.locator(".composer textarea").press("Enter")


def said(page: Page, text: str) -> None:
    expect(page.locator(BUBBLE, has_text=text)).to_have_count(1)


def answered(page: Page, text: str) -> None:
    """Writes, and waits for the assistant's answer to it."""
    before = page.locator(".message .ai-tag").count()
    write(page, text)
    expect(page.locator(".message .ai-tag")).to_have_count(before + 1)


def open_conversation(advisor: Page, customer: Page) -> None:
    """In the console, what this customer's page is about."""
    conversation = next(iter(customer.evaluate("__nestcall.lastSeq()")))
    advisor.locator(f'button[data-conversation="{conversation}"]').click()
    expect(advisor.locator("main .chat")).to_be_visible()


def test_the_assistant_answers_labelled_and_the_conversation_survives_a_reload(people: People) -> None:
    page = people.customer()
    answered(page, "门店几点开门？")
    expect(page.locator(".mine .status")).to_contain_text("已")
    answers = page.locator(".message:has(.ai-tag) .bubble").all_inner_texts()
    page.locator(".composer textarea").fill("写到一半的草稿")
    page.reload()
    said(page, "门店几点开门？")
    assert page.locator(".message:has(.ai-tag) .bubble").all_inner_texts() == answers
    expect(page.locator(".composer textarea")).to_have_value("写到一半的草稿")
    expect(page.locator(".ai-notice")).to_contain_text("AI")


def test_an_advisor_accepts_and_replies_and_both_see_it_live(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "我要转人工 9981")
    expect(customer.locator(".divider", has_text="正在等候顾问")).to_be_visible()
    expect(customer.get_by_role("button", name="转人工")).to_be_disabled()
    open_conversation(advisor, customer)
    said(advisor, "我要转人工 9981")
    advisor.get_by_role("button", name="接入").click()
    expect(customer.locator(".divider", has_text="陈顾问已接入")).to_be_visible()
    write(advisor, "您好，我来帮您。")
    said(customer, "您好，我来帮您。")
    expect(advisor.locator(".mine .status").last).to_contain_text("已读")
    write(customer, "谢谢顾问")
    said(advisor, "谢谢顾问")


def test_a_note_is_for_staff_only_and_handing_back_gives_the_assistant_the_word(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "转人工 7734")
    open_conversation(advisor, customer)
    advisor.get_by_role("button", name="接入").click()
    advisor.get_by_role("button", name="内部备注").click()
    write(advisor, "内部：老顾客")
    said(advisor, "内部：老顾客")
    advisor.get_by_role("button", name="交还 AI").click()
    expect(customer.locator(".divider", has_text="已交还 AI 助手")).to_be_visible()
    assert "内部：老顾客" not in customer.content()


def test_recall_and_thumbs(people: People) -> None:
    page = people.customer()
    answered(page, "说错了的话")
    page.locator(".mine", has_text="说错了的话").get_by_role("button", name="撤回").click()
    expect(page.locator(".mine .bubble", has_text="消息已撤回")).to_have_count(1)
    thumb = page.get_by_role("button", name="有帮助").last
    thumb.click()
    expect(thumb).to_have_attribute("aria-pressed", "true")


def test_a_thumb_is_not_lost_when_a_message_comes_while_the_finger_is_down(people: People) -> None:
    page = people.customer()
    for _ in range(3):  # more than fits the screen
        answered(page, "门店几点开门？")
    thumbs = page.get_by_role("button", name="有帮助")
    seen = thumbs.count()
    thumb = thumbs.nth(seen - 1)
    box = thumb.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    answered(page, "奶瓶怎么消毒")
    page.mouse.up()
    expect(thumb).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".to-end")).to_have_count(0)
    last = page.locator(".message").last
    expect(last).to_be_in_viewport(ratio=0.9)  # and then it follows the conversation again


def test_what_people_write_is_text_and_never_markup(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    for page in (customer, advisor):
        page.on("dialog", lambda dialog: people.errors.append(f"dialog: {dialog.message}"))
    attacks = [
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(2)>",
        "javascript:alert(3)",
        '"><script>alert(4)</script>',
    ]
    for attack in attacks:
        write(customer, attack)
        said(customer, attack)
    open_conversation(advisor, customer)
    for attack in attacks:
        said(advisor, attack)
    assert advisor.locator(".bubble img, .bubble svg[onload]").count() == 0


def test_a_killed_gateway_loses_and_doubles_nothing(
    make_gateway: Callable[..., Gateway], make_browser: Callable[..., Browser]
) -> None:
    gateway = make_gateway()
    context = make_browser().new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(gateway.url)
    until(page, "globalThis.__nestcall?.link === 'online'")
    write(page, "第一句")
    expect(page.locator(".mine .status")).to_contain_text("已")
    gateway.stop(signal.SIGKILL)
    expect(page.locator(".link-notice")).to_be_visible()
    write(page, "断线时写的")
    write(page, "断线时写的第二句")
    expect(page.locator(".outgoing .status")).to_have_text([re.compile("发送中"), re.compile("发送中")])
    page.close()  # even the tab is gone
    gateway.start()
    page = context.new_page()
    page.goto(gateway.url)
    texts = page.locator(".mine .bubble")
    expect(texts).to_have_text(["第一句", "断线时写的", "断线时写的第二句"], timeout=25_000)
    expect(page.locator(".outgoing")).to_have_count(0)
    context.close()


def test_where_websockets_are_blocked_the_chat_goes_by_long_poll(people: People) -> None:
    context = people.context()
    context.add_init_script(
        "globalThis.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 5); } send() {} close() {} }"
    )
    customer, advisor = people.visit(context), people.advisor()
    write(customer, "网络不好，转人工")
    expect(customer.locator(".mine .status")).to_contain_text("已")
    open_conversation(advisor, customer)
    advisor.get_by_role("button", name="接入").click()
    write(advisor, "没关系，慢慢说")
    said(customer, "没关系，慢慢说")
    customer.get_by_role("button", name="语音通话").click()
    expect(customer.locator(".call.ended")).to_contain_text("服务暂时不可用")
