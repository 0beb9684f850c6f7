"""The second opinion: helps where retrieval is not sure, is never in its way, and breaks without being noticed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.commands.evaluate import read_questions
from gateway.dialogue import safety
from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.embeddings import Embeddings, Reranker, found_with
from gateway.dialogue.embeddings.opinion import weighed
from gateway.dialogue.embeddings.reranker import described
from gateway.dialogue.knowledge import Entry, Hit, Knowledge
from gateway.dialogue.knowledge.calibration import ANSWER, CLARIFY
from gateway.dialogue.library import Library
from gateway.dialogue.ports import Closing
from gateway.dialogue.tools import Desk
from gateway.dialogue.tools.own import OwnShop
from gateway.errors import EngineBroken
from gateway.settings import Settings
from gateway.store.engine import Store
from tests.dialogue.conftest import ask
from tests.fakes.embeddings_server import EmbeddingsServer, embeddings_server

BASE = Knowledge(
    [
        Entry("lid", "杯盖打不开怎么办", "用热水冲一下杯盖再拧。"),
        Entry("leak", "杯子漏水怎么办", "检查密封圈有没有装反。"),
        Entry("smell", "杯子有异味怎么办", "用小苏打泡一晚。"),
    ]
)
UNSURE = "杯子出毛病了怎么弄"
FAILING = ("hang", "429", "garbage", "short", "zero", "nan", "huge")


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingsServer]:
    async with embeddings_server() as started:
        started.keywords = ("漏水", "异味", "打不开")
        yield started


@pytest.fixture
def reranker(server: EmbeddingsServer) -> Reranker:
    return Reranker(Embeddings(server.url, "key", "bge"), deadline_s=0.5)


async def test_vectors_come_in_order_and_of_length_one(server: EmbeddingsServer) -> None:
    one, other = await Embeddings(server.url + "/v1/", "secret", "bge").of(["漏水了", "有异味"], 2.0)
    assert one.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert other.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert server.asked[0]["model"] == "bge"
    assert server.keys == ["Bearer secret"]


@pytest.mark.parametrize("mode", FAILING)
async def test_anything_else_is_broken_and_means_no_opinion(
    server: EmbeddingsServer, reranker: Reranker, mode: str
) -> None:
    server.mode = mode
    with pytest.raises(EngineBroken):
        await Embeddings(server.url, "", "bge").of(["漏水", "异味"], 0.3)
    assert await reranker.reranked(UNSURE, BASE.candidates(UNSURE)) is None


async def test_entries_are_embedded_once(server: EmbeddingsServer, reranker: Reranker) -> None:
    hits = BASE.candidates(UNSURE)
    await reranker.reranked(UNSURE, hits)
    await reranker.reranked("杯子里的水一直漏水", hits)
    texts = [text for body in server.asked for text in body["input"]]
    assert sorted(texts) == sorted({UNSURE, "杯子里的水一直漏水", *(described(hit.entry) for hit in hits)})


async def test_it_is_told_whether_vectors_had_a_say(server: EmbeddingsServer, reranker: Reranker) -> None:
    sure = "杯盖打不开怎么办"
    assert await found_with(None, UNSURE, BASE.candidates(UNSURE)) == (BASE.search(UNSURE), "off")
    assert await found_with(reranker, sure, BASE.candidates(sure)) == (BASE.search(sure), "not_needed")
    assert (await found_with(reranker, UNSURE, BASE.candidates(UNSURE)))[1] == "used"
    server.mode = "429"
    assert await found_with(reranker, UNSURE, BASE.candidates(UNSURE)) == (BASE.search(UNSURE), "failed")


async def test_slow_entry_vectors_are_ready_the_next_time(server: EmbeddingsServer) -> None:
    reranker = Reranker(Embeddings(server.url, "", "bge"), deadline_s=0.1)
    hits, server.mode = BASE.candidates(UNSURE), "slow_entries"
    assert await reranker.reranked(UNSURE + "漏水", hits) is None
    filling = list(reranker._filling.values())
    server.release.set()
    await asyncio.gather(*filling)
    found = await reranker.reranked(UNSURE + "漏水", hits)
    assert found is not None
    assert found.hits[0].entry.id == "leak"


async def test_a_failing_model_is_left_alone(server: EmbeddingsServer, reranker: Reranker) -> None:
    server.mode = "429"
    for _ in range(10):
        await reranker.reranked(UNSURE, BASE.candidates(UNSURE))
    asked = sum(body["input"] == [UNSURE] for body in server.asked)
    assert asked == 3


def hits(*confidences: float, sensitive: bool = False) -> list[Hit]:
    return [Hit(Entry(f"e{n}", "问", "答", sensitive=sensitive), c) for n, c in enumerate(confidences)]


@pytest.mark.parametrize(
    ("given", "cosines", "first", "confidence", "decision"),
    [
        (hits(0.5, 0.2, 0.1), (0.9, 0.6, 0.5), "e0", ANSWER, "answer"),  # both witnesses: sure
        (hits(0.1, 0.1), (0.9, 0.6), "e0", CLARIFY, "clarify"),  # words had given up: asks, does not answer
        (hits(0.5, 0.2), (0.6, 0.9), "e1", CLARIFY, "clarify"),  # they disagree
        (hits(0.5, 0.2), (0.90, 0.88), "e0", 0.5, "clarify"),  # vectors cannot tell: the words decide
        (hits(0.5, 0.2, sensitive=True), (0.9, 0.6), "e0", CLARIFY, "clarify"),  # never sure of a sensitive topic
    ],
)
def test_two_witnesses(
    given: list[Hit], cosines: tuple[float, ...], first: str, confidence: float, decision: str
) -> None:
    found = weighed(given, cosines)
    assert (found.hits[0].entry.id, found.hits[0].confidence, found.decision) == (first, confidence, decision)
    assert all(hit.confidence <= found.hits[0].confidence for hit in found.hits)


async def test_the_assistant_asks_only_where_retrieval_is_not_sure(store: Store, server: EmbeddingsServer) -> None:
    library = Library(store)
    reranker = Reranker(Embeddings(server.url, "", "bge"))
    assistant = Assistant(library, safety, Desk(OwnShop(store)), reranker=reranker)
    plain = Assistant(library, safety, Desk(OwnShop(store)))
    assert (await ask(assistant, "奶瓶怎么消毒")).decision == "answer"
    assert not server.asked
    unsure, before = await first_clarified(plain)
    meant = before.choices[1].text  # the second of its guesses
    server.vector = lambda text: [1.0, 0.0] if text == unsure or meant in text else [0.0, 1.0]  # type: ignore[method-assign]
    assert (await ask(assistant, unsure)).choices[0].text == meant
    server.mode = "429"
    assert (await ask(assistant, unsure)).text == before.text
    library.close()


async def first_clarified(assistant: Assistant) -> tuple[str, Closing]:
    """A golden question that retrieval is not sure of (which one depends on the calibration), and what it says."""
    for asked in read_questions(None)[0]:
        if "en" in asked.tags:
            continue
        closing = await ask(assistant, asked.question)
        if closing.decision == "clarify" and len(closing.choices) > 2 and closing.sources == () and not closing.tools:
            return asked.question, closing
    raise AssertionError("nothing is unsure")


async def test_doctor_tells(server: EmbeddingsServer) -> None:
    from gateway import diagnosis

    def settings(url: str) -> Settings:
        return Settings(_env_file=None, embeddings_url=url, embeddings_model="bge")  # type: ignore[call-arg]

    assert (await diagnosis.embeddings(settings(""))).level == "ok"
    well = await diagnosis.embeddings(settings(server.url))
    assert (well.level, well.what.split(" · ")[:2]) == ("ok", ["bge", "4 numbers"])
    server.mode = "429"
    assert (await diagnosis.embeddings(settings(server.url))).level == "weak"
