"""The ladder: what comes before what, and why a person is called."""

import pytest

from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.intents import Intent, chosen, intent
from gateway.dialogue.phrases import phrase
from gateway.dialogue.ports import HandoffReason, Said
from tests.dialogue.conftest import ask


async def test_a_question_is_answered_with_its_source(assistant: Assistant) -> None:
    closing = await ask(assistant, "十公斤穿多大尿不湿")
    assert (closing.decision, closing.sources[0].id) == ("answer", "diaper-size-weight")


async def test_english_is_answered_in_english(assistant: Assistant) -> None:
    closing = await ask(assistant, "how long does breast milk keep in the fridge", language="en")
    assert "4 days" in closing.text


async def test_a_red_flag_comes_before_everything(assistant: Assistant) -> None:
    closing = await ask(assistant, "转人工,宝宝抽搐了,推车多少钱")
    assert closing.decision == "red_flag"
    assert closing.handoff is HandoffReason.RED_FLAG
    assert closing.tel == "120"
    assert closing.sources == ()


async def test_a_fever_without_an_age_is_asked_for_once(assistant: Assistant) -> None:
    first = await ask(assistant, "宝宝发烧38度5", baby_age_days=())
    assert first.decision == "clarify"
    again = await ask(assistant, "宝宝发烧38度5", baby_age_days=(), history=(Said("assistant", first.text),))
    assert again.text != first.text


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "我要找真人",
        "能不能换个人跟我说",
        "人工客服在吗",
        "不想跟机器人聊",
        "帮我接通顾问",
        "叫你们店长来",
        "可以让顾问联系我吗",
        "I want to talk to a real person",
        "connect me with an advisor",
        "human please",
        "stop, no more bot",
        "can someone from staff help me, get me a representative",
        "有没有懂行的人能跟我说说",
        "能不能找个真人跟我说",
        "可不可以叫个客服",
        "要不要这么麻烦,给我找客服",
        "叫你们负责人",
        "给我接个人",
        "麻烦喊一下你们小姐姐",
        "有专人吗",
        "你们的育儿师在吗",
        "转一下",
        "人工人工人工",
        "can a human being help me here",
        "is there anybody real I can talk to",
        "put a person on",
        "I'd rather deal with someone in the shop",
        "you are a robot, I want your colleague",
    ],
)
def test_asking_for_a_person_in_any_wording(text: str) -> None:
    assert intent(text) is Intent.PERSON


@pytest.mark.parametrize(
    "text",
    [
        "宝宝认人怎么办",
        "不用转人工,我就问下尺码",
        "人工喂养要注意什么",
        "奶瓶怎么消毒",
        "how many people may come along",
        "is a personal data page there",
        "我想找一款真人发声的玩具",
        "这个玩具像真人一样会说话吗",
        "积分能转给家人吗",
        "请问你们店长推荐哪款",
        "我想要预约顾问视频",
        "孩子滚来滚去睡不好",
        "这个垃圾桶多少钱",
        "妈妈的衣服多少钱",
        "sorry if this is a stupid question",
        "I want to give someone a gift card",
        "is the nanny course for real people",
    ],
)
def test_a_question_is_not_a_wish_for_a_person(text: str) -> None:
    assert intent(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你是真人吗", Intent.HUMAN),
        ("are you a robot?", Intent.HUMAN),
        ("你们就是骗子", Intent.ANGRY),
        ("this is ridiculous", Intent.ANGRY),
        ("你好", Intent.GREETING),
        ("谢谢啦", Intent.THANKS),
        ("好的", Intent.THANKS),
        ("你们真让人失望", Intent.ANGRY),
        ("什么态度啊", Intent.ANGRY),
        ("等了一个小时没人理", Intent.ANGRY),
        ("this is a joke, I've been waiting for ages", Intent.ANGRY),
        ("I am so angry", Intent.ANGRY),
        ("我不要人工", Intent.STAY),
        ("don't transfer me", Intent.STAY),
        ("再见", Intent.BYE),
    ],
)
def test_small_talk_and_anger(text: str, kind: Intent) -> None:
    assert intent(text) is kind


async def test_it_says_honestly_that_it_is_no_person(assistant: Assistant) -> None:
    assert "AI" in (await ask(assistant, "你是真人还是机器人")).text


async def test_two_misses_call_a_person(assistant: Assistant) -> None:
    first = await ask(assistant, "比特币现在多少")
    assert (first.decision, first.handoff) == ("clarify", None)
    second = await ask(assistant, "比特币现在多少", misses=1)
    assert second.handoff is HandoffReason.TWO_MISSES


async def test_a_dose_is_never_answered(assistant: Assistant) -> None:
    closing = await ask(assistant, "八个月吃布洛芬多少毫升")
    assert closing.handoff is HandoffReason.SENSITIVE


async def test_outside_hours_it_says_so_and_offers_what_can_be_done(assistant: Assistant) -> None:
    closing = await ask(assistant, "转人工", within_hours=False)
    assert closing.handoff is HandoffReason.ASKED
    assert [choice.id for choice in closing.choices] == ["callback", "appointment"]
    for choice in closing.choices:  # what is offered can be tapped
        assert (await ask(assistant, choice.text, within_hours=False)).tools


async def test_a_spoken_choice_is_the_line_that_was_read_aloud(assistant: Assistant) -> None:
    offered = "您是想问:\n1. 奶瓶怎么消毒?\n2. 可以七天无理由退货吗?"
    closing = await ask(assistant, "第二个", history=(Said("assistant", offered),))
    assert closing.sources[0].id == "return-policy"
    assert chosen("the first one", offered) == "奶瓶怎么消毒?"
    assert chosen("第三个", offered) is None
    assert chosen("3", offered, ("a", "b", "转人工顾问")) == "转人工顾问"  # offered as a button only


async def test_keys_choose_what_was_offered_call_a_person_and_are_no_question(assistant: Assistant) -> None:
    closed = await ask(assistant, "转人工", within_hours=False, channel="voice")
    offered = (Said("assistant", closed.text, choices=tuple(choice.text for choice in closed.choices)),)
    assert (await ask(assistant, "1", channel="voice", history=offered)).tools == ("callback",)
    assert (await ask(assistant, "2", channel="voice", history=offered)).tools == ("book_appointment",)
    person = (Said("assistant", "换个说法？", choices=("转人工顾问",)),)
    for history, key in ((offered, "0"), (person, "1")):
        assert (await ask(assistant, key, channel="voice", history=history)).handoff is HandoffReason.ASKED
    for language, key in (("zh", "7"), ("en", "138001")):
        assert (await ask(assistant, key, channel="voice", language=language)).text == phrase("keys", language)


async def test_infant_formula_is_never_pushed(assistant: Assistant) -> None:
    for text in ("一段奶粉打折吗", "奶不够推荐一款奶粉", "哪个奶粉最接近母乳"):
        closing = await ask(assistant, text)
        assert "母乳是宝宝最好的食物" in closing.text or closing.decision != "answer", text
