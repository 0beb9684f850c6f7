"""A call's voice: carries out what the turn machine wants, with the ear, the mouth and the engines.

::

    ear ──20 ms──> Hearing (detector) ──Frame──┐                     ┌──> Utterances (recognizer)
    Utterances ──Partial, Final────────────────┤──> turn.advance ───>├──> Replies (responder, synthesizer)
    Playout ──Audible, Over────────────────────┤      (pure)         └──> mouth: duck, pause, cut; journal: notes
    gateway ──say, hear, interrupt, hand_over──┘

One clock: the event loop's, from the start of `run`. One TaskGroup: at most the ear, two utterances (one of which may
still be finishing) and two replies of two tasks each, so seven tasks beside the two of the leg.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, assert_never

import structlog

from media import ports
from media import turn_events as ev
from media.audio import AudioChunk
from media.engines import Engines
from media.hearing import Hearing
from media.keys import Keys
from media.language import Following
from media.listening import Utterances
from media.playout import Playout, Progress
from media.ports import BargeInNote, CaptionNote, IdleNote, Transcript, TroubleNote
from media.profile import Profile
from media.replies import Replies
from media.speaking import Stage
from media.turn import DEFAULT, advance
from media.turn_state import Stage as Quiet
from media.turn_state import Tuning, Turn

log = structlog.get_logger(__name__)

LAST_WORDS_S = 3.0
"""After she has hung up: for the recognizer to say what her last words were."""


class Voice:
    """`journal` gets every note in order. All methods but `run` return at once."""

    def __init__(
        self,
        ear: ports.Ear,
        mouth: Playout,
        engines: Engines,
        responder: ports.Responder,
        journal: ports.Journal,
        profile: Profile,
        tuning: Tuning = DEFAULT,
    ) -> None:
        self._ear, self._mouth, self._journal, self._profile = ear, mouth, journal, profile
        self._tuning = tuning
        self.state = Turn()
        self._following = Following(profile.language)
        self._hearing = Hearing(engines.detector(), engines.onset(), mouth.sent)
        self._deaf = engines.recognizer is None
        self._keys = Keys(self._entered)
        self._events: deque[ev.Event] = deque()
        self._telling = False
        self._tasks: asyncio.TaskGroup | None = None
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._utterances = Utterances(engines.recognizer, self._spawn, self._words, self._recognizer_failed)
        stage = Stage(mouth, engines.synthesizer, asyncio.Lock(), journal, self._now)
        self._replies = Replies(stage, responder, profile, self._spawn)

    # ------------------------------------------------------------ the gateway's side

    async def run(self) -> None:
        """Until the ear ends and what it heard last is in words; cancel to stop before. Leaves no task, and the words
        of both sides settled."""
        self._mouth.listener = self._progress
        async with asyncio.TaskGroup() as self._tasks:
            try:
                if self._profile.greet:
                    self._greet()
                async for chunk in self._ear:
                    self._hear_chunk(chunk)
                self._tell(ev.HangUp(self._now()))
                await self._utterances.settled(LAST_WORDS_S)
            finally:
                self._end()

    def _greet(self) -> None:
        self.say(self._profile.greeting[self.language], uninterruptible=True)
        if more := self._profile.after_greeting.get(self.language):
            self.say(more)

    def _end(self) -> None:
        self._tell(ev.Close(self._now()))
        self._mouth.listener = None
        self._keys.close()
        self._utterances.close()
        self._replies.close()
        self._tasks = None

    def say(self, text: str, uninterruptible: bool = False) -> None:
        """Say `text` when it is our turn; uninterruptible: now, and to its end."""
        self._tell(ev.Say(self._now(), text, uninterruptible))

    def hear(self, text: str, source: ev.Source = "typed") -> None:
        """She typed, tapped a choice or pressed a key: a turn like a spoken one, and it stops the assistant. Keys are
        gathered into one entry, in silence."""
        if source == "key":
            if not self.state.protected:
                self._mouth.pause()
            self._keys.press(text)
            return
        self._following = self._following.read(text)
        self._tell(ev.Typed(self._now(), text, source))

    def _entered(self, digits: str) -> None:
        """What the key pad gave; nothing where it was taken back."""
        if self.state.stage is not Quiet.HUSHED:
            self._mouth.resume()
        if digits:
            self._tell(ev.Typed(self._now(), digits, "key"))

    def interrupt(self) -> None:
        """Silence within the next frame; what she is saying just now gets no reply."""
        self._tell(ev.Interrupt(self._now()))

    def hand_over(self) -> None:
        """An advisor has the call: only captions of hers from now on."""
        self._tell(ev.HandOver(self._now()))

    def take_back(self, words: str = "") -> None:
        """The assistant again; it says `words`, or once more what it is."""
        self._tell(ev.TakeBack(self._now()))
        self.say(words or self._profile.greeting[self.language], uninterruptible=True)

    @property
    def language(self) -> ports.Language:
        return self._following.language

    # ------------------------------------------------------------ events in

    def _now(self) -> float:
        return self._loop.time() - self._started

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._tasks is not None
        return self._tasks.create_task(work)

    def _hear_chunk(self, chunk: AudioChunk) -> None:
        self._utterances.feed(chunk)
        for heard in self._hearing.feed(chunk):
            self._tell(ev.Frame(self._now(), heard.seconds, heard.speech, heard.onset, heard.level))

    def _progress(self, progress: Progress) -> None:
        turn, revision = progress.turn, progress.revision
        if progress.audible:
            self._replies.audible(turn, revision)
            self._tell(ev.Audible(self._now(), turn, revision))
        self._replies.show(turn, revision, over=progress.over)
        if progress.over:
            self._tell(ev.Over(self._now(), turn, revision))

    def _words(self, utterance: int, transcript: Transcript | None) -> None:
        if transcript is None or not transcript.final:
            text = transcript.text if transcript else None
            return self._tell(ev.Partial(self._now(), utterance, text))
        self._following = self._following.hear(transcript.text)
        return self._tell(ev.Final(self._now(), utterance, transcript.text, transcript.confirm))

    def _recognizer_failed(self, code: str) -> None:
        log.warning("recognizer failed", code=code)
        self._journal(TroubleNote("recognizer", code))
        self.say(self._profile.not_heard[self.language])

    def _tell(self, event: ev.Event) -> None:
        """Events that effects cause wait until the effects of this one are done."""
        self._events.append(event)
        if self._telling or self._tasks is None:
            return
        self._telling = True
        try:
            while self._events:
                self.state, effects = advance(self.state, self._events.popleft(), self._tuning)
                for effect in effects:
                    self._carry_out(effect)
        finally:
            self._telling = False

    # ------------------------------------------------------------ effects out

    def _carry_out(self, effect: ev.Effect) -> None:
        match effect:
            case ev.Listen() | ev.Guess() | ev.Finalize() | ev.Forget():
                self._recognize(effect)
            case ev.AskReply() | ev.Commit() | ev.Drop() | ev.Settle() | ev.Speak() | ev.Cut() | ev.Silence():
                self._reply(effect)
            case ev.Duck() | ev.Restore() | ev.Pause() | ev.Resume():
                self._steady(effect)
            case ev.Caption():
                self._journal(CaptionNote("customer", effect.turn, effect.text, effect.final, language=self.language))
            case ev.BargedIn():
                latency_ms = (effect.hushed - effect.onset) * 1000
                self._journal(BargeInNote(effect.turn, latency_ms, effect.false))
            case ev.Idle():
                self._idle(effect)
            case _:
                assert_never(effect)

    def _recognize(self, effect: ev.Listen | ev.Guess | ev.Finalize | ev.Forget) -> None:
        match effect:
            case ev.Listen():
                before = tuple(self._hearing.preroll)
                self._utterances.listen(effect.utterance, before, self.language, self._profile.hotwords)
            case ev.Guess():
                self._utterances.guess(effect.utterance)
            case ev.Finalize():
                self._hearing.preroll.clear()
                self._replies.ended(effect.ended, self._now())
                self._utterances.finalize(effect.utterance)
                self._admit_deafness()
            case ev.Forget():
                self._utterances.forget(effect.utterance)
            case _:
                assert_never(effect)

    def _admit_deafness(self) -> None:
        """Once a call, and only to somebody who speaks."""
        if self._deaf:
            self._deaf = False
            self.say(self._profile.no_recognizer[self.language])

    def _reply(self, effect: ev.AskReply | ev.Commit | ev.Drop | ev.Settle | ev.Speak | ev.Cut | ev.Silence) -> None:
        match effect:
            case ev.AskReply():
                following = self._following  # final words were heard when they came
                self._replies.ask(effect, (following.hear(effect.text) if effect.speculative else following).language)
            case ev.Speak():
                self._replies.announce(effect, self.language)
            case ev.Commit():
                self._replies.commit(effect.turn, effect.revision)
            case ev.Drop():
                self._replies.drop(effect.turn, effect.revision)
            case ev.Cut():
                reopened = effect.turn == self.state.turn and not self.state.settled
                self._replies.cut(effect.turn, effect.revision, done=not reopened)
            case ev.Settle():
                self._replies.settle(effect, self.language)
            case ev.Silence():
                self._replies.silence()
            case _:
                assert_never(effect)

    def _steady(self, effect: ev.Duck | ev.Restore | ev.Pause | ev.Resume) -> None:
        match effect:
            case ev.Duck():
                self._mouth.duck(True)
            case ev.Restore():
                self._mouth.duck(False)
            case ev.Pause():
                self._mouth.pause()
            case ev.Resume():
                self._mouth.resume()
            case _:
                assert_never(effect)

    def _idle(self, idle: ev.Idle) -> None:
        self._journal(IdleNote(idle.seconds, idle.times))
        if idle.times <= self._profile.idle_prompts:
            self.say(self._profile.still_there[self.language])
