"""The assistant in text: hears each message of a customer, answers once, hands over when it must.

An answer's nonce is the question's seq, so a restart or a second try never answers twice; its epoch is the one it was
thought in, so an advisor who accepts meanwhile is never talked over.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.alarms import Alarms
from gateway.chat import Chat
from gateway.dialogue.language import written
from gateway.dialogue.ports import Closing, Context, Dialogue, HandoffReason
from gateway.dialogue.signs import signs
from gateway.domain.conversation import Conversation
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.domain.schedule import is_open
from gateway.errors import Broken, Conflict, NestcallError
from gateway.hub import Hub
from gateway.reading import HISTORY_LINES, asks, misses, said, words
from gateway.store import alarms, inbox, log, people, questions
from gateway.store.engine import Store
from signaling.protocol import (
    BabyView,
    ErrorCode,
    Event,
    EventKind,
    TextBody,
    TypingShown,
)

MAX_AT_ONCE = 32
MAX_WAITING = 50
"""Questions of one conversation. Overflow: the oldest goes unanswered (she has asked 50 newer ones)."""

SWEEP_S = 30.0
STOPPED_S = 7 * 86_400.0
"""How far the first sweep looks back; later ones `OUTAGE_S`."""
OUTAGE_S = 3_600.0
LOOK_BACK_S = 3_600.0
"""A gateway is back within the hour, or everybody knows that it was not there."""
AGAIN_S = 1.0
"""Between two attempts to look at a message."""

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

Known = tuple[Conversation, Context]
"""Where and by whom a message was written."""

Asked = tuple[Event, "asyncio.Task[Known | None]"]
"""A question, and the look at it for danger."""


class Assistant:
    """Runs as one task of the gateway; `run` owns everything it starts."""

    def __init__(self, store: Store, chat: Chat, hub: Hub, alarms: Alarms, dialogue: Dialogue) -> None:
        self._store = store
        self._chat = chat
        self._hub = hub
        self._alarms = alarms
        self._dialogue = dialogue
        self._arrived: asyncio.Queue[Event] = asyncio.Queue()  # emptied at each turn of the loop
        self._waiting: dict[str, deque[Asked]] = {}
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        # One at a time: several threads of pure computing only take the interpreter from those who wait for an ack.
        self._rules = anyio.CapacityLimiter(1)
        self.in_call: Callable[[Event], bool] = lambda _question: False
        """The voice of a call answers this."""
        hub.taps.append(self.heard)

    def heard(self, event: Event) -> None:
        """Every event passes here; what a customer sends is a question. Words said in a call are the call's."""
        if event.role == "customer" and (asks(event) or event.kind == EventKind.MESSAGE_EDITED):
            self._arrived.put_nowait(event)

    async def run(self) -> None:
        self._waiting.clear()  # of a run that broke: the sweep finds those questions in the log
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweeping())
            tasks.create_task(self._looking_back())
            while True:
                event = await self._arrived.get()
                look = tasks.create_task(self._looked_at(event))  # before and beside all answers
                if not asks(event):
                    continue
                waiting = self._waiting.get(event.conversation)
                if waiting is not None:
                    waiting.append((event, look))
                else:
                    self._waiting[event.conversation] = deque([(event, look)], MAX_WAITING)
                    tasks.create_task(self._converse(event.conversation))

    async def _converse(self, conversation: str) -> None:
        """One conversation's questions in order; different conversations side by side."""
        waiting = self._waiting[conversation]
        first = True
        try:
            while waiting:
                question, look = waiting.popleft()
                known = await look
                if known is None:
                    continue
                fresh = first and not self._slots.locked()
                async with self._slots:
                    await self._answered(question, known if fresh else await self._known(question))
                first = False
        except NestcallError as error:  # all of them stay unanswered in the log: the sweep comes back, in order
            logger.warning("not answered", conversation=conversation, code=str(error.code))
        finally:
            del self._waiting[conversation]

    async def _answered(self, question: Event, known: Known) -> None:
        try:
            await self._answer(question, *known)
        except NestcallError:
            raise
        except Exception:
            logger.exception("answering failed", conversation=question.conversation, seq=question.seq)

    # ------------------------------------------------------------ danger first

    async def _looked_at(self, event: Event, *, again: bool = True) -> Known | None:
        """What is known of it when it shows no danger, else None. Tried until it could be looked at."""
        while True:
            try:
                return await self.look(event, again=again)
            except Broken as error:
                logger.warning("not looked at", conversation=event.conversation, seq=event.seq, code=str(error.code))
            except Exception:
                logger.exception("looking failed", conversation=event.conversation, seq=event.seq)
                return None
            await asyncio.sleep(AGAIN_S)

    async def look(self, event: Event, *, again: bool = True) -> Known | None:
        """Signs of danger in what she wrote, said or put right, whoever answers her. None: an alarm was raised.
        `again` False: a sign that stands stays as it is."""
        state, context = known = await self._known(event)
        text = words(event)
        # In a thread: the rules read all she said, and the loop belongs to everybody.
        found = (
            await anyio.to_thread.run_sync(signs, self._dialogue, text, context, limiter=self._rules) if text else ()
        )
        raised = False
        for shown in reversed(found):  # the gravest last: it is what stands
            said = self._dialogue.red_flag_text(shown.flag, context.language, staffed=context.staffed)
            anew = shown.anew and again
            raised |= await self._alarms.raise_flag(state.id, event.seq, shown.flag, said, anew=anew)
        return None if raised else known

    # ------------------------------------------------------------ one question

    async def answer(self, question: Event) -> None:
        known = await self.look(question)
        if known is not None:
            await self._answer(question, *known)

    async def _answer(self, question: Event, state: Conversation, context: Context) -> None:
        if state.owner != "assistant" or self.in_call(question):
            return  # an advisor answers, or the voice of the call
        typing = TypingShown(conversation=state.id, party="assistant", role="assistant", on=True)
        self._hub.flash(state.id, typing, "customer")
        await self._reply(question, state, await self._said(words(question), context))

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
        said = answer_fact(question.seq, closing)
        asks_person = closing.handoff is not None and state.state == "with_assistant"
        handoff = [handoff_fact(question.seq, closing.handoff)] if closing.handoff and asks_person else []
        for facts in ([said, *handoff], [said]):
            try:
                await self._chat.append(state.id, *facts, thought_in=state)
            except Conflict as error:  # an advisor was quicker: hers is the word
                logger.info("answer withheld", conversation=state.id, code=str(error.code))
                if error.code == ErrorCode.WRONG_STATE and handoff:  # she had pressed the button: she waits already
                    continue
            return

    # ------------------------------------------------------------ what it knows

    async def _known(self, question: Event) -> Known:
        known = await self._store.look(lambda connection: background(connection, question))
        state, customer, shop, earlier, babies, waiting, standing = known
        zone = await asyncio.to_thread(ZoneInfo, shop["zone"])  # the first look reads a file
        local = datetime.fromisoformat(self._chat.now()).astimezone(zone)
        ages = tuple((local.date() - datetime.fromisoformat(baby.born_on).date()).days for baby in babies)
        return state, Context(
            conversation=state.id,
            customer=state.customer,
            store=state.store,
            language=written(
                "" if question.kind == EventKind.CONVERSATION_QUEUED else words(question), customer.language
            ),
            channel="text",
            baby_age_days=ages,
            guest=customer.guest,
            history=said(earlier),
            misses=misses(earlier),
            within_hours=is_open(shop["hours"], local),
            red_flag=state.red_flag,
            standing=standing,
            staffed=self._hub.staffed(state.chain, state.store),
            waiting=waiting,
            now=local.isoformat(timespec="seconds"),
        )

    # ------------------------------------------------------------ nothing is forgotten

    async def _sweeping(self) -> None:
        since_s = STOPPED_S
        while True:
            try:
                await self.sweep(since_s)
                since_s = OUTAGE_S
            except NestcallError as error:
                logger.warning("sweep failed", code=str(error.code))
            except Exception:
                logger.exception("sweep failed")
            await asyncio.sleep(SWEEP_S)

    async def _looking_back(self) -> None:
        """A crash may have come between a message and the look at it: once at start, whoever owns the conversation."""
        while True:
            try:
                async with self._store.read() as connection:
                    found = await questions.not_looked_at(connection, clock.after(self._chat.now(), -LOOK_BACK_S))
                break
            except Broken as error:
                logger.warning("not looked back", code=str(error.code))
                await asyncio.sleep(AGAIN_S)
        for event in found:
            await self._looked_at(event, again=False)

    async def sweep(self, since_s: float = STOPPED_S) -> None:
        """Questions a crash or an outage left without an answer, in conversations of the last `since_s` seconds."""
        async with self._store.read() as connection:
            found = await questions.unanswered(connection, clock.after(self._chat.now(), -since_s))
        idle = {event.conversation for event in found} - set(self._waiting)
        for event in found:
            if event.conversation in idle:
                self.heard(event)


