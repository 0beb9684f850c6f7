"""The re-ranker at work: the question's vector within its deadline, the entries' from a cache; else nothing changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import structlog

from gateway.dialogue.embeddings.client import Embeddings, Vector
from gateway.dialogue.embeddings.opinion import weighed
from gateway.dialogue.knowledge import Entry, Found, Hit
from gateway.dialogue.knowledge.retrieval import decided
from gateway.dialogue.llm.budget import Breaker
from gateway.errors import EngineBroken

log = structlog.get_logger()

DEADLINE_S = 0.4
"""What she waits for a second opinion."""
FILL_S = 10.0
"""What the vectors of entries may take; they are fetched beside her question and kept."""
MAX_KEPT = 20_000
WORDINGS = 6

Vectors = Literal["off", "not_needed", "used", "failed"]
"""Whether vectors had a say: not configured · retrieval was sure · they did · too late, broken or nothing to choose."""


def described(entry: Entry) -> str:
    """What of an entry is embedded: how it is asked for, then what it says."""
    return "\n".join([*entry.asked()[:WORDINGS], entry.answer, entry.answer_en])


class Reranker:
    """`reranked` never raises and never takes longer than its deadline."""

    def __init__(self, embeddings: Embeddings, *, deadline_s: float = DEADLINE_S) -> None:
        self._embeddings = embeddings
        self._deadline_s = deadline_s
        self._breaker = Breaker()
        self._kept: OrderedDict[str, Vector] = OrderedDict()
        self._filling: dict[frozenset[str], asyncio.Task[None]] = {}

    async def reranked(self, text: str, hits: Sequence[Hit]) -> Found | None:
        """The candidates weighed once more; None: no opinion (no choice, too late, failing)."""
        clock = asyncio.get_running_loop().time
        if len(hits) < 2 or not self._breaker.closed(clock()):
            return None
        try:
            async with asyncio.timeout(self._deadline_s):
                asked, told = await asyncio.gather(self._asked(text), self._told([hit.entry for hit in hits]))
        except (EngineBroken, TimeoutError) as error:
            self._breaker.report(well=False, now=clock())
            log.warning("no second opinion", why=getattr(error, "detail", "") or type(error).__name__)
            return None
        self._breaker.report(well=True, now=clock())
        if any(len(vector) != len(asked) for vector in told):  # the model behind the address has changed
            self._kept.clear()
            return None
        return weighed(hits, [float(asked @ vector) for vector in told])

    async def _asked(self, text: str) -> Vector:
        return (await self._embeddings.of([text], self._deadline_s))[0]

    async def _told(self, entries: Sequence[Entry]) -> list[Vector]:
        texts = [described(entry) for entry in entries]
        missing = frozenset(texts).difference(self._kept)
        if missing:
            await asyncio.shield(self._fill(missing))
        for text in texts:
            self._kept.move_to_end(text)
        return [self._kept[text] for text in texts]

    def _fill(self, missing: frozenset[str]) -> asyncio.Task[None]:
        """Goes on after a deadline, so that a slow model has the vectors ready the next time."""
        if missing not in self._filling:
            task = asyncio.create_task(self._fetch(missing))
            task.add_done_callback(lambda done: self._filled(missing, done))
            self._filling[missing] = task
        return self._filling[missing]

    async def _fetch(self, missing: frozenset[str]) -> None:
        texts = sorted(missing)
        vectors = await self._embeddings.of(texts, FILL_S)
        self._kept.update(zip(texts, vectors, strict=True))
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def _filled(self, missing: frozenset[str], done: asyncio.Task[None]) -> None:
        self._filling.pop(missing, None)
        if not done.cancelled() and (error := done.exception()):
            log.info("entries without vectors", why=getattr(error, "detail", type(error).__name__))


async def found_with(reranker: Reranker | None, text: str, hits: Sequence[Hit]) -> tuple[Found, Vectors]:
    """What is found among the candidates `hits` of `text`: retrieval's own finding, and a second opinion where it is
    not sure. The one path for the live assistant, a manager's try and `nestcall evaluate`."""
    found = decided(hits)
    if reranker is None:
        return found, "off"
    if found.decision == "answer":
        return found, "not_needed"
    second = await reranker.reranked(text, hits)
    return (second, "used") if second else (found, "failed")
