"""The assistant: one ladder for text and voice.

red flag -> small talk, a person, anger -> an age to ask for -> the store's rules -> tools -> knowledge (worded by an
LLM where there is one) -> clarify -> a person
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol

import structlog

from gateway.dialogue import replies
from gateway.dialogue.embeddings import Reranker, found_with
from gateway.dialogue.handoff import medical, off_limits, store_rule
from gateway.dialogue.intents import Intent, chosen, intent
from gateway.dialogue.knowledge import Found
from gateway.dialogue.library import Library
from gateway.dialogue.llm.writer import Draft, Writer
from gateway.dialogue.ports import Closing, Context, HandoffReason, RedFlag, Say
from gateway.dialogue.tools import Desk
from gateway.errors import NestcallError
from signaling.protocol import Language

log = structlog.get_logger()

OPERATOR = "0"
"""The key for a person, as on any telephone menu."""

MAX_MISSES = 1
"""Misses in a row that are met with another try; the next one goes to a person."""


class Gate(Protocol):
    """The deterministic safety layer (gateway.dialogue.safety)."""

    def check(self, turns: Sequence[str], age_days: int | None, past: str = "") -> RedFlag | None: ...

    def question(self, turns: Sequence[str], age_days: int | None) -> Literal["needs_age"] | None: ...

    def age_question(self, language: Language) -> str: ...

    def red_flag_text(self, flag: RedFlag, language: Language, *, staffed: bool = True) -> str: ...


class Assistant:
    """Implements `ports.Dialogue`. `writer` is None where no LLM is configured, `reranker` where no embeddings are."""

    def __init__(
        self,
        library: Library,
        gate: Gate,
        desk: Desk,
        writer: Writer | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._library = library
        self._gate = gate
        self._desk = desk
        self._writer = writer
        self._reranker = reranker

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        return self._gate.check(_turns(text, context), _youngest(context), context.past)

    def red_flag_text(self, flag: RedFlag, language: Language, *, staffed: bool = True) -> str:
        return self._gate.red_flag_text(flag, language, staffed=staffed)

    async def answer(self, text: str, context: Context) -> AsyncIterator[Say | Closing]:
        try:
            closing = await self._settled(text, context)
            if isinstance(closing, Draft):
                async for piece in closing.pieces:
                    yield piece
                return
        except Exception:  # whatever breaks below, she gets an honest way to a person
            log.exception("dialogue failed", conversation=context.conversation)
            closing = replies.handoff(HandoffReason.TOOL_FAILED, context)
        closing = replies.guarded(closing, context.language)
        yield Say(closing.text)
        yield closing

    async def _settled(self, text: str, context: Context) -> Closing | Draft:
        """The closing, or a draft still being written."""
        flag = self.red_flag(text, context)
        if flag and flag.sign not in (context.red_flag, *context.standing):
            return replies.alarm(flag, self.red_flag_text(flag, context.language, staffed=context.staffed))
        if context.red_flag:
            return replies.held(context.red_flag, context)
        question = _question(text, context)
        if closing := self._social(question, context) or self._age(text, context):
            return closing
        return (
            await self._ruled(question, context)
            or await self._served(question, context)
            or self._keyed(question, context)
            or await self._known(question, context)
        )

    def _social(self, text: str, context: Context) -> Closing | None:
        if context.channel == "voice" and text.strip() == OPERATOR:
            return replies.handoff(HandoffReason.ASKED, context, 1.0)
        match intent(text):
            case Intent.WAITING if context.waiting is not None and context.within_hours:
                return replies.handoff(HandoffReason.ASKED, context, 1.0)
            case Intent.WAITING:
                return None
            case Intent.PERSON:
                return replies.handoff(HandoffReason.ASKED, context, 1.0)
            case Intent.ANGRY:
                return replies.handoff(HandoffReason.ANGRY, context, 1.0)
            case Intent.HUMAN | Intent.GREETING | Intent.THANKS | Intent.BYE | Intent.STAY as small:
                return replies.chat(small.value, context)
            case None:
                return None

    def _age(self, text: str, context: Context) -> Closing | None:
        """A fever without an age: ask, once."""
        words = self._gate.age_question(context.language)
        asked = any(words in said.text for said in context.history if said.role == "assistant")
        if asked or self._gate.question(_turns(text, context), _youngest(context)) is None:
            return None
        return Closing(words, "clarify", 1.0, (replies.choice("person", context.language),))

    async def _ruled(self, text: str, context: Context) -> Closing | None:
        if off_limits(text):
            return replies.handoff(HandoffReason.SENSITIVE, context, 1.0)
        reason = store_rule(text, context, await self._library.rules(context.store))
        return replies.handoff(reason, context, 1.0) if reason else None

    async def _served(self, text: str, context: Context) -> Closing | None:
        try:
            return await self._desk.serve(text, context)
        except NestcallError as error:
            log.warning("tool failed", code=str(error.code), conversation=context.conversation)
            return replies.handoff(HandoffReason.TOOL_FAILED, context)

    def _keyed(self, text: str, context: Context) -> Closing | None:
        """Keys that chose nothing are no question: knowledge would find some age or price in them."""
        keyed = context.channel == "voice" and re.fullmatch(r"[\d ]+", text)
        asked = self._gate.age_question(context.language)
        if not keyed or (context.history and asked in context.history[-1].text):
            return None
        return replies.chat("keys", context)

    async def _known(self, text: str, context: Context) -> Closing | Draft:
        knowledge = await self._library.of(context.store)
        hits = knowledge.candidates(text, context.store, context.now[:10])
        found, _ = await found_with(self._reranker, text, hits)
        closing = _worded(found, context, medical(text))
        if self._writer and closing.decision in ("answer", "clarify") and found.hits:
            return self._writer.draft(text, context, found.hits, closing)
        return closing


def _worded(found: Found, context: Context, about_illness: bool) -> Closing:
    """What retrieval alone says."""
    sensitive = bool(found.hits) and found.hits[0].entry.sensitive
    match found.decision:
        case "answer":
            return replies.grounded(found.hits[0], context)
        case "clarify" if sensitive:
            return replies.handoff(HandoffReason.SENSITIVE, context, found.confidence)
        case "clarify" | "handoff" if about_illness:
            return replies.handoff(HandoffReason.SENSITIVE, context, found.confidence)
        case "clarify" if context.misses <= MAX_MISSES:
            return replies.clarify(found.hits, context)
        case "handoff" if context.misses < MAX_MISSES:
            return replies.miss(context, found.confidence)
        case _:
            return replies.handoff(HandoffReason.TWO_MISSES, context, found.confidence)


def _turns(text: str, context: Context) -> tuple[str, ...]:
    """Her lines since a person last cleared a flag."""
    return (*(said.text for said in context.history if said.role == "customer" and not said.cleared), text)


def _youngest(context: Context) -> int | None:
    return min(context.baby_age_days, default=None)


def _question(text: str, context: Context) -> str:
    """What is asked: "the second one", or its key, means a line of the assistant's last text or one of its choices."""
    last = next((said for said in reversed(context.history) if said.role == "assistant"), None)
    return (chosen(text, last.text, last.choices) if last else None) or text
