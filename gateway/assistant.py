"""The assistant in text: hears each message of a customer, answers once, hands over when it must.

An answer's nonce is the question's seq, so a restart or a second try never answers twice; its epoch is the one it was
thought in, so an advisor who accepts meanwhile is never talked over.
"""

import asyncio
from collections import deque
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
import structlog
from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.alarms import Alarms
from gateway.chat import Chat
from gateway.dialogue.language import written
from gateway.dialogue.ports import Closing, Context, Dialogue, HandoffReason, Said
from gateway.domain.conversation import Conversation
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.domain.schedule import is_open
from gateway.errors import Conflict, NestcallError
from gateway.hub import Hub
from gateway.store import inbox, log, people
from gateway.store.engine import Store
from gateway.store.schema import conversations, events
from signaling.protocol import (
    BabyView,
    Event,
    EventKind,
    FileBody,
    ImageBody,
    TextBody,
    TypingShown,
    VoiceBody,
)

MAX_AT_ONCE = 32
MAX_WAITING = 50
"""Questions of one conversation. Overflow: the oldest goes unanswered (she has asked 50 newer ones)."""

HISTORY_LINES = 12
SWEEP_S = 30.0

PRESSED = "转人工"
SENT = TextBody | ImageBody | FileBody | VoiceBody
CANNOT_TELL = {
    ("zh", True): "我是 AI，看不了照片和文件，没转成文字的语音也听不懂。已经请顾问来看；您也可以打字告诉我。",
    ("zh", False): "我是 AI，看不了照片和文件，没转成文字的语音也听不懂。顾问上班后会看到；"
    "您可以先打字告诉我，情况紧急请就近就医或拨打 120。",
    ("en", True): "I am an AI: I cannot look at photos or files, or hear a voice note that was not transcribed. "
    "I have asked an advisor to look; you can also type it to me.",
    ("en", False): "I am an AI: I cannot look at photos or files, or hear a voice note that was not transcribed. "
    "An advisor will see it when the store opens. You can type it to me; if it is urgent, see a doctor or call 120.",
}

logger = structlog.get_logger()


class Assistant:
    """Runs as one task of the gateway; `run` owns everything it starts."""

    def __init__(self, store: Store, chat: Chat, hub: Hub, alarms: Alarms, dialogue: Dialogue) -> None:
        self._store = store
        self._chat = chat
        self._hub = hub
        self._alarms = alarms
        self._dialogue = dialogue
        self._waiting: dict[str, deque[Event]] = {}
        self._new: asyncio.Queue[str] = asyncio.Queue()  # bounded by the conversations in `_waiting`
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        # One at a time: several threads of pure computing only take the interpreter from those who wait for an ack.
        self._rules = anyio.CapacityLimiter(1)
        hub.taps.append(self.heard)

    def heard(self, event: Event) -> None:
        """Every event passes here; what a customer sends is a question. Words said in a call are the call's."""
        pressed = event.kind == EventKind.CONVERSATION_QUEUED  # her button: she is told how it stands
        sent = event.kind == EventKind.MESSAGE_SENT and isinstance(event.body, SENT)
        if event.role != "customer" or not (sent or pressed):
            return
        if event.conversation not in self._waiting:
            self._waiting[event.conversation] = deque(maxlen=MAX_WAITING)
            self._new.put_nowait(event.conversation)
        self._waiting[event.conversation].append(event)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweeping())
            while True:
                conversation = await self._new.get()
                tasks.create_task(self._converse(conversation))

    async def _converse(self, conversation: str) -> None:
        """One conversation's questions in order; different conversations side by side."""
        async with self._slots:
            while self._waiting[conversation]:
                question = self._waiting[conversation].popleft()
                try:
                    await self.answer(question)
                except NestcallError as error:  # stays unanswered in the log: the sweep comes back to it
                    logger.warning("not answered", conversation=conversation, seq=question.seq, code=str(error.code))
                except Exception:
                    logger.exception("answering failed", conversation=conversation, seq=question.seq)
            del self._waiting[conversation]

    # ------------------------------------------------------------ one question

    async def answer(self, question: Event) -> None:
        text = words(question)
        state, context = await self._context(question)
        # In a thread: the rules read all she said, and the loop belongs to everybody.
        run = anyio.to_thread.run_sync
        flag = await run(self._dialogue.red_flag, text, context, limiter=self._rules) if text else None
        if flag is not None:
            said = self._dialogue.red_flag_text(flag, context.language, staffed=context.staffed)
            if await self._alarms.raise_flag(question.conversation, question.seq, flag, said):
                return
        if state.owner != "assistant" or state.call is not None:
            return
        typing = TypingShown(conversation=state.id, party="assistant", role="assistant", on=True)
        self._hub.flash(state.id, typing, "customer")
        await self._reply(question, state, await self._said(text, context))

    async def _said(self, text: str, context: Context) -> Closing:
        """While a flag stands there is no other answer than the dialogue's, to a photo neither."""
        return await self._think(text, context) if text or context.red_flag else cannot_tell(context)

    async def _think(self, text: str, context: Context) -> Closing:
        async for piece in self._dialogue.answer(text, context):
            if isinstance(piece, Closing):
                return piece
        raise NestcallError(detail="the dialogue gave no closing")

    async def _reply(self, question: Event, state: Conversation, closing: Closing) -> None:
        if closing.red_flag is not None:
            await self._alarms.raise_flag(question.conversation, question.seq, closing.red_flag, closing.text)
            return
        facts = [answer_fact(question.seq, closing)]
        if closing.handoff is not None and state.state == "with_assistant":
            facts.append(handoff_fact(question.seq, closing.handoff))
        try:
            await self._chat.append(state.id, *facts, epoch=state.epoch)
        except Conflict as error:  # an advisor was quicker: hers is the word
            logger.info("answer withheld", conversation=state.id, code=str(error.code))

    # ------------------------------------------------------------ what it knows

    async def _context(self, question: Event) -> tuple[Conversation, Context]:
        known = await self._store.look(lambda connection: background(connection, question))
        state, customer, shop, earlier, babies, waiting = known
        zone = await asyncio.to_thread(ZoneInfo, shop["zone"])  # the first look reads a file
        local = datetime.fromisoformat(self._chat.now()).astimezone(zone)
        ages = tuple((local.date() - datetime.fromisoformat(baby.born_on).date()).days for baby in babies)
        return state, Context(
            conversation=state.id,
            customer=state.customer,
            store=state.store,
            language=written(words(question) if question.body else "", customer.language),
            channel="text",
            baby_age_days=ages,
            history=said(earlier),
            misses=misses(earlier),
            within_hours=is_open(shop["hours"], local),
            red_flag=state.red_flag,
            staffed=self._hub.staffed(state.chain, state.store),
            waiting=waiting,
            now=local.isoformat(timespec="seconds"),
        )

    # ------------------------------------------------------------ nothing is forgotten

    async def _sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except NestcallError as error:
                logger.warning("sweep failed", code=str(error.code))
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Questions a crash or an outage left without an answer."""
        async with self._store.read() as connection:
            found = await unanswered(connection)
        for event in found:
            if event.conversation not in self._waiting:
                self.heard(event)


async def background(
    connection: AsyncConnection, question: Event
) -> tuple[Conversation, Person, RowMapping, list[Event], tuple[BabyView, ...], int | None]:
    """What is known where the question was asked: conversation, customer, store, earlier events, babies, and how
    many wait before her."""
    state = await log.find(connection, question.conversation)
    customer, shop = await people.get(connection, state.customer), await people.store_row(connection, state.store)
    assert customer is not None
    assert shop is not None
    earlier = await log.before(connection, state.id, question.seq, HISTORY_LINES * 2)
    babies = await people.babies_of(connection, state.customer)
    return state, customer, shop, earlier, babies, await inbox.ahead(connection, state)


async def unanswered(connection: AsyncConnection) -> list[Event]:
    """Conversations of the assistant whose newest message is the customer's."""
    newest = (events.c.conversation == conversations.c.id) & (events.c.seq == conversations.c.last_message)
    query = (
        select(events)
        .join(conversations, newest)
        .where(conversations.c.owner == "assistant", conversations.c.call.is_(None), events.c.role == "customer")
        .order_by(events.c.at)
        .limit(200)
    )
    return [log.event_of(row) for row in (await connection.execute(query)).mappings()]


