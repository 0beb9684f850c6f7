"""What advisors and managers do besides answering."""

import json
import re
import time

from playwright.sync_api import Page, expect

from tests.e2e.conftest import ADVISORS, ROOT, People, until
from tests.e2e.test_accessible import AXE, violations
from tests.e2e.test_chat import answered, open_conversation, said, write


def test_a_draft_with_a_dose_is_warned_about_and_sent_only_when_meant(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "我要转人工")
    open_conversation(advisor, customer)
    advisor.get_by_role("button", name="接入").click()
    dose = "布洛芬混悬液一次喝5毫升，一天三次"
    write(advisor, dose)
    expect(advisor.locator(".warning")).to_contain_text("剂量")
    expect(advisor.locator(".composer textarea")).to_have_value(dose)
    expect(customer.locator(".bubble", has_text="布洛芬")).to_have_count(0)
    advisor.locator(".composer textarea").press("Enter")
    said(customer, dose)
    write(advisor, "建议带宝宝去医院看看")  # nothing to warn about: sent at once
    said(customer, "建议带宝宝去医院看看")


def test_the_advisor_reads_what_the_assistant_remembers(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "奶瓶怎么消毒")
    expect(customer.locator(".message:has(.ai-tag) .bubble").last).to_contain_text("煮沸", timeout=20_000)
    write(customer, "我要转人工")
    open_conversation(advisor, customer)
    expect(advisor.locator(".customer-card .summary")).to_contain_text("她问过：奶瓶怎么消毒")


