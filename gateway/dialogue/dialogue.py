"""The assistant: one ladder for text and voice.

red flag -> small talk, a person, anger -> the store's rules -> tools -> knowledge (worded by an LLM when there is one)
-> clarify -> a person
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import structlog

from gateway.dialogue import replies
from gateway.dialogue.intents import Intent, chosen, intent
from gateway.dialogue.knowledge import Found
from gateway.dialogue.library import Library
from gateway.dialogue.ports import Closing, Context, HandoffReason, RedFlag, Say
from signaling.protocol import Language

log = structlog.get_logger()

MAX_MISSES = 1
"""Misses in a row that are met with another try; the next one goes to a person."""


class Gate(Protocol):
    """The deterministic safety layer (gateway.dialogue.safety)."""

    def check(self, turns: Sequence[str], age_days: int | None) -> RedFlag | None: ...

    def red_flag_text(self, flag: RedFlag, language: Language) -> str: ...


class Assistant:
    """Implements `ports.Dialogue`."""

    def __init__(self, library: Library, gate: Gate) -> None:
        self._library = library
        self._gate = gate

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        turns = (*(said.text for said in context.history if said.role == "customer"), text)
        youngest = min(context.baby_age_days, default=None)
        return self._gate.check(turns, youngest)

    def red_flag_text(self, flag: RedFlag, language: Language) -> str:
        return self._gate.red_flag_text(flag, language)

    async def answer(self, text: str, context: Context) -> AsyncIterator[Say | Closing]:
        try:
            closing = await self._decide(text, context)
        except Exception:  # whatever breaks below, she gets an honest way to a person
            log.exception("dialogue failed", conversation=context.conversation)
            closing = replies.handoff(HandoffReason.TOOL_FAILED, context)
        yield Say(closing.text)
        yield closing

    async def _decide(self, text: str, context: Context) -> Closing:
        if flag := self.red_flag(text, context):
            return replies.alarm(flag, self.red_flag_text(flag, context.language))
        return self._social(text, context) or await self._informed(text, context)

    def _social(self, text: str, context: Context) -> Closing | None:
        match intent(text):
            case Intent.PERSON:
                return replies.handoff(HandoffReason.ASKED, context, 1.0)
            case Intent.ANGRY:
                return replies.handoff(HandoffReason.ANGRY, context, 1.0)
            case Intent.HUMAN | Intent.GREETING | Intent.THANKS | Intent.BYE as small:
                return replies.chat(small.value, context)
            case None:
                return None

    async def _informed(self, text: str, context: Context) -> Closing:
        offered = next((said.text for said in reversed(context.history) if said.role == "assistant"), "")
        question = chosen(text, offered) or text
        knowledge = await self._library.of(context.store)
        return self._worded(knowledge.search(question, context.store, context.now[:10]), context)

    def _worded(self, found: Found, context: Context) -> Closing:
        sensitive = bool(found.hits) and found.hits[0].entry.sensitive
        match found.decision:
            case "answer":
                return replies.grounded(found.hits[0], context)
            case "clarify" if sensitive:
                return replies.handoff(HandoffReason.SENSITIVE, context, found.confidence)
            case "clarify" if context.misses <= MAX_MISSES:
                return replies.clarify(found.hits, context)
            case "handoff" if context.misses < MAX_MISSES:
                return replies.miss(context, found.confidence)
            case _:
                return replies.handoff(HandoffReason.TWO_MISSES, context, found.confidence)