async def background(
    connection: AsyncConnection, question: Event
) -> tuple[Conversation, Person, RowMapping, list[Event], tuple[BabyView, ...], int | None, tuple[str, ...]]:
    """What is known where the question was asked: conversation, customer, store, earlier events, babies, how many
    wait before her, and which signs stand."""
    state = await log.find(connection, question.conversation)
    customer, shop = await people.get(connection, state.customer), await people.store_row(connection, state.store)
    assert customer is not None
    assert shop is not None
    earlier = await log.before(connection, state.id, question.seq, HISTORY_LINES * 2)
    babies = await people.babies_of(connection, state.customer)
    flags = await alarms.standing(connection, state.id) if state.red_flag else []
    standing = tuple(sign for sign, _ in flags)
    return state, customer, shop, earlier, babies, await inbox.ahead(connection, state), standing


def cannot_tell(context: Context) -> Closing:
    """A photo, a file, a voice note nobody could transcribe: a person looks, and she is told."""
    words = CANNOT_TELL[context.language, context.within_hours]
    return Closing(words, "handoff", handoff=HandoffReason.SENSITIVE)


def answer_fact(seq: int, closing: Closing) -> Fact:
    body = TextBody(text=closing.text, choices=closing.choices, sources=closing.sources, tel=closing.tel)
    content = body.model_dump(mode="json", exclude_defaults=True) | {"kind": "text"}
    data = {"decision": closing.decision, "answers": seq, "confidence": round(closing.confidence, 3)}
    return Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", f"answer-{seq}", content, data)


def handoff_fact(seq: int, reason: HandoffReason) -> Fact:
    data = {"reason": str(reason)}
    return Fact(EventKind.CONVERSATION_QUEUED, "assistant", "assistant", f"handoff-{seq}", data=data)
