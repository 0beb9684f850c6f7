"""Red flags: what fires, what nearly does, and that nothing from outside can stop the check."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.dialogue.ports import Action
from gateway.dialogue.safety import age_question, check, facts, question, red_flag_text, tel_of
from gateway.dialogue.safety.check import flagged
from gateway.dialogue.safety.normal import counted, plain
from gateway.dialogue.safety.tables import table

FIRES = [
    ("S01", ["宝宝满月烧到三十八度五"], None),
    ("S01", ["6 weeks old, temp 100.6F"], None),
    ("S01", ["7 weeks, 39.1, had his jabs a fortnight ago so it won't be those"], None),
    ("S01", ["两个月，38.4，疫苗是半个月前打的"], None),
    ("S03", ["我姐家宝宝现在抽了"], None),
    ("S04", ["一分钟喘七十下"], 20),
    ("S06", ["嘴巴那圈颜色不对 发青"], None),
    ("S07", ["怎么拍都没反应"], None),
    ("S15", ["he swallowed the little battery from the remote"], None),
    ("S22", ["宝宝身体软得像面条"], None),
    ("M1", ["有时候想把他扔出去"], None),
]
QUIET = [
    "退烧贴有货吗",
    "38度恒温壶多少钱",
    "系统抽风了",
    "紫色衣服有吗",
    "磁力片玩具安全吗",
    "他3岁了发烧38.5精神好",
    "累死了 要跳楼哈哈",
]

BESIDE = [
    ("S17", "药吃多了 搞错了 应该是半毫升"),
    ("S17", "吃了过期的降压药 孩子自己翻出来的"),
    ("S17", "she drank the bleach, I found the bottle empty"),
    ("S15", "电池不见了 沙发底找到了两颗 还有一颗找不到 娃刚才在嚼东西"),
    ("S03", "拍了视频给你看 孩子刚才抽了"),
    ("S03", "the parcel arrived. my baby just had a seizure"),
    ("S07", "can i get same day delivery, he won't wake up for his feed"),
    ("S16", "he stopped breathing, turns out he choked on a grape"),
    ("S18", "hot water in the bath tub, his skin is peeling off"),
    ("M1", "群里人都睡了 我不想活了"),
]


@pytest.mark.parametrize(("sign", "turns", "age"), FIRES)
def test_a_sign_fires(sign: str, turns: list[str], age: int | None) -> None:
    flag = check(turns, age)
    assert flag is not None
    assert flag.sign == sign


@pytest.mark.parametrize(("sign", "text"), BESIDE)
def test_an_innocent_word_beside_a_danger_explains_nothing_away(sign: str, text: str) -> None:
    flag = flagged([text], None)
    assert flag is not None
    assert flag.sign == sign


SHOP_TALK = "你们家的婴儿推车多少钱,有优惠吗,能包邮吗,什么时候发货,我想要灰色的那款,"


@pytest.mark.parametrize(
    "text",
    [
        "宝宝抽搐了",
        "没呼吸了!!!怎么做心肺复苏",
        "Hi do you have size 3 diapers? My baby is not breathing",
        "what time do you close, is the buggy on sale, do you gift wrap, can i use my points, also he is unconscious",
        f"{SHOP_TALK}对了宝宝嘴唇发紫叫不醒",
        f"宝宝嘴唇发紫叫不醒。{SHOP_TALK}",
    ],
)
def test_the_learned_layer_takes_back_no_short_cry_and_none_among_shop_talk(text: str) -> None:
    flag = check([text], None)
    assert flag is not None
    assert flag.action is Action.CALL_120


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("he come out 19 days ago", 19),
        ("only just smiling, born ten weeks ago", 70),
        ("she'll be eleven weeks on sunday", 77),
        ("my girl's nine weeks", 63),
        ("isn't three months yet and hot", 89),
        ("completed one and half month yesterday", 30),
        ("not slept in three weeks", None),
        ("四十来天吧", 40),
        ("一百多天了", 100),
        ("六十几天", 60),
    ],
)
def test_an_age_is_read_as_mothers_say_it(text: str, days: int | None) -> None:
    assert facts.age(counted(plain(text)), None) == days


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("a hundred and one point four on the thermometer", 38.56),
        ("fever thirty eight five before milk", 38.5),
        ("its thirty nine dead on the thermometer", 39.0),
        ("fever of 38 and a half", 38.5),
    ],
)
def test_a_temperature_is_read_as_mothers_say_it(text: str, celsius: float) -> None:
    assert [measure.value for measure in facts.temperatures(counted(plain(text)))] == [celsius]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("从早上五点到下午三点", [10]),
        ("早上七点换的那张,到下午四点还没湿", [9]),
        ("昨晚八点睡前换的,早上九点拿下来跟新的一样", [13]),
        ("由朝早六点到而家下昼四点", [10]),
        ("since 2 am and it is noon", [10]),
        ("wet one at eight last night, nothing by ten this morning", [14]),
        ("last wet one at 7 at bedtime, it's half nine in the morning", [14]),
    ],
)
def test_hours_are_read_from_two_clock_times(text: str, hours: list[float]) -> None:
    assert [span.value for span in facts.spans(counted(plain(text)))] == hours


INDIRECT = [
    ("S07", "her arm just drops when i lift it and she doesn't stir for a nappy change"),
    ("S07", "胳膊提起来一松手就啪嗒掉下去"),
    ("S14", "骨碌了整整一层楼梯,玩得挺欢"),
    ("S15", "音乐贺卡拆烂了,里头银色扣子大那个没了"),
    ("S17", "外公的药板空了两格,娃嘴边有白粉"),
    ("S21", "脱了袜子看,脚掌金黄的"),
    ("S23", "a scooter caught the pram and it went over, he looks fine"),
    ("M1", "都想好了,就今晚,信压枕头底下了"),
    ("M1", "she says she will walk in front of the train"),
]
NOT_OF_A_CHILD = [
    "布娃娃手脚软趴趴的站不住",
    "风扇转速每分钟60下",
    "捂脸笑,今天又被儿子逗得捂住嘴不敢笑",
    "我猫儿子今天吐了一滩黄水",
    "意外险条款里头溺水、触电、窒息都写了",
    "can't wake up without coffee",
    "别劝我了,我就要粉色的",
    "都想好了,今晚下单",
    "带着宝宝一起去迪士尼,推车能折叠上飞机吗",
    "left a note by the cot for the nanny",
    "we were in the shop, van clipped the empty pram",
]


@pytest.mark.parametrize(("sign", "text"), INDIRECT)
def test_the_tables_know_a_danger_told_by_what_it_does(sign: str, text: str) -> None:
    flag = flagged([text], None)
    assert flag is not None
    assert flag.sign == sign


@pytest.mark.parametrize("text", NOT_OF_A_CHILD)
def test_the_tables_know_a_thing_a_pet_and_a_figure_of_speech(text: str) -> None:
    assert flagged([text], None) is None


@pytest.mark.parametrize(
    "turns",
    [
        ["客服你好,退热贴两个月能用吗,他38度1,照样笑"],
        ["toppled down the stairs, twelve steps, babbling happily now, does arnica cream work on babies"],
    ],
)
def test_no_harmless_word_takes_back_what_a_number_says(turns: list[str]) -> None:
    assert check(turns, None) is not None


CRIES = {
    ("顺便问下奶粉优惠", "你们推车多少钱", "转人工"): (
        *("宝宝没呼吸了", "宝宝噎住了", "宝宝抽搐了", "嘴唇发紫", "叫不醒了", "吞了纽扣电池"),
    ),
    ("and whats the price of the pram", "can i swap my points"): (
        *("he is choking", "she stopped breathing", "baby is having a seizure", "his lips are blue"),
    ),
}
BESIDE = [(asked, cry) for book, cries in CRIES.items() for asked in book for cry in cries]


@pytest.mark.parametrize(("asked", "cry"), BESIDE)
def test_what_else_she_asks_in_the_same_breath_makes_a_cry_no_smaller(asked: str, cry: str) -> None:
    for text in (f"{cry},{asked}", f"{asked},{cry}", f"{asked},{cry},{asked}"):
        flag = check([text], None)
        assert flag is not None, text
        assert flag.action is Action.CALL_120, text


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("宝宝抽处了", "宝宝抽搐了"),
        ("扭扣电池", "纽扣电池"),
        ("最近觉得他瘦了", "最近觉得他瘦了"),  # 近觉 sounds like 惊厥
        ("孩子电动车", "孩子电动车"),  # 子电 like 紫癜
        ("新门店在哪", "新门店在哪"),  # 新门 like 囟门, and shares its 门
    ],
)
def test_a_key_term_is_mended_where_it_is_misspelt_and_nowhere_else(said: str, read: str) -> None:
    assert plain(said) == read


@pytest.mark.parametrize("age_days", [None, 10, 200])
@pytest.mark.parametrize(
    "text", ["2", "好的", "最近觉得宝宝瘦了", "孩子电话手表有吗", "won't be put down and i've dinner to cook"]
)
def test_ordinary_talk_is_quiet_whatever_the_card_says(text: str, age_days: int | None) -> None:
    assert check([text], age_days) is None


def test_a_fever_of_an_age_nobody_hinted_at_is_asked_about_not_guessed() -> None:
    assert check(["宝宝发烧38度5"], None) is None
    assert question(["宝宝发烧38度5"], None) == "needs_age"


def test_a_question_before_a_cry_makes_it_no_smaller() -> None:
    assert check(["奶粉多少钱", "宝宝抽搐了,翻白眼"], None) is not None


def test_the_learned_layer_takes_back_an_alarm_of_the_tables() -> None:
    turns = ["i hear voices on the baby monitor, its picking up next doors one, how do i change channel"]
    assert flagged(turns, None) is not None
    assert check(turns, None) is None


@pytest.mark.parametrize("text", QUIET)
def test_what_nearly_touches_a_sign_is_quiet(text: str) -> None:
    assert check([text], None) is None


def test_age_and_fever_join_across_turns() -> None:
    assert check(["宝宝今天20天", "晚上量了三十八度二"], None) is not None
    assert check(["晚上量了三十八度二"], 20) is not None
    assert check(["晚上量了三十八度二"], 400) is None


def test_the_age_is_asked_for_only_when_it_decides() -> None:
    assert question(["宝宝发烧了"], None) == "needs_age"
    assert question(["宝宝发烧了"], 400) is None
    assert question(["尿不湿多少钱"], None) is None


def test_every_action_has_its_fixed_words() -> None:
    for sign, turns, age in FIRES:
        flag = check(turns, age)
        assert flag is not None, sign
        for language in ("zh", "en"):
            text = red_flag_text(flag, language)
            assert "观察" not in text
            assert ("120" if flag.action != Action.HUMAN_NOW else "12356") in text
        assert tel_of(flag) in {"120", "12356"}
    assert "大" in age_question("zh")


def test_what_chinese_readers_are_told_has_chinese_punctuation() -> None:
    told = [text for name in ("texts", "drafts") for text in chinese(table(name))]
    assert len(told) > 18
    for text in told:
        assert re.findall(r"[,;:?!()]", text) == [], text


def chinese(node: Any) -> Iterator[str]:
    """Every sentence under a key `zh`, however deep."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from [inner] if key == "zh" and isinstance(inner, str) else chinese(inner)