def cannot_tell(context: Context) -> Closing:
    """A photo, a file, a voice note nobody could transcribe: a person looks, and she is told."""
    words = CANNOT_TELL[context.language, context.within_hours]
    return Closing(words, "handoff", handoff=HandoffReason.SENSITIVE)


def words(event: Event) -> str:
    """What she wrote or, in a voice note, said; the button for a person is as if she had asked for one."""
    if event.kind == EventKind.CONVERSATION_QUEUED:
        return PRESSED
    match event.body:
        case TextBody(text=text):
            return text
        case VoiceBody(transcript=transcript):
            return transcript
        case _:
            return ""


def said(earlier: list[Event]) -> tuple[Said, ...]:
    """Her lines up to the last clearing of a red flag are marked: they raise none again."""
    lines: list[Said] = []
    cleared = max((event.seq for event in earlier if event.kind == EventKind.RED_FLAG_CLEARED), default=0)
    for event in earlier:
        role: Literal["customer", "assistant", "advisor"]
        match event.role:
            case "customer" | "assistant" | "advisor":
                role = event.role
            case "manager":
                role = "advisor"
            case _:
                continue
        text = getattr(event.body, "text", "") or getattr(event.body, "transcript", "")
        if event.kind == EventKind.MESSAGE_SENT and text:
            lines.append(Said(role, text, event.seq <= cleared))
    return tuple(lines[-HISTORY_LINES:])


def misses(earlier: list[Event]) -> int:
    """How often in a row it had to ask back."""
    count = 0
    for event in reversed(earlier):
        if event.kind == EventKind.MESSAGE_SENT and event.role == "assistant":
            if event.data.get("decision") != "clarify":
                break
            count += 1
    return count


def answer_fact(seq: int, closing: Closing) -> Fact:
    body = TextBody(text=closing.text, choices=closing.choices, sources=closing.sources, tel=closing.tel)
    content = body.model_dump(mode="json", exclude_defaults=True) | {"kind": "text"}
    data = {"decision": closing.decision, "answers": seq, "confidence": round(closing.confidence, 3)}
    return Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", f"answer-{seq}", content, data)


def handoff_fact(seq: int, reason: HandoffReason) -> Fact:
    data = {"reason": str(reason)}
    return Fact(EventKind.CONVERSATION_QUEUED, "assistant", "assistant", f"handoff-{seq}", data=data)
