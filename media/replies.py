"""All replies of a call: asked for, behind the gate, heard, cut; their captions and their waterfalls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from media import ports
from media import turn_events as ev
from media.listening import Spawn
from media.ports import CaptionNote, Heard, Language
from media.profile import Profile
from media.speaking import Phrasing, Speaking, Stage
from media.stats import waterfall

log = structlog.get_logger(__name__)

Key = tuple[int, int]
_KEEP = 8
"""Replies remembered after they are over, for the turn to settle."""


@dataclass(slots=True)
class _Reply:
    speaking: Speaking
    heard: Heard | None
    """None: the gateway's own words."""
    language: Language
    task: "asyncio.Task[None] | None" = None
    done: bool = False
    """Its last caption was given."""


class Replies:
    def __init__(self, stage: Stage, responder: ports.Responder, profile: Profile, spawn: Spawn) -> None:
        self._stage, self._responder, self._profile, self._spawn = stage, responder, profile, spawn
        self._replies: dict[Key, _Reply] = {}
        self._heard = 0
        self._committing: asyncio.Task[None] | None = None
        self._ended = 0.0
        self._marks: dict[str, float] = {}

    # ------------------------------------------------------------ asked for

    def ask(self, asked: ev.AskReply, language: Language) -> None:
        if not asked.speculative:
            self._marks["transcription"] = self._stage.now()
        heard = Heard(asked.text, asked.turn, asked.revision, language, asked.speculative, asked.confirm, asked.source)
        reply = _Reply(self._speaking(asked.turn, asked.revision, language, self._heard + 1), heard, language)
        self._start(reply, self._responder.reply(heard))

    def announce(self, speak: ev.Speak, language: Language) -> None:
        reply = _Reply(self._speaking(speak.turn, 0, language, 0), None, language)
        reply.speaking.committed.set()
        self._start(reply, _once(speak.text), whole=True)

    def _speaking(self, turn: int, revision: int, language: Language, number: int) -> Speaking:
        profile = self._profile
        voice = ports.Voice(language, profile.voices.get(language, ""), profile.speed, number)
        phrasing = Phrasing(
            profile.filler[language], profile.apology[language], profile.filler_after, profile.give_up_after
        )
        return Speaking(turn, revision, voice, self._stage, phrasing)

    def _start(self, reply: _Reply, pieces: AsyncIterator[str], *, whole: bool = False) -> None:
        key = (reply.speaking.turn, reply.speaking.revision)
        self._replies[key] = reply
        for old in [key for key, known in self._replies.items() if known.done][:-_KEEP]:
            del self._replies[old]
        reply.task = self._spawn(self._run(reply, pieces, whole))

    async def _run(self, reply: _Reply, pieces: AsyncIterator[str], whole: bool) -> None:
        """A mistake of ours in one reply must not end the call."""
        try:
            await reply.speaking.run(pieces, whole=whole)
        except Exception:
            log.exception("reply failed")
            self._stage.mouth.finish(turn=reply.speaking.turn, revision=reply.speaking.revision)

    def commit(self, turn: int, revision: int) -> None:
        self._marks.setdefault("transcription", self._stage.now())
        self._replies[turn, revision].speaking.committed.set()

    def settle(self, settle: ev.Settle, language: Language) -> None:
        """Her words are final, and so is which reply is hers."""
        reply = self._replies.get((settle.turn, settle.revision))
        heard = reply.heard if reply else None
        if settle.text and not settle.written:
            self._stage.tell(CaptionNote("customer", settle.turn, settle.text, True, done=True, language=language))
        if heard:
            self._committing = self._spawn(self._committed(heard))

    async def _committed(self, heard: Heard) -> None:
        """A mistake of ours in what one reply brings with it must not end the call."""
        try:
            await self._responder.committed(heard)
        except Exception:
            log.exception("what a reply brings with it failed")

    # ------------------------------------------------------------ not heard, or not to the end

    def drop(self, turn: int, revision: int) -> None:
        reply = self._replies.pop((turn, revision))
        if reply.task:
            reply.task.cancel()

    def cut(self, turn: int, revision: int, *, done: bool) -> None:
        """`done`: the turn is over too; else its next revision will carry on the caption."""
        reply = self._replies[turn, revision]
        if reply.task:
            reply.task.cancel()
        self._stage.mouth.drop(turn=turn, revision=revision)
        heard = self._stage.mouth.spoken_text(turn)
        if heard and not reply.done:
            self._tell_caption(reply, turn, heard, len(heard), done=done, cut=True)
        reply.done = True

    def silence(self) -> None:
        for (turn, revision), reply in list(self._replies.items()):
            if not reply.done:
                self.cut(turn, revision, done=True)
        self._stage.mouth.flush()

    def close(self) -> None:
        self.silence()

    # ------------------------------------------------------------ heard

    def ended(self, ended: float, at: float) -> None:
        """Her speech ended at `ended`, and `at` we believed it."""
        self._ended = ended
        self._marks = {"endpointing": at}

    def audible(self, turn: int, revision: int) -> None:
        reply = self._replies.get((turn, revision))
        self._heard += reply is not None and reply.heard is not None
        if reply and reply.heard and reply.heard.source == "speech":
            marks = self._marks | reply.speaking.marks | {"playout": self._stage.now()}
            self._stage.tell(waterfall(turn, self._ended, marks))

    def show(self, turn: int, revision: int, *, over: bool) -> None:
        reply = self._replies.get((turn, revision))
        if not reply or reply.done:
            return
        line = self._stage.mouth.line(turn, revision)
        before = self._stage.mouth.spoken_text(turn, below=revision)
        reply.done = over
        if before or line.text:
            self._tell_caption(reply, turn, before + line.text, len(before) + line.lit, done=over, cut=False)

    def _tell_caption(self, reply: _Reply, turn: int, text: str, lit: int, *, done: bool, cut: bool) -> None:
        self._stage.tell(
            CaptionNote("assistant", turn, text, done, lit=lit, done=done, cut=cut, language=reply.language)
        )


async def _once(text: str) -> AsyncIterator[str]:
    yield text
