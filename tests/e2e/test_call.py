"""Calls with real media: what is asserted was heard as audio energy and seen as frames drawn, not read off a state."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import ADVISORS, STORE, Gateway, People, until
from tests.e2e.sound import AUDIBLE_DBFS, listen, looks, silence, spoken, stretches, write_wav
from tests.e2e.test_chat import open_conversation, write

HEARS = f"__nestcall.levels?.remote > {AUDIBLE_DBFS}"


def call(page: Page, kind: str = "语音通话", tries: int = 8) -> None:
    """The tap; a house that says it is busy (a loaded machine) is called again, as she would."""
    page.get_by_role("button", name=kind).click()
    settled(page, page.get_by_role("button", name="再拨一次"), tries)


def take_over(advisor: Page, tries: int = 8) -> None:
    again = advisor.get_by_role("button", name="接管")
    again.click()
    settled(advisor, again, tries)


def settled(page: Page, again: Locator, tries: int) -> None:
    for _ in range(tries):
        until(page, "['running', 'ended'].includes(__nestcall.call.phase)", 30)
        if page.evaluate("__nestcall.call.trouble") != "error.busy":
            return
        page.wait_for_timeout(1_500)
        again.click()


def on_the_line(page: Page, state: str = "with_assistant") -> None:
    until(page, f"__nestcall.call.state === '{state}'", 30)


def frames(page: Page) -> int:
    """Pictures of the other side drawn on this page so far."""
    return int(page.evaluate("__nestcall.frames.remote ?? 0"))


def sees_video(page: Page, count: int = 10) -> None:
    """`count` more frames of the other side are drawn. (A still picture repeats every two seconds only.)"""
    until(page, f"(__nestcall.frames.remote ?? 0) >= {frames(page) + count}", 12)


def test_a_voice_call_from_the_tap_to_hanging_up(people: People) -> None:
    page = people.customer()
    until(page, "__nestcall.standby === 'connected'", 30)
    call(page)
    expect(page.locator(".call-state")).to_contain_text("AI 助手接听中", timeout=30_000)
    until(page, HEARS)
    expect(page.locator(".captions .assistant")).to_contain_text("智能语音助手")
    waterfall = until(page, "__nestcall.waterfall?.steps.first_sound && __nestcall.waterfall")
    assert waterfall["mode"] == "standby"
    page.get_by_role("button", name="打字").click()
    page.get_by_placeholder("通话中也可以打字").fill("门店几点开门？")
    page.keyboard.press("Enter")
    expect(page.locator(".captions .customer", has_text="门店几点开门")).to_be_visible()
    expect(page.locator(".captions .assistant").nth(1)).to_be_visible()
    page.get_by_role("button", name="挂断").click()
    expect(page.locator(".call")).to_have_count(0)
    expect(page.locator(".timeline")).to_contain_text("通话结束")
    assert page.evaluate("__nestcall.levels") is None


def test_speaking_over_the_assistant_stops_it(
    make_gateway: Callable[..., Gateway], make_browser: Callable[..., Browser], tmp_path: Path
) -> None:
    """The replies are tones of 8 s; her second sentence falls into the first one."""
    gateway = make_gateway(NESTCALL_SYNTHESIZER="tone", NESTCALL_RESPONDER="instant")
    sentence = spoken("请问门店几点开门")
    wav = write_wav(tmp_path / "her.wav", silence(5), sentence, silence(4), sentence, silence(20))
    browser = make_browser(f"--use-file-for-fake-audio-capture={wav}%noloop")
    context = browser.new_context(locale="zh-CN", permissions=["microphone"])
    page = context.new_page()
    page.goto(gateway.url)
    until(page, "globalThis.__nestcall?.standby === 'connected'", 30)
    listen(page)
    call(page)
    # Greeting, first reply, and after it was cut a second one.
    until(page, "__nestcall.levels && heard.at(-1)[0] - heard[0][0] > 17", 40)
    seen = looks(page)
    heard = stretches(seen)
    assert len(heard) >= 3, heard
    reply_from, reply_to = heard[1]
    assert reply_to - reply_from < 7, f"8 s of tone were not cut: {heard}"
    ducked = [look.at for look in seen if look.ducked and reply_from < look.at <= reply_to + 0.1]
    assert ducked, "the page did not duck before the gateway cut"
    assert ducked[0] < reply_to
    context.close()


def test_an_advisor_takes_over_with_video_both_ways_and_hands_back(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    call(customer, "视频通话")
    on_the_line(customer)
    open_conversation(advisor, customer)
    expect(advisor.locator(".live-call .captions .assistant")).to_contain_text("智能语音助手")
    take_over(advisor)
    on_the_line(customer, "with_advisor")
    expect(customer.locator(".call-state")).to_contain_text("陈顾问")
    for page in (customer, advisor):
        sees_video(page)
        until(page, HEARS)  # Chromium's fake microphone beeps
    expect(customer.locator("video.remote")).to_be_visible()
    advisor.get_by_role("button", name="交还", exact=True).click()
    on_the_line(customer)
    until(customer, HEARS)
    until(advisor, "__nestcall.call.phase === 'ended'")
    assert advisor.evaluate("__nestcall.levels") is None
    take_over(advisor)  # and once more, to hang up
    on_the_line(customer, "with_advisor")
    other = people.customer()
    write(other, "我要转人工")
    open_conversation(advisor, other)
    elsewhere = advisor.locator(".call-elsewhere")  # the microphone is live whatever is open
    expect(elsewhere).to_contain_text("返回通话")
    elsewhere.get_by_role("button", name="挂断").click()
    expect(customer.locator(".call.ended")).to_contain_text("顾问已挂断")
    expect(elsewhere).to_have_count(0)


def test_two_advisors_press_and_one_wins(people: People) -> None:
    customer = people.customer()
    call(customer)
    on_the_line(customer)
    both = [people.advisor(name) for name in ADVISORS]
    for advisor in both:
        open_conversation(advisor, customer)
        expect(advisor.get_by_role("button", name="接管")).to_be_enabled()
    at_once = (
        time.time() * 1000 + 500
    )  # both clicks are planned first: a quick winner would take the other's button away
    for advisor in both:
        advisor.evaluate(
            """at => void setTimeout(() =>
            [...document.querySelectorAll('.live-call .primary')].at(-1).click(), at - Date.now())""",
            at_once,
        )
    on_the_line(customer, "with_advisor")
    phases = [
        until(one, "['running', 'ended'].includes(__nestcall.call.phase) && __nestcall.call.phase") for one in both
    ]
    assert sorted(phases) == ["ended", "running"]
    loser = both[phases.index("ended")]
    expect(loser.locator(".live-call")).to_contain_text("已被其他顾问接走")


def test_a_call_follows_the_language_she_chooses_and_types(people: People) -> None:
    page = people.customer()
    page.get_by_role("button", name="English").click()
    call(page, "Voice call")
    on_the_line(page)
    expect(page.locator(".captions")).to_contain_text("Hello")
    page.get_by_role("button", name="Show the chat").click()
    page.get_by_role("button", name="中文").click()
    page.locator(".call-bar").click()  # the call is where she had put it
    page.get_by_role("button", name="打字").click()
    page.get_by_placeholder("通话中也可以打字").fill("几点关门")
    page.keyboard.press("Enter")
    expect(page.locator(".captions")).to_contain_text("徐汇店：今天")


def test_the_call_survives_a_reload_of_her_page(people: People) -> None:
    page = people.customer()
    call(page)
    on_the_line(page)
    before = page.evaluate("__nestcall.call.call")
    page.reload()
    until(page, "globalThis.__nestcall?.call.phase === 'running'")
    on_the_line(page)
    assert page.evaluate("__nestcall.call.call") == before
    received = until(page, "__nestcall.stats().then((stats) => stats.audio_received)")
    until(page, f"__nestcall.stats().then((stats) => stats.audio_received > {received + 20})")
    page.get_by_role("button", name="挂断").click()
    expect(page.locator(".call")).to_have_count(0)


def test_the_call_survives_a_killed_gateway_that_stays_away_for_a_while(
    make_gateway: Callable[..., Gateway], make_browser: Callable[..., Browser]
) -> None:
    """As long as every try of the page to resume would have taken: a gateway that is not there is no failed try."""
    gateway = make_gateway()
    context = make_browser().new_context(locale="zh-CN", permissions=["microphone"])
    page = context.new_page()
    page.goto(f"{gateway.url}/?store={STORE}")
    until(page, "globalThis.__nestcall?.link === 'online'")
    call(page)
    on_the_line(page)
    until(page, HEARS)
    expect(page.locator(".captions .assistant")).to_contain_text("智能语音助手")
    before = page.evaluate("__nestcall.call.call")
    page.wait_for_timeout(2_000)
    gateway.stop(signal.SIGKILL)
    page.wait_for_timeout(20_000)
    expect(page.locator(".call-state")).to_contain_text("正在重连")
    gateway.start()
    on_the_line(page)
    until(page, HEARS)
    assert page.evaluate("__nestcall.call.call") == before
    expect(page.locator(".captions .assistant").first).to_contain_text("智能语音助手")  # what was said is still there
    expect(page.locator(".captions .assistant").last).to_contain_text("线路恢复了")
    (conversation,) = page.evaluate("__nestcall.lastSeq()")
    log = page.context.request.get(f"{gateway.url}/api/v1/conversations/{conversation}/events?after=0&limit=500").json()
    spoken = [event["body"] for event in log["events"] if event["kind"] == "message.sent" and event["body"].get("call")]
    assert spoken[0]["text"].startswith("您好")  # in the middle of the greeting the gateway died
    assert spoken[0]["cut"]
    context.close()


def test_the_phone_page(people: People) -> None:
    page = people.customer()
    page.goto(page.url.split("?")[0] + "phone")
    until(page, "globalThis.__nestcall?.link === 'online'")
    call(page, "拨打")
    on_the_line(page)
    until(page, HEARS)
    page.get_by_role("button", name="拨号键盘").click()
    page.get_by_role("button", name="按键 1").click()
    expect(page.locator(".pad output")).to_have_text("1")
    page.get_by_role("button", name="拨号键盘").click()
    expect(page.locator(".captions .customer")).to_contain_text("1")  # she sees what was understood
    page.evaluate("dispatchEvent(new Event('online'))")  # a network came back that was never missed: media flows
    page.wait_for_timeout(1_500)
    expect(page.locator(".captions")).not_to_contain_text("线路恢复了")
    page.get_by_role("button", name="挂断").click()
    expect(page.get_by_role("button", name="拨打")).to_be_visible()


def test_the_phone_page_leads_to_the_chat_when_there_is_no_call(
    people: People, make_browser: Callable[..., Browser]
) -> None:
    page = people.customer(make_browser(without="--use-fake-ui"), permissions=[])
    page.goto(page.url.replace("/?", "/phone?"))
    until(page, "globalThis.__nestcall?.link === 'online'")
    page.get_by_role("button", name="拨打").click()
    expect(page.locator("[role=alert]")).to_contain_text("麦克风没有授权")
    page.get_by_role("link", name="打字咨询").click()
    page.wait_for_selector(".composer textarea")


# ---------------------------------------------------------------- what can be missing


def refused_with(page: Page, words: str) -> None:
    """The trouble is worded, and the chat goes on."""
    expect(page.locator(".call.ended [role=alert]")).to_contain_text(words)
    expect(page.locator(".call.ended h2")).to_have_text("没有拨通")  # nothing ended that never began
    page.get_by_role("button", name="看聊天记录").click()
    page.locator(".composer textarea").fill("还能打字")
    page.locator(".composer textarea").press("Enter")
    expect(page.locator(".mine .status").last).to_contain_text("已")


def test_microphone_denied(people: People, make_browser: Callable[..., Browser]) -> None:
    page = people.customer(make_browser(without="--use-fake-ui"), permissions=[])
    call(page)
    refused_with(page, "麦克风没有授权")


def test_no_camera_makes_it_a_voice_call(people: People, make_browser: Callable[..., Browser]) -> None:
    browser = make_browser("--use-fake-device-for-media-stream=device-count=0", without="--use-fake-device")
    page = people.customer(browser)
    call(page, "视频通话")
    on_the_line(page)
    expect(page.locator(".call [role=alert]")).to_contain_text("没有找到摄像头，已改为语音通话")
    until(page, HEARS)


@pytest.mark.parametrize(
    ("lacks", "words"),
    [("webrtc", "不支持网络通话"), ("NotReadableError", "占用"), ("NotFoundError", "没有找到麦克风")],
)
def test_what_a_browser_can_lack(people: People, lacks: str, words: str) -> None:
    context = people.context()
    throws = f"async () => {{ throw new DOMException('', '{lacks}') }}"
    without = "delete globalThis.RTCPeerConnection"
    without_microphone = f"if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = {throws}"
    context.add_init_script(without if lacks == "webrtc" else without_microphone)
    page = people.visit(context)
    call(page)
    refused_with(page, words)


def test_an_address_without_https_says_so(
    people: People, gateway: Gateway, make_browser: Callable[..., Browser]
) -> None:
    browser = make_browser("--host-resolver-rules=MAP shop.test 127.0.0.1")
    page = people.context(browser, permissions=[]).new_page()
    page.goto(f"http://shop.test:{gateway.port}/?store={STORE}")
    until(page, "globalThis.__nestcall?.link === 'online'")
    call(page)
    refused_with(page, "不是安全连接")
