"""PURE: what the turn machine is told, and what it wants done. `at` is seconds on the one clock of the call.

An *utterance* is one stretch of her speech with one recognizer stream; a *turn* is one or more utterances and gets one
reply; a reply is known by (turn, revision), and a revision that is not the newest is never heard.
"""

from dataclasses import dataclass
from typing import Literal

Source = Literal["speech", "typed", "key"]


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Frame:
    """`speech`: probability that this frame, `seconds` long and ending now, is hers (0 where it is our echo).
    `onset`: for how long the quick detector has been taking it for speech; it is early, and easily fooled.
    `level`: dBFS."""

    at: float
    seconds: float
    speech: float
    onset: float = 0.0
    level: float = -120.0


@dataclass(frozen=True, slots=True)
class Partial:
    """`text` None: the recognizer cannot say yet; empty: it has listened, and there are no words in it."""

    at: float
    utterance: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Final:
    """The recognizer is done with an utterance. No words (or no recognizer): empty text."""

    at: float
    utterance: int
    text: str
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    at: float
    text: str
    source: Source = "typed"


@dataclass(frozen=True, slots=True)
class Say:
    """The gateway wants something said. `protected`: it cannot be interrupted (the notice, a red flag)."""

    at: float
    text: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Audible:
    """The first audible sample of this reply has left."""

    at: float
    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Over:
    """The last sample of this reply has left, or it turned out to have none."""

    at: float
    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Be silent now, whatever is being said; what she is saying gets no reply."""

    at: float


@dataclass(frozen=True, slots=True)
class HandOver:
    """An advisor has the call: listen for the captions, say nothing."""

    at: float


@dataclass(frozen=True, slots=True)
class TakeBack:
    at: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """She is gone: nothing more is said, but what she was saying is still put into words."""

    at: float


@dataclass(frozen=True, slots=True)
class Close:
    """What is known by now is all."""

    at: float


Event = Frame | Partial | Final | Typed | Say | Audible | Over | Interrupt | HandOver | TakeBack | HangUp | Close


# ---------------------------------------------------------------- effects


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a recognizer stream, with the half second before."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Guess:
    """Ask for a partial now: it is quiet, or a doubt has to be resolved."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Finalize:
    utterance: int
    ended: float
    """When her last voice ended."""


@dataclass(frozen=True, slots=True)
class Forget:
    utterance: int


@dataclass(frozen=True, slots=True)
class Caption:
    """Her words so far in this turn."""

    turn: int
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class AskReply:
    turn: int
    revision: int
    text: str
    speculative: bool
    source: Source = "speech"
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """Open the gate: this reply may be heard."""

    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A speculative reply nobody will hear."""

    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Settle:
    """The turn can no longer be reopened: her words are final, and this is the reply she hears (-1: there is none)."""

    turn: int
    revision: int
    text: str
    written: bool


@dataclass(frozen=True, slots=True)
class Speak:
    turn: int
    text: str
    protected: bool


@dataclass(frozen=True, slots=True)
class Duck:
    pass


@dataclass(frozen=True, slots=True)
class Restore:
    """Not she: full voice again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, holding the sample."""


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Cut:
    """Forget the rest of this reply and everything queued behind it."""

    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Forget everything that is said or was to be said, protected or not."""


@dataclass(frozen=True, slots=True)
class BargedIn:
    """She began at `onset`, we were silent at `hushed`. `false`: it was nothing, the reply went on."""

    turn: int
    onset: float
    hushed: float
    false: bool


@dataclass(frozen=True, slots=True)
class Idle:
    """It has been quiet for `seconds`, for the `times`-th time."""

    seconds: float
    times: int


Effect = (
    Listen
    | Guess
    | Finalize
    | Forget
    | Caption
    | AskReply
    | Commit
    | Drop
    | Settle
    | Speak
    | Duck
    | Restore
    | Pause
    | Resume
    | Cut
    | Silence
    | BargedIn
    | Idle
)
