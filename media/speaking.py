"""One reply on its way to her ear: text pieces -> clauses -> speech -> mouth, behind the commit gate.

Two tasks, joined by a bounded channel: one cuts clauses as the responder writes them, one has them synthesised and
queued. Whatever fails on the way, she hears an apology, or where there is no voice at all reads the text; the reply
always ends with `Mouth.finish`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import numpy as np
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from media import ports
from media.audio import WIRE_HZ, AudioChunk
from media.errors import EngineFailed
from media.playout import Playout
from media.ports import TroubleNote
from media.sentences import Cutter

CLAUSES = 64
"""Clauses waiting to be synthesised; overflow: the responder waits. Room for a whole answer, so that what an answer
brings with it (choices, a handoff) does not wait for its last sentence to be spoken."""
FIRST_SOUND_S = 2.0
"""A synthesizer that gives nothing for this long is out of order for this clause."""
_NO_SOUND = AudioChunk(np.zeros(0, np.int16), WIRE_HZ)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Phrasing:
    """What is said around a reply; spans are seconds after the commit."""

    filler: str
    apology: str
    filler_after: float
    give_up_after: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What all replies of a call share."""

    mouth: Playout
    synthesizer: ports.Synthesizer | None
    floor: asyncio.Lock
    """Held by the reply that is being queued, so that two never mix."""
    tell: Callable[[ports.Note], None]
    now: Callable[[], float]
    """Seconds on the clock of the call."""


class Speaking:
    """`committed` opens the gate; cancelling the task that runs `run` ends it without a trace in the mouth."""

    def __init__(self, turn: int, revision: int, voice: ports.Voice, stage: Stage, phrasing: Phrasing) -> None:
        self.turn, self.revision = turn, revision
        self.committed = asyncio.Event()
        self._voice, self._stage, self._phrasing = voice, stage, phrasing
        self._holds_floor = False
        self.marks: dict[str, float] = {}
        """When its first text and its first audio were there (media.stats)."""

    async def run(self, pieces: AsyncIterator[str], *, whole: bool = False) -> None:
        """`whole`: each piece is said as it is (fixed lines, rendered at start), not cut into clauses."""
        send, receive = anyio.create_memory_object_stream[str](CLAUSES)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(pieces, send, whole))
                await self._speak(receive)
                writing.cancel()
        finally:
            if self._holds_floor:
                self._stage.floor.release()

    # ------------------------------------------------------------ text

    async def _write(self, pieces: AsyncIterator[str], send: MemoryObjectSendStream[str], whole: bool) -> None:
        async with send, closing(pieces):
            try:
                await self._cut(pieces, send, whole)
            except anyio.BrokenResourceError:
                return  # the speaking side has given up on us
            except Exception as failure:
                if not isinstance(failure, EngineFailed):
                    log.exception("responder failed")
                self._trouble("responder", failure)
                await send.send(self._phrasing.apology)

    async def _cut(self, pieces: AsyncIterator[str], send: MemoryObjectSendStream[str], whole: bool) -> None:
        cutter = Cutter()
        async for piece in pieces:
            if piece:
                self.marks.setdefault("first_token", self._stage.now())
            cutter, clauses = (cutter, (piece,)) if whole else cutter.feed(piece)
            for clause in clauses:
                await send.send(clause)
        for clause in cutter.finish():
            await send.send(clause)

    # ------------------------------------------------------------ speech

    async def _speak(self, clauses: MemoryObjectReceiveStream[str]) -> None:
        async with clauses:
            while (clause := await self._next_clause(clauses)) is not None:
                await self._say(clause)
        await self._may_play()
        self._stage.mouth.finish(turn=self.turn, revision=self.revision)

    async def _next_clause(self, clauses: MemoryObjectReceiveStream[str]) -> str | None:
        """The next one; a filler where she would wait too long; an apology and the end where it never comes."""
        for patience, instead in self._while_waiting():
            try:
                async with asyncio.timeout(patience):
                    return await clauses.receive()
            except TimeoutError:
                await self.committed.wait()
                if instead and not self._stage.mouth.playing:
                    await self._say(instead)
            except anyio.EndOfStream:
                return None
        self._trouble("responder", TimeoutError())
        await self._say(self._phrasing.apology)
        return None

    def _while_waiting(self) -> tuple[tuple[float, str], ...]:
        phrasing = self._phrasing
        rest = max(0.0, phrasing.give_up_after - phrasing.filler_after)
        return (phrasing.filler_after, phrasing.filler), (rest, "")

    async def _say(self, clause: str) -> None:
        said = 0
        try:
            said = await self._synthesise(clause)
        except (EngineFailed, TimeoutError) as failure:
            self._trouble("synthesizer", failure)
        if rest := clause[said:]:
            await self._may_play()
            self._stage.mouth.play(_NO_SOUND, rest, turn=self.turn, revision=self.revision)

    async def _synthesise(self, clause: str) -> int:
        """Characters of `clause` that got a sound."""
        said = 0
        if self._stage.synthesizer is None:
            return said
        speech = self._stage.synthesizer.speak(clause, self._voice)
        async with closing(speech), asyncio.timeout(FIRST_SOUND_S) as deadline:
            async for piece in speech:
                deadline.reschedule(None)
                self.marks.setdefault("first_audio", self._stage.now())
                await self._may_play()
                self._stage.mouth.play(piece.chunk, clause[said : piece.end], turn=self.turn, revision=self.revision)
                said = max(said, piece.end)
                await self._stage.mouth.room()
                deadline.reschedule(asyncio.get_running_loop().time() + FIRST_SOUND_S)
        return said

    async def _may_play(self) -> None:
        await self.committed.wait()
        if not self._holds_floor:
            await self._stage.floor.acquire()
            self._holds_floor = True

    def _trouble(self, part: ports.Part, failure: Exception) -> None:
        code = failure.engine if isinstance(failure, EngineFailed) else type(failure).__name__
        log.warning("engine trouble", part=part, code=code)
        self._stage.tell(TroubleNote(part, code))


@asynccontextmanager
async def closing(source: AsyncIterator[object]) -> AsyncIterator[None]:
    """An async generator left in the middle is closed at once, not by the garbage collector."""
    try:
        yield
    finally:
        if aclose := getattr(source, "aclose", None):
            await aclose()
