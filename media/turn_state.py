"""PURE: the state of the turn machine (media.turn) and its thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from media import turn_events as ev
from media.backchannel import words
from media.endpointing import Habits
from media.voicing import Voicing


class Phase(StrEnum):
    LISTENING = "listening"
    CUSTOMER_SPEAKING = "customer_speaking"
    THINKING = "thinking"
    ASSISTANT_SPEAKING = "assistant_speaking"


class Stage(StrEnum):
    NONE = "none"
    DUCKED = "ducked"
    HUSHED = "hushed"
    TALKED_OVER = "talked_over"
    """There are no words in it: we go on, and listen on."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Seconds of audio. Chosen by benchmarks/voice.py (false interruptions against missed ones)."""

    start: float = 0.09
    """Voice that begins a turn while nobody speaks."""
    sign: float = 0.03
    """Voice over the assistant: duck."""
    hush: float = 0.06
    """Voice over the assistant: silence, sample held."""
    onset: tuple[float, float] = (0.03, 0.2)
    """A fresh onset, neither a click nor a steady noise: hush on the quick detector's word alone…"""
    onset_wait: float = 0.22
    """…but go on if the good one has not agreed by then…"""
    onset_rest: float = 20.0
    """…and do not believe it again for this long: the room is noisy."""
    hush_thinking: float = 0.12
    confirm: float = 0.42
    """Voice without any words, over the assistant: an interruption. A cough is shorter."""
    confirm_unheard: float = 0.9
    """The same while the recognizer is still looking for the words."""
    ask_words: float = 0.25
    wordless: float = 0.9
    """Voice in which a recognizer finds no words: a child's babble, more likely than hers. We go on speaking and listen
    on: there is nothing to answer, and the first words in it cut."""
    louder: float = 4.0
    """Decibels: so much above what is talked over, it may be her on top of it: hush again."""
    confirm_wordless: float = 5.0
    """Who insists for so long is given the floor even without words."""
    doubtful: float = 60.0
    """Voice over ours that brought no words makes the room doubtful for so long, or until there are words: voice alone
    must last twice as long to cut, and what has no words is talked over twice as soon."""
    confirm_backchannel: float = 1.6
    """Nobody says mm-hm for this long."""
    least: float = 0.16
    """Words in less voice than this are a recognizer's fancy."""
    forget: float = 0.16
    """Silence after which a sign too short to mean anything is forgotten."""
    release: float = 0.3
    """Silence after which a hushed reply goes on."""
    patience: float = 1.0
    """How much longer for the recognizer to say what it was."""
    guess: float = 0.1
    grace: float = 1.2
    """After the end of her speech: going on reopens the turn even if the reply was just audible. Nobody has heard and
    understood an answer in what is left of it, so it is her own thought that she goes on with."""
    longest: float = 28.0
    """Of one utterance; recognizers take 30 s."""
    idle: float = 10.0
    guesses: int = 3
    later: int = 4


@dataclass(frozen=True, slots=True)
class Utterance:
    id: int
    text: str = ""
    guessed: bool = False
    """A partial was asked for since the last voice."""
    answered: bool = False
    """…and came."""
    wordless: bool = False
    """The recognizer has listened to some of it and found no words."""
    ending: bool = False
    """`Finalize` was asked."""
    final: bool = False
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What is being said or prepared. `announced`: the gateway's words, no answer to a turn of hers."""

    turn: int
    revision: int
    text: str = ""
    speculative: bool = False
    announced: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    phase: Phase = Phase.LISTENING
    stage: Stage = Stage.NONE
    voicing: Voicing = Voicing()
    turn: int = 0
    """Her current turn."""
    revision: int = -1
    """The last reply asked for in it."""
    answered: int = -1
    """The revision she has heard something of."""
    typed: bool = False
    written: bool = False
    """What she typed in the chat is in the log before it comes here; keys and speech are not."""
    utterances: tuple[Utterance, ...] = ()
    doubt: Utterance | None = None
    hushed_at: float = 0.0
    loudest: float = -120.0
    """dBFS, of the voice in this doubt."""
    onset_at: float = 0.0
    """When the voice that hushed us began."""
    wary_until: float = 0.0
    """The quick detector was wrong not long ago."""
    doubtful_until: float = 0.0
    """There was voice over ours that brought no words."""
    ended: float = 0.0
    """When her voice in this turn ended."""
    reply: Reply | None = None
    protected: frozenset[int] = frozenset()
    """Turns of protected speech not over yet."""
    later: tuple[ev.Say, ...] = ()
    muted: bool = False
    """This turn gets no reply (a red flag was raised in it, or an advisor took over)."""
    settled: bool = True
    handed_over: bool = False
    last_turn: int = 0
    last_utterance: int = 0
    guesses: int = 0
    at: float = 0.0
    """Of the last event."""
    quiet_since: float = 0.0
    idles: int = 0
    habits: Habits = field(default_factory=Habits)

    @property
    def doubtful(self) -> bool:
        return self.at < self.doubtful_until

    @property
    def text(self) -> str:
        return joined(u.text for u in self.utterances)

    @property
    def quiet(self) -> bool:
        """Nothing is said by anyone and nothing is on its way."""
        ours = self.protected or self.handed_over
        return self.phase is Phase.LISTENING and not ours and not self.voicing.voiced

    @property
    def overheard(self) -> bool:
        """Every utterance of this turn has its final words."""
        return all(u.final for u in self.utterances)

    def with_utterance(self, changed: Utterance) -> "Turn":
        return replace(self, utterances=tuple(changed if u.id == changed.id else u for u in self.utterances))

    def utterance(self, id: int) -> Utterance | None:
        return next((u for u in self.utterances if u.id == id), None)


def joined(texts: Iterable[str]) -> str:
    """Utterances of one turn as one text; a space only between Latin words."""
    whole = ""
    for text in filter(None, texts):
        glue = " " if whole and whole[-1].isascii() and text[0].isascii() else ""
        whole += glue + text
    return whole


def same_words(one: str, other: str) -> bool:
    """A final that only adds punctuation to the partial need not be answered again."""
    return words(one) == words(other)
