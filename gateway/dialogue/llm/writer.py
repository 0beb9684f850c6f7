"""The model at work: words the retrieved entries, each sentence checked before it is said; else retrieval's own text.

The first fit sentence within four seconds, or the answer is retrieval's. A stream that breaks later ends at the last
whole sentence; half a sentence is never said.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

import structlog

from gateway.dialogue import replies
from gateway.dialogue.knowledge import Hit
from gateway.dialogue.llm import prompts
from gateway.dialogue.llm.budget import Breaker, Budget
from gateway.dialogue.llm.clean import MAX_CHARS, Sentences, clean, repetitive
from gateway.dialogue.llm.client import ChatModel, ToolCall
from gateway.dialogue.llm.grounds import Grounds, borne, grounds
from gateway.dialogue.ports import Closing, Context, Say
from gateway.dialogue.tools import Desk
from gateway.dialogue.tools.requests import Wish
from gateway.errors import EngineBroken, NestcallError
from signaling.protocol import Language

log = structlog.get_logger()

ROUNDS = 2
"""A look-up, then the answer."""

Guard = Callable[[str, Language], str]
"""A text, or the fixed sentence that takes its place (gateway.dialogue.safety.drafts.spoken_safely)."""


class Unfit(Exception):
    """The model's text may not be said."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer being written: `Say` pieces, then one `Closing`."""

    pieces: AsyncIterator[Say | Closing]


@dataclass(slots=True)
class Page:
    """What one draft rests on; a look-up adds to it."""

    text: str
    context: Context
    sources: list[tuple[str, str]]
    nonce: str
    used: tuple[str, ...] = ()

    def grounds(self) -> Grounds:
        told = [f"{title}\n{text}" for title, text in self.sources]
        return grounds(told, self.text, prompts.rules(self.context) + self.nonce, self.context.language)


class Writer:
    """`draft` never raises and always closes."""

    def __init__(self, model: ChatModel, desk: Desk, guard: Guard) -> None:
        self._model = model
        self._desk = desk
        self._guard = guard
        self._budget = Budget()
        self._breaker = Breaker()

    def draft(self, text: str, context: Context, hits: Sequence[Hit], fallback: Closing) -> Draft:
        return Draft(self._pieces(text, context, hits, fallback))

    async def _pieces(
        self, text: str, context: Context, hits: Sequence[Hit], fallback: Closing
    ) -> AsyncIterator[Say | Closing]:
        sources = [(hit.entry.title(context.language), hit.entry.told(context.language)) for hit in hits]
        page = Page(text, context, sources, token_hex(8))
        said: list[str] = []
        async for sentence in self._allowed(page):
            said.append(sentence)
            yield Say(sentence)
        if not said:
            yield Say(fallback.text)
            yield fallback
            return
        told = tuple(replies.source(hit, context.language) for hit in hits)
        whole = Closing(_joined(said), "answer", max(0.5, fallback.confidence), sources=told)
        yield replace(whole, tools=page.used)

    async def _allowed(self, page: Page) -> AsyncIterator[str]:
        """Sentences fit to be said; ends early, without a word, on anything amiss."""
        clock = asyncio.get_running_loop().time
        customer = page.context.customer
        if not self._breaker.closed(clock()) or not self._budget.take(customer, page.context.now[:10]):
            return
        cost = sum(len(told) for _, told in page.sources) + len(page.text)
        try:
            async for sentence in self._sentences(page):
                cost += len(sentence)
                yield sentence
            self._breaker.report(well=True, now=clock())
        except Unfit as error:
            self._breaker.report(well=True, now=clock())
            log.info("llm text withheld", why=str(error), conversation=page.context.conversation)
        except NestcallError as error:
            self._breaker.report(well=False, now=clock())
            log.warning("llm failed", detail=error.detail, conversation=page.context.conversation)
        finally:
            self._budget.give_back(customer, cost)

    async def _sentences(self, page: Page) -> AsyncIterator[str]:
        messages = prompts.messages(page.text, page.context, page.sources, page.nonce)
        total = 0
        for turn in range(ROUNDS):
            calls: list[ToolCall] = []
            rests_on = page.grounds()
            cut = Sentences()
            async for piece in self._model.stream(messages, prompts.tools() if turn == 0 else ()):
                if isinstance(piece, ToolCall):
                    calls.append(piece)
                    continue
                for raw in cut.feed(piece.text):
                    if sentence := self._fit(raw, rests_on, page, total):
                        total += len(sentence)
                        yield sentence
            if sentence := self._fit(cut.rest(), rests_on, page, total):
                total += len(sentence)
                yield sentence
            if not calls or total:
                return
            messages += await self._looked_up(calls, page)

    def _fit(self, raw: str, rests_on: Grounds, page: Page, total: int) -> str:
        """The sentence as it may be said, or nothing. Raises `Unfit` when the whole text is not to be trusted."""
        sentence = clean(raw)
        if not sentence:
            return ""
        if prompts.UNKNOWN in raw:
            raise Unfit("the sources do not say")
        if total + len(sentence) > MAX_CHARS:
            raise Unfit("too long")
        if repetitive(sentence) or not borne(sentence, rests_on):
            raise Unfit("not borne by the sources")
        if self._guard(sentence, page.context.language) != sentence:
            raise Unfit("guarded")
        return sentence

    async def _looked_up(self, calls: Sequence[ToolCall], page: Page) -> list[dict[str, object]]:
        """Carry out look-ups for this customer; arguments are not even read. Raises `Unfit` for any other tool."""
        asked: list[dict[str, object]] = []
        results: list[dict[str, object]] = []
        for n, call in enumerate(calls):
            wish = next((wish for wish in prompts.LOOK_UPS if wish.value == call.name), None)
            if wish is None:
                raise Unfit("a tool that is not offered")
            told = await self._told(wish, page)
            page.sources.append((wish.value, told))
            page.used = (*page.used, wish.value)
            function = {"name": call.name, "arguments": "{}"}
            asked.append({"id": call.id or f"call-{n}", "type": "function", "function": function})
            fenced = prompts.fenced("tool", told, page.nonce)
            results.append({"role": "tool", "tool_call_id": call.id or f"call-{n}", "content": fenced})
        return [{"role": "assistant", "content": None, "tool_calls": asked}, *results]

    async def _told(self, wish: Wish, page: Page) -> str:
        found = await self._desk.grant(wish, page.text, page.context)
        if found is None:
            raise EngineBroken(detail="llm: a look-up that finds nothing")
        return found.text


def _joined(sentences: Sequence[str]) -> str:
    """One text: Latin sentences apart, Chinese ones together."""
    text = ""
    for sentence in sentences:
        apart = bool(text) and text[-1].isascii() and sentence[0].isascii()
        text += (" " if apart else "") + sentence
    return text
