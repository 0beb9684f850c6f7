"""Chat over the real WebSocket: ack, order, resume, several devices, advisors."""

from gateway.settings import Settings
from tests.gateway.served import served

MOTHER, ADVISOR, OTHER_STORE = "customer-lili", "advisor-chen", "advisor-zhou"


async def test_a_message_is_acked_shown_to_every_device_and_survives_reconnect(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as phone, s.connect(MOTHER) as tablet:
            ack = await phone.send(conversation, "乐乐几个月可以吃米粉？", nonce="nonce-0001")
            shown = await tablet.event(kind="message.sent", role="customer")
            assert shown["seq"] == ack["seq"]
            assert shown["body"]["text"] == "乐乐几个月可以吃米粉？"
            again = await phone.send(conversation, "乐乐几个月可以吃米粉？", nonce="nonce-0001")
            assert again["seq"] == ack["seq"]
            other = await phone.send(conversation, "别的话", nonce="nonce-0001")
            assert other["code"] == "nonce_conflict"
        async with s.connect(MOTHER, **{conversation: 0}) as phone:
            last = phone.ready["conversations"][conversation]
            await phone.event(seq=last)
            assert phone.seqs(conversation) == list(range(1, last + 1))


async def test_the_assistant_says_what_it_is_and_answers(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER, **{conversation: 0}) as phone:
            greeting = await phone.event(kind="message.sent", role="assistant")
            assert greeting["ai"] is True
            assert "AI" in greeting["body"]["text"]
            ack = await phone.send(conversation, "你们几点关门？")
            answer = await phone.event(kind="message.sent", role="assistant")
            assert answer["seq"] > ack["seq"]
            assert answer["ai"] is True


async def test_advisor_accepts_replies_and_resolves(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as phone, s.connect(ADVISOR) as desk:
            listed = await desk.ask("inbox.watch")
            assert [item["conversation"] for item in listed["items"]] == [conversation]
            await phone.ask("conversation.act", conversation=conversation, act="ask_person")
            changed = await desk.until("inbox.changed")
            assert changed["item"]["state"] == "queued"
            await desk.ask("conversation.open", conversation=conversation, after=0)
            await desk.ask("conversation.act", conversation=conversation, act="accept")
            await phone.event(kind="conversation.assigned")
            await desk.ask("note.add", conversation=conversation, text="老客户，爱问价格")
            hidden = await phone.event(kind="hidden")
            assert "body" not in hidden
            assert hidden["data"] == {}
            await desk.send(conversation, "您好，我是陈顾问。")
            reply = await phone.event(kind="message.sent", role="advisor")
            assert reply["body"]["text"] == "您好，我是陈顾问。"
            await desk.ask("conversation.act", conversation=conversation, act="resolve")
            await phone.event(kind="conversation.resolved")
            await phone.send(conversation, "还有一个问题")
            await desk.event(kind="conversation.reopened")
            assert desk.seqs(conversation) == list(range(1, len(desk.seqs(conversation)) + 1))


async def test_not_yours_looks_like_not_there(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(OTHER_STORE) as desk:
            mine = await desk.ask("history.get", conversation=conversation)
            none = await desk.ask("history.get", conversation="c-" + "0" * 32)
            assert (mine["code"], mine.get("detail")) == (none["code"], none.get("detail")) == ("not_found", "")