def test_a_promised_call_back_is_on_the_advisors_list_until_she_resolves(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    write(customer, "约明天上午十点回电")
    conversation = next(iter(customer.evaluate("__nestcall.lastSeq()")))
    line = advisor.locator(f'[data-conversation="{conversation}"]')
    promised = advisor.get_by_role("region", name="待回电").locator(line)
    expect(promised).to_contain_text("待回电", timeout=20_000)
    open_conversation(advisor, customer)
    expect(advisor.locator(".customer-card")).to_contain_text("待回电")
    advisor.get_by_role("button", name="接入", exact=True).click()
    expect(promised).to_have_count(0)  # it is hers now, and still to be called
    expect(line).to_contain_text("待回电")
    advisor.get_by_role("button", name="结束", exact=True).click()
    expect(line).not_to_contain_text("待回电")


def test_a_complaint_reaches_the_advisor_and_the_manager_who_teaches_from_it(people: People) -> None:
    customer, advisor = people.customer(), people.advisor()
    question, answer = "你们卖不卖会飞的摇篮", "会飞的摇篮我们不卖，有电动摇篮，1299元。"
    answered(customer, question)
    customer.locator(".message:has(.ai-tag)").last.get_by_label("投诉这条回答").click()
    customer.locator("dialog textarea").fill("答非所问")
    customer.get_by_role("button", name="提交投诉").click()
    expect(customer.locator(".foot").last).to_contain_text("已收到投诉")
    open_conversation(advisor, customer)
    expect(advisor.locator(".message:has(.ai-tag) .foot").last).to_contain_text("顾客投诉 “答非所问”")
    advisor.get_by_role("button", name="接入", exact=True).click()
    for words in ("您好，我是陈顾问", answer):
        write(advisor, words)
        said(customer, words)
    page = people.advisor("林店长", "/manager#unanswered")
    row = page.locator(".entries li", has_text=question)
    expect(row).to_contain_text("工作日内查看）：答非所问")
    expect(row).to_contain_text(f"顾问的回答：{answer}")  # and not her greeting
    row.get_by_role("button", name="写回答").click()
    page.get_by_role("button", name="看看影响").click()
    foreseen = page.locator("dialog [role=status]")
    expect(foreseen.locator("li")).to_have_text([question], timeout=30_000)
    expect(page.locator("dialog button", has_text="发布")).to_be_in_viewport()
    page.keyboard.press("Escape")
    row.get_by_role("link", name="看对话").first.click()
    expect(page.locator(".message.found")).to_contain_text(question)


def golden_questions(count: int) -> list[str]:
    rows = map(json.loads, (ROOT / "gateway/demo/golden.jsonl").read_text("utf-8").splitlines())
    return [row["question"] for row in rows if row["expect"]][:count]


def test_publishing_what_lowers_the_score_says_what_falls_and_asks(people: People) -> None:
    page = manager(people)
    page.get_by_role("button", name="新建").click()
    form = page.locator("dialog form")
    form.locator("[name=question]").fill("奶瓶怎么消毒")
    form.locator("[name=phrasings]").fill("\n".join(golden_questions(20)))  # all of them other entries'
    form.locator("[name=answer]").fill("随便洗洗就行。")
    form.get_by_role("button", name="发布").click()
    warning, anyway = form.locator("[role=alert]"), form.get_by_role("button", name="仍然发布")
    expect(warning).to_contain_text("评分会下降", timeout=30_000)
    falls = re.findall(r"(\S+) ([\d.]+)%? → ([\d.]+)%?", warning.inner_text())
    assert falls
    assert all(before != after for _, before, after in falls)
    expect(anyway).to_be_in_viewport()
    form.locator("[name=answer]").fill("煮沸十分钟。")  # another entry: not confirmed by that warning
    expect(anyway).to_have_count(0)


def test_of_two_advisors_who_take_an_alarm_one_learns_who_was_first(people: People) -> None:
    customer = people.customer()
    both = [people.advisor(name) for name in ADVISORS]
    write(customer, "宝宝抽搐了翻白眼")
    conversation = next(iter(customer.evaluate("__nestcall.lastSeq()")))
    for advisor in both:
        expect(advisor.locator(f'.alarm[data-conversation="{conversation}"]')).to_be_visible()
    at_once = time.time() * 1000 + 500
    for advisor in both:
        press = "at => void setTimeout(() => document.querySelector('.alarm .primary').click(), at - Date.now())"
        advisor.evaluate(press, at_once)
    for advisor in both:
        expect(advisor.locator(".alarm")).to_have_count(0)
        expect(advisor.locator("main .chat")).to_be_visible()
    states = [until(one, "document.querySelector('.console > .link-notice')?.textContent || 'mine'") for one in both]
    assert sorted(state == "mine" for state in states) == [False, True]
    first, second = sorted(both, key=lambda one: states[both.index(one)] != "mine")
    expect(second.locator(".console > .link-notice")).to_contain_text("顾问在处理访客的警示")
    first.get_by_role("button", name="接入", exact=True).click()
    others = second.get_by_role("region", name="其他顾问接待中")
    expect(others.locator(f'[data-conversation="{conversation}"]')).to_be_visible()
    expect(second.get_by_role("button", name="接入", exact=True)).to_have_count(0)  # who was first has her
    first.get_by_role("button", name="解除警示").click()
    first.get_by_role("button", name="结束", exact=True).click()


def manager(people: People) -> Page:
    page = people.advisor("林店长", "/manager")
    expect(page.locator(".entries li").first).to_be_visible()
    return page


def test_the_manager_writes_an_entry_and_the_assistant_knows_it(people: People) -> None:
    page = manager(people)
    page.get_by_role("button", name="新建").click()
    form = page.locator("dialog form")
    form.get_by_label("问题", exact=True).fill("你们有没有紫色长颈鹿安抚玩偶")
    form.get_by_label("其他问法（每行一个）").fill("紫色长颈鹿玩偶多少钱\n长颈鹿安抚玩偶有货吗")
    form.get_by_label("回答", exact=True).fill("有，紫色长颈鹿安抚玩偶 89 元，徐汇店有货。")
    form.get_by_role("button", name="看看影响").click()
    expect(form.locator("[role=status]")).to_contain_text("过去的 0 个问题 评分不变", timeout=30_000)
    form.get_by_role("button", name="发布").click()
    expect(page.locator("dialog")).to_have_count(0, timeout=30_000)
    page.get_by_role("searchbox").fill("紫色长颈鹿")
    expect(page.locator(".entries li")).to_have_count(1)
    page.get_by_placeholder("试问一句").fill("紫色长颈鹿玩偶多少钱")
    page.get_by_role("button", name="试问").click()
    expect(page.locator(".trial")).to_contain_text("直接回答")
    customer = people.customer()
    write(customer, "紫色长颈鹿玩偶多少钱")
    expect(customer.locator(".message:has(.ai-tag) .bubble").last).to_contain_text("89 元", timeout=20_000)


def test_import_reports_each_bad_row_and_versions_go_back(people: People) -> None:
    page = manager(people)
    rows = [
        {"id": "e2e-1", "question": "导入的问题", "answer": "第一版回答", "category": "shopping"},
        {"id": "e2e-2", "question": "", "answer": "没有问题"},
    ]
    for text in ("第一版回答", "第二版回答"):
        rows[0]["answer"] = text
        content = json.dumps(rows, ensure_ascii=False).encode()
        file = {"name": "k.json", "mimeType": "application/json", "buffer": content}
        page.locator('input[type="file"]').set_input_files([file])
        expect(page.locator("details summary")).to_contain_text("导入 1 条，0 条没有变化，1 条有误")
        expect(page.locator("details li")).to_have_text("第 2 条 (e2e-2)：question 不能为空")
        page.get_by_role("searchbox").fill("")
        page.get_by_role("searchbox").fill(text)
        expect(page.locator(".entries li")).to_have_count(1)
    page.get_by_role("button", name="历史版本").click()
    page.get_by_role("button", name="恢复到第 1 版").click()
    expect(page.locator("dialog")).to_have_count(0)
    page.get_by_role("searchbox").fill("第一版回答")
    expect(page.locator(".entries li")).to_have_count(1)


def test_golden_questions_are_edited_and_scored(people: People) -> None:
    page = manager(people)
    page.get_by_role("button", name="评分趋势", exact=True).click()
    page.get_by_label("客户会怎么问").fill("紫色大象会唱歌吗")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_label("客户会怎么问")).to_have_value("")
    page.get_by_label("客户会怎么问").fill("紫色大象")
    expect(page.locator(".golden li")).to_have_count(1)
    page.get_by_role("button", name="现在评分").click()
    expect(page.locator(".figures dd").first).to_be_visible(timeout=30_000)
    shares = [float(text.rstrip("%")) for text in page.locator(".figures dd").all_inner_texts()]
    assert all(0 <= share <= 100 for share in shares)
    page.get_by_role("button", name="删除").click()
    expect(page.locator(".golden li")).to_have_count(0)


