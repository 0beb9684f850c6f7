"""The dialogue as the pipeline's responder, and a red flag's way through a call.

The text of a reply is streamed at once; its consequences (choices, handoff, alarm) wait for both the pipeline's
`committed` and the dialogue's `Closing`, so a speculative reply that is thrown away leaves no trace. Words that may be
misheard are asked back before they are answered (call_doubt).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.calls.doubt import Doubted, weigh
from gateway.dialogue.ports import Closing, Context, Dialogue, Say
from media.ports import Heard

MAX_OPEN = 32
"""Replies whose consequences wait. Overflow: the oldest is forgotten, nobody heard it."""

Apply = Callable[[int, Closing], Awaitable[None]]
"""(turn, closing): carry out what the answer brings with it."""


async def _nothing(_turn: int, _closing: Closing) -> None:
    pass


@dataclass(slots=True)
class _Reply:
    committed: bool = False
    closing: Closing | None = None
    pending: str | None = None


class SpokenAnswers:
    """`media.ports.Responder`. `context` is asked for each reply: history grows while they talk."""

    def __init__(self, dialogue: Dialogue, context: Callable[[], Context]) -> None:
        self._dialogue, self._context = dialogue, context
        self.apply: Apply = _nothing
        self.flagged: Callable[[str], bool] = lambda _text: False
        """True when these words have just raised an alarm, which answers for itself."""
        self._replies: dict[tuple[int, int], _Reply] = {}
        self._pending: str | None = None
        """What was asked back, until her next words."""

    async def reply(self, heard: Heard) -> AsyncIterator[str]:
        if self.flagged(heard.text):
            return
        key = (heard.turn, heard.revision)
        doubted = weigh(heard, self._pending)
        async for part in self._answer(doubted, heard):
            match part:
                case Say(text):
                    yield text
                case Closing():
                    reply = self._reply(key)
                    reply.closing, reply.pending = part, doubted.pending
                    await self._settle(key)

    async def _answer(self, doubted: Doubted, heard: Heard) -> AsyncIterator[Say | Closing]:
        if doubted.question is not None:
            yield Say(doubted.question.text)
            yield doubted.question
            return
        async for part in self._dialogue.answer(doubted.text, replace(self._context(), language=heard.language)):
            yield part

    async def committed(self, heard: Heard) -> None:
        key = (heard.turn, heard.revision)
        self._reply(key).committed = True
        await self._settle(key)

    def _reply(self, key: tuple[int, int]) -> _Reply:
        while len(self._replies) >= MAX_OPEN and key not in self._replies:
            self._replies.pop(next(iter(self._replies)))
        return self._replies.setdefault(key, _Reply())

    async def _settle(self, key: tuple[int, int]) -> None:
        reply = self._replies[key]
        if reply.committed and reply.closing is not None:
            del self._replies[key]
            self._pending = reply.pending
            await self.apply(key[0], reply.closing)
