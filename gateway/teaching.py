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
from gateway.dialogue.teaching import Preview, changed, cluster_of, preview
from gateway.errors import NestcallError
from gateway.hub import Hub
from gateway.store import knowledge, log, teaching
from gateway.store.engine import Store
from signaling.protocol import Event, EventKind, TextBody, VoiceBody

MAX_WAITING = 1_000
"""Events to look at. Overflow: the newest is let go; teaching never holds up the chat."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did, or (`entry` None) why it wants confirmation."""

    entry: Entry | None
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
                text = event.body.text
                await self._store.write(lambda c: teaching.propose(c, event.conversation, text))
        elif why := reason(event):
            await self._note(event, why)

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
        at = clock.now()
        await self._store.write(lambda c: teaching.note(c, chain, event.conversation, seq, text, why, cluster, at))

    # ------------------------------------------------------------ publishing

    async def judge(self, chain: str, entry: Entry | None, without: str | None = None) -> tuple[Preview, list[Entry]]:
        """What publishing `entry` (or withdrawing `without`) would change, and the entries after it."""
        async with self._store.read() as connection:
            before = await knowledge.published(connection, chain)
            golden = teaching.as_questions(await teaching.golden(connection, chain))
            past = [text for _, text in await teaching.open_questions(connection, chain, limit=300)]
        after = changed(before, entry) if entry else [one for one in before if one.id != without]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, preview, before, after, golden, past), after

    async def publish(
        self, chain: str, entry: Entry, by: str, *, confirmed: bool, cluster: str | None = None
    ) -> Published:
        """Publish the entry as its next version, unless it lowers the golden score and nobody confirmed that."""
        judged, _ = await self.judge(chain, entry)
        if judged.worse and not confirmed:
            return Published(None, judged)

        async def job(connection: AsyncConnection) -> Entry:
            at = clock.now()
            done = await knowledge.publish(connection, chain, [entry], by, at)
            if cluster:
                await teaching.settle(connection, chain, cluster, "answered", entry.id)
            if judged.after:
                await teaching.add_score(connection, chain, dict(judged.after), at)
            return done[0]

        return Published(await self._store.write(job), judged)


def reason(event: Event) -> str | None:
    """Why this event means that something went unanswered."""
    if event.kind == EventKind.FEEDBACK_GIVEN:
        return "thumbs_down" if event.data.get("verdict") in ("down", "complaint") else None
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
    """(seq, text) of the customer's question behind an event; a bare "get me a person" means the question before it."""
    about = event
    if event.kind == EventKind.FEEDBACK_GIVEN:
        found = await log.at_seq(connection, event.conversation, event.data.get("target"))
        if found is None:
            return None
        about = found
    seq = about.data.get("answers")
    if not isinstance(seq, int):
        return None
    earlier: Sequence[Event] = await log.before(connection, event.conversation, seq + 1, 20)
    for one in reversed(earlier):
        text = words(one)
        if one.role == "customer" and one.kind == EventKind.MESSAGE_SENT and text and intent(text) is None:
            return one.seq, text
    return None


def words(event: Event) -> str:
    match event.body:
        case TextBody(text=text):
            return text
        case VoiceBody(transcript=transcript):
            return transcript
        case _:
            return ""