def test_what_a_store_leaves_to_a_person_the_assistant_hands_over(people: People) -> None:
    page = manager(people)
    page.get_by_role("button", name="门店规则", exact=True).click()
    page.get_by_label("门店", exact=True).select_option(label="暖巢母婴·徐汇店")
    page.get_by_role("checkbox", name="睡眠").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_have_text("已保存")
    page.reload()
    expect(page.get_by_role("checkbox", name="喂养")).not_to_be_checked()
    page.get_by_label("门店", exact=True).select_option(label="暖巢母婴·徐汇店")
    expect(page.get_by_role("checkbox", name="睡眠")).to_be_checked()
    customer = people.customer()
    write(customer, "宝宝晚上不肯睡怎么哄")
    expect(customer.locator(".message:has(.ai-tag) .bubble").last).to_contain_text("顾问", timeout=20_000)


def test_the_managers_page_fits_a_phone(people: People) -> None:
    page = manager(people)
    page.get_by_role("button", name="English").click()  # the longer words
    page.set_viewport_size({"width": 360, "height": 740})
    search = page.get_by_role("searchbox").bounding_box()
    assert search is not None
    assert search["width"] >= 160
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_managers_page_is_accessible(people: People) -> None:
    page = manager(people)
    for tab in ("未解决的问题", "评分趋势", "门店规则", "对话", "知识库"):
        page.get_by_role("button", name=tab, exact=True).click()
        if AXE.exists():
            assert violations(page) == []
