"""Retrieval: what it finds, what it leaves alone, and laws that hold for any knowledge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.topics import TARGET, compiled
from gateway.dialogue.knowledge import Entry, Knowledge
from gateway.dialogue.knowledge.index import analyse
from gateway.dialogue.knowledge.kinds import kinds
from gateway.dialogue.knowledge.spelling import Speller
from gateway.dialogue.knowledge.topics import read_tables, shop_topics, topics
from gateway.store.knowledge import demo_entries


@pytest.fixture(scope="module")
def demo() -> Knowledge:
    return Knowledge(demo_entries())


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("十公斤穿多大尿不湿", "diaper-size-weight"),
        ("尿布失多大马合适", "diaper-size-weight"),
        ("how long can I keep pumped milk", "milk-storage"),
        ("怎么给瓶子杀菌", "sterilise"),
        ("生日有啥福利", "birthday"),  # benefits are no discount, a party is no present
        ("奶瓶多久换", "bottle-replace"),  # not the teat, of which the same is asked
        ("退货要几天退款", "refund-time"),  # to give back and to be paid back are two things
        ("打完针有点烧正常吗", "vaccine-after"),  # what makes a question is no topic
        ("how long until i get my money back", "refund-time"),
    ],
)
def test_a_question_in_other_words_finds_its_entry(demo: Knowledge, question: str, entry: str) -> None:
    assert demo.search(question).hits[0].entry.id == entry


@pytest.mark.parametrize(
    "question",
    [
        "今天股票涨了吗",
        "今天天气怎么样",
        "明天会下雨吗",
        "你们招人吗",
        "帮我写一首诗",
        "what's the capital of France",
        "!!!",
        "",
    ],
)
def test_what_the_shop_does_not_know_is_not_answered(demo: Knowledge, question: str) -> None:
    assert demo.search(question).decision == "handoff"


def test_a_sale_is_not_the_other_sale(demo: Knowledge) -> None:
    assert demo.search("双十二满减活动").hits[0].entry.id == "double12"
    assert demo.search("双十一满减活动").decision != "answer"


def test_another_stores_entry_and_an_expired_one_are_never_found() -> None:
    north = Entry("north", "停车场在哪", "北门", store="n")
    old = Entry("old", "双十一满减", "满300减50", valid_from="2026-11-01", valid_to="2026-11-11")
    knowledge = Knowledge([north, old])
    assert [h.entry.id for h in knowledge.search("停车场在哪", "n", "2026-11-05").hits][:1] == ["north"]
    assert not knowledge.search("停车场在哪", "s", "2026-11-05").hits
    assert knowledge.search("双十一满减", "n", "2026-11-11").hits[0].entry.id == "old"
    assert "old" not in [h.entry.id for h in knowledge.search("双十一满减", "n", "2026-11-12").hits]


words = st.text(st.sampled_from("宝奶尿不湿推车退货 abc12个月"), min_size=1, max_size=12)


@given(st.lists(words, min_size=1, max_size=8), words)
def test_confidences_are_ordered_probabilities_for_any_knowledge(questions: list[str], asked: str) -> None:
    knowledge = Knowledge([Entry(f"e{i}", q, "好") for i, q in enumerate(questions)])
    confidences = [hit.confidence for hit in knowledge.search(asked).hits]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= value <= 1 for value in confidences)


@given(words, words)
def test_the_same_knowledge_answers_the_same(question: str, asked: str) -> None:
    entries = [Entry("a", question, "好"), Entry("b", "推车怎么选", "试推")]
    assert Knowledge(entries).search(asked) == Knowledge(entries).search(asked)


SHOP = Knowledge(
    [
        Entry("stroller", "How do I fold the stroller?", "Press both buttons and push the handle down."),
        Entry("weight", "What is the weight limit of the high chair?", "15 kg."),
        Entry("receipt", "Can I return something without a receipt?", "Yes, for store credit."),
        Entry("price", "How much is the car seat?", "199 dollars."),
        Entry("fit", "How do I install the car seat?", "With ISOFIX."),
    ]
)


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ("how to fold teh strolller", "stroller"),
        ("wait limit of the high chair", "weight"),  # heard, not typed
        ("i lost my reciept can i retrun it", "receipt"),
        ("how much does the carseat cost", "price"),
        ("how can i fit the carseat", "fit"),
    ],
)
def test_english_misspelt_or_misheard(asked: str, id: str) -> None:
    assert SHOP.search(asked).hits[0].entry.id == id


@pytest.mark.parametrize(
    ("word", "mended"),
    [
        ("strolller", ("stroller",)),
        ("retrun", ("return",)),  # two letters exchanged are one edit
        ("carseat", ("car", "seat")),
        ("cat", ("cat",)),  # too short to be sure
        ("zebra", ("zebra",)),
    ],
)
def test_spelling(word: str, mended: tuple[str, ...]) -> None:
    assert Speller(["stroller", "return", "car", "seat", "chat"]).mended(word) == mended


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("尿不湿多少钱一包", "price"),
        ("how soon will it get here", "how_long"),
        ("推车的轮子卡住了", "broken"),
        ("可以带狗进店吗", "may"),
        ("where are you located", "where"),
    ],
)
def test_what_kind_of_thing_is_asked_for(text: str, kind: str) -> None:
    assert kind in kinds(text)


BABY = Knowledge(
    [
        Entry("return", "What is your returns policy?", "Within 30 days."),
        Entry("stage", "When do I move to stage 2?", "From six months."),
        Entry("swim", "婴儿游泳怎么预约", "小程序预约"),
        Entry("lactation", "How do I see the breastfeeding expert?", "On Tuesdays."),
    ]
)


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ("latching is agony, who can look at it", "lactation"),
        ("想带娃去扑腾水", "swim"),
    ],
)
def test_a_topic_finds_an_entry_that_shares_no_word(asked: str, id: str) -> None:
    assert BABY.search(asked).hits[0].entry.id == id


@pytest.mark.parametrize(
    ("text", "ours"), [("股票涨了没", False), ("tell me a joke please", False), ("几段奶粉", True)]
)
def test_what_is_nothing_of_the_shops_is_told_apart(text: str, ours: bool) -> None:
    known = shop_topics()
    assert (known.foreign(known.of(analyse(text))) < 0.5) is ours


def test_a_text_without_a_known_term_has_no_topic() -> None:
    two = topics([[analyse("bottle").terms], [analyse("鞋子").terms]])
    assert not two.of(analyse("sleep")).any()
    assert two.of(analyse("bottle bottle")).tolist() == [1.0, 0.0]
    assert two.of(analyse("鞋子")).tolist() == [0.0, 1.0]


def test_the_compiled_topics_are_those_of_the_tables() -> None:
    """Else: `make topics`."""
    told = compiled(read_tables())
    with np.load(TARGET) as kept:
        assert all((kept[name] == array).all() for name, array in told.items())
