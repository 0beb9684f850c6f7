"""A room in which the assistant speaks without end: what do the pipeline's hearing and the turn machine make of a
sound? No network; the recognizer is what a benchmark says it hears. Part of `benchmarks.interruptions`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from media import turn_events as ev
from media.audio import EAR_HZ, AudioChunk, Samples
from media.engines.silero import SileroDetector
from media.engines.webrtc import WebRtcDetector
from media.hearing import Heard, Hearing
from media.turn import advance
from media.turn_state import Phase, Reply, Tuning, Turn, Utterance

CHUNK = EAR_HZ // 50
AGAIN_S = 1.0
"""After a cut the assistant speaks again this much later."""
ANSWER_S, PACE_S, PARTIALS = 0.2, 0.6, 20
"""Of the recognizer: asked, and then every 0.6 s, it has its partial or final 0.2 s later."""
SPEAKING = Turn(
    phase=Phase.ASSISTANT_SPEAKING,
    turn=1,
    revision=0,
    answered=0,
    last_turn=1,
    last_utterance=1,
    utterances=(Utterance(1, "问", ending=True, final=True),),
    reply=Reply(1, 0, "答"),
    ended=-10.0,
)


@dataclass
class Reaction:
    """Times in seconds."""

    cuts: list[float] = field(default_factory=list)
    hushes: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    silent: float = 0.0

    def silence_after(self, at: float) -> float | None:
        """When it was silent from `at` on, or next."""
        hushed = [hush for hush in self.hushes if hush <= at]
        if (
            hushed
            and not any(hushed[-1] < back <= at for back in self.resumed)
            and not self._cut_between(hushed[-1], at)
        ):
            return at
        return min((when for when in (*self.hushes, *self.cuts) if when > at), default=None)

    def _cut_between(self, start: float, end: float) -> bool:
        return any(start <= cut < end for cut in self.cuts)


def frames(sound: Samples, ours: Samples | None = None) -> Iterator[tuple[float, Heard]]:
    """(end of frame, what the pipeline's hearing makes of it)."""
    ours = (
        np.zeros(len(sound) + EAR_HZ, np.int16) if ours is None else np.concatenate((np.zeros(EAR_HZ, np.int16), ours))
    )
    at = 0
    hearing = Hearing(SileroDetector(), WebRtcDetector(), lambda: ours[at : at + EAR_HZ])
    for start in range(0, len(sound) - CHUNK + 1, CHUNK):
        at = start + CHUNK
        for heard in hearing.feed(AudioChunk(sound[start:at], EAR_HZ)):
            yield at / EAR_HZ, heard


Words = Callable[[float], str]
"""What a recognizer finds in what has been heard until then."""


@dataclass
class Room:
    """The assistant speaks all the time. `words` None: there is no recognizer."""

    tuning: Tuning
    words: Words | None = None
    turn: Turn = SPEAKING
    reaction: Reaction = field(default_factory=Reaction)
    silent_since: float | None = None
    resting: float = 0.0
    answers: list[tuple[float, ev.Event]] = field(default_factory=list)
    """Of the recognizer, when they are due."""

    def hear(self, at: float, frame: Heard) -> None:
        if at < self.resting:
            return
        due = [event for when, event in self.answers if when <= at]
        self.answers = [answer for answer in self.answers if answer[0] > at]
        events = [ev.Frame(at, frame.seconds, frame.speech, frame.onset, frame.level), *due]
        while events:
            self.turn, effects = advance(self.turn, replace(events.pop(0), at=at), self.tuning)
            for effect in effects:
                events += self._carry_out(at, effect)
        if self.turn.reply is None:
            self._speak_again(at)

    def _carry_out(self, at: float, effect: ev.Effect) -> list[ev.Event]:
        match effect:
            case ev.Pause():
                self.reaction.hushes.append(at)
                self.silent_since = at
            case ev.Resume() if self.silent_since is not None:
                self.reaction.silent += at - self.silent_since
                self.silent_since = None
                self.reaction.resumed.append(at)
            case ev.Guess(utterance):
                if self.words is None:
                    return [ev.Partial(at, utterance, None)]
                asked = [at + n * PACE_S for n in range(PARTIALS)]
                self.answers += [(t + ANSWER_S, ev.Partial(t, utterance, self.words(t))) for t in asked]
            case ev.Finalize(utterance):
                if self.words is None:
                    return [ev.Final(at, utterance, "")]
                self._forget(utterance)
                self.answers.append((at + ANSWER_S, ev.Final(at, utterance, self.words(at))))
            case ev.Forget(utterance):
                self._forget(utterance)
            case ev.Cut():
                self.reaction.cuts.append(at)
        return []

    def _forget(self, utterance: int) -> None:
        self.answers = [a for a in self.answers if not isinstance(a[1], ev.Partial) or a[1].utterance != utterance]

    def _speak_again(self, at: float) -> None:
        """What the room has taught stays."""
        self.resting, self.answers, was = at + AGAIN_S, [], self.turn
        self.reaction.silent += AGAIN_S
        self.turn = replace(SPEAKING, wary_until=was.wary_until, doubtful_until=was.doubtful_until)


def listen(heard: Iterable[tuple[float, Heard]], tuning: Tuning, words: Words | None = None) -> Reaction:
    room = Room(tuning, words)
    for at, frame in heard:
        room.hear(at, frame)
    return room.reaction


def floor(heard: Iterable[tuple[float, Heard]]) -> list[float]:
    """Three frames in a row."""
    cuts, run, resting = list[float](), 0, 0.0
    for at, frame in heard:
        run = run + 1 if frame.speech >= 0.5 and at >= resting else 0
        if run == 3:
            cuts.append(at)
            run, resting = 0, at + AGAIN_S
    return cuts
