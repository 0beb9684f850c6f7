"""The teaching loop: what went unanswered becomes a row for the manager; what she publishes is judged first."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_hex

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.dialogue.intents import intent
from gateway.dialogue.knowledge import Entry
from gateway.dialogue.teaching import Preview, answered_by, changed, cluster_of, preview
from gateway.errors import NestcallError
from gateway.hub import Hub
from gateway.store import knowledge, log, teaching
from gateway.store.engine import Store
from gateway.store.teaching import Noted
from signaling.protocol import Event, EventKind, SpeechBody, TextBody, VoiceBody

MAX_WAITING = 1_000
"""Events to look at. Overflow: the newest is let go; teaching never holds up the chat."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did, or (no entries) why it wants confirmation."""

    entries: tuple[Entry, ...]
    judged: Preview


class Teaching:
    """`run` is a loop of the gateway; the rest is asked by the manager's pages."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._seen: asyncio.Queue[Event] = asyncio.Queue(MAX_WAITING)
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="teaching")
        """Judging takes seconds of CPU: not on the loop, and not on the executor that encodes media."""
        hub.taps.append(self.heard)

    def heard(self, event: Event) -> None:
        """Answers of the assistant, words of an advisor, thumbs."""
        if event.kind in (EventKind.MESSAGE_SENT, EventKind.FEEDBACK_GIVEN) and not self._seen.full():
            self._seen.put_nowait(event)

    async def run(self) -> None:
        while True:
            event = await self._seen.get()
            try:
                await self.learn(event)
            except NestcallError as error:
                logger.warning("not noted", conversation=event.conversation, seq=event.seq, code=str(error.code))

    async def learn(self, event: Event) -> None:
        """One event: a row, a draft, or nothing."""
        if event.kind == EventKind.MESSAGE_SENT and event.role in ("advisor", "manager"):
            if isinstance(event.body, TextBody):
                await self._propose(event, event.body.text)
        elif why := reason(event):
            await self._note(event, why)

    async def _propose(self, event: Event, text: str) -> None:
        async with self._store.read() as connection:
            open_ = await teaching.asked_before(connection, event.conversation, event.seq)
        if id := await asyncio.get_running_loop().run_in_executor(self.thread, answered_by, text, open_):
            await self._store.write(lambda c: teaching.propose(c, id, text))

    async def _note(self, event: Event, why: str) -> None:
        async with self._store.read() as connection:
            question = await asked(connection, event)
            if question is None:
                return
            state = await log.find(connection, event.conversation)
            chain = await knowledge.chain_of(connection, state.store)
            known = await teaching.open_questions(connection, chain, limit=300)
        seq, text = question
        loop = asyncio.get_running_loop()
        cluster = await loop.run_in_executor(self.thread, cluster_of, text, known) or f"k-{token_hex(6)}"
        noted, at = Noted(event.conversation, seq, text, why, str(event.data.get("comment", ""))), clock.now()
        await self._store.write(lambda c: teaching.note(c, chain, noted, cluster, at))

    # ------------------------------------------------------------ publishing

    async def judge(self, chain: str, new: Sequence[Entry], without: str | None = None) -> Preview:
        """What publishing the new entries (or withdrawing `without`) would change."""
        async with self._store.read() as connection:
            before = await knowledge.published(connection, chain)
            golden = teaching.as_questions(await teaching.golden(connection, chain))
            past = [text for _, text in await teaching.open_questions(connection, chain, limit=300)]
        after = [one for one in changed(before, new) if one.id != without]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, preview, before, after, golden, past)

    async def publish(
        self, chain: str, new: Sequence[Entry], by: str, *, confirmed: bool, cluster: str | None = None
    ) -> Published:
        """Publish each entry as its next version, unless they lower the golden score and nobody confirmed that."""
        judged = await self.judge(chain, new)
        if judged.worse and not confirmed:
            return Published((), judged)

        async def job(connection: AsyncConnection) -> list[Entry]:
            at = clock.now()
            done = await knowledge.publish(connection, chain, new, by, at)
            if cluster:
                await teaching.settle(connection, chain, cluster, "answered", done[0].id)
            if judged.after:
                await teaching.add_score(connection, chain, dict(judged.after), at)
            return done

        return Published(tuple(await self._store.write(job)), judged)


def reason(event: Event) -> str | None:
    """Why this event means that something went unanswered."""
    if event.kind == EventKind.FEEDBACK_GIVEN:
        return {"down": "thumbs_down", "complaint": "complaint"}.get(event.data.get("verdict", ""))
    if event.role != "assistant" or "answers" not in event.data:
        return None
    decision, confidence = event.data.get("decision"), event.data.get("confidence", 0.0)
    if decision == "handoff":
        return "handoff"
    if decision != "clarify" or confidence >= 1.0:  # certain: it only asked for a date or an age
        return None
    sure = isinstance(event.body, TextBody) and any(choice.id != "person" for choice in event.body.choices)
    return "low_confidence" if sure else "miss"


async def asked(connection: AsyncConnection, event: Event) -> tuple[int, str] | None:
    """(seq, text) of the customer's question behind an event; a bare "get me a person" means the question before it. A
    complaint about words that answered none is about those words."""
    about = event
    if event.kind == EventKind.FEEDBACK_GIVEN:
        found = await log.at_seq(connection, event.conversation, event.data.get("target"))
        if found is None:
            return None
        about = found
    seq = about.data.get("answers")
    question = await question_before(connection, event.conversation, seq) if isinstance(seq, int) else None
    complained = event.data.get("verdict") == "complaint" and words(about)
    return question or ((about.seq, words(about)) if complained else None)


async def question_before(connection: AsyncConnection, conversation: str, seq: int) -> tuple[int, str] | None:
    """Hers at `seq`, or the one before where that asks nothing; None where the one before was answered."""
    earlier: Sequence[Event] = await log.before(connection, conversation, seq + 1, 20)
    answered = {one.data.get("answers") for one in earlier if one.data.get("decision") == "answer"}
    for one in reversed(earlier):
        text = words(one)
        if one.role == "customer" and one.kind == EventKind.MESSAGE_SENT and text and intent(text) is None:
            return None if one.seq in answered and one.seq != seq else (one.seq, text)
    return None


def words(event: Event) -> str:
    match event.body:
        case TextBody(text=text) | SpeechBody(text=text):
            return text
        case VoiceBody(transcript=transcript):
            return transcript
        case _:
            return ""
