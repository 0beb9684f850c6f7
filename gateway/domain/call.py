"""PURE: a call, from the tap to its end. Who speaks to her, and how that changes hands.

::

    REQUESTED --placed--> CONNECTING --connected--> WITH_ASSISTANT <-------------------- HANDING_BACK
                                                     |        ^  ^                            ^
                                          asked for  v        |  |  advisor gone              | hand back
                                                TAKING_OVER --+  +---------------------- WITH_ADVISOR
                                                     |   gave up                              ^
                                                     +--------- advisor connected ------------+
    any --left, lost for good, never connected, draining, failed--> ENDED(reason)

*Takeover is two-phase*: while TAKING_OVER the assistant goes on talking; only when the advisor's own leg is connected
do `Interrupt` and `Bridge` come, together, in one transition. One winner: whoever is asked for second is refused.
The advisor who has the call may come on a new leg of his own (his network switched): he is bridged again, nothing else.
`epoch` grows with each change of who speaks to her.

Being *away* (her line dropped, she comes back on a new peer connection under the same call) lies across all states:
nothing is lost, nobody is bridged, and on return the call goes on where it is.

Laws (tests/gateway/test_call.py): `advance` is total; while she is there she always has somebody, the assistant or an
advisor, never both and never none; one Finish; the epoch only grows.
"""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from signaling.protocol import CallState, ErrorCode

Timer = Literal["connect", "takeover", "away"]
Notice = Literal["ai", "advisor_gone", "handed_back", "welcome_back"]
Reason = Literal["customer_left", "advisor_left", "never_connected", "lost", "silent", "replaced", "draining", "failed"]

TAKEOVER_S = 15.0
AWAY_S = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """`advisor`: who has it or is about to. `away`: her line is down. `answered`: she has been on the line."""

    state: CallState = "requested"
    epoch: int = 0
    advisor: str | None = None
    away: bool = False
    answered: bool = False
    reason: Reason | None = None
    connect_s: float = 15.0

    @property
    def shown(self) -> CallState:
        """What the pages show."""
        return "reconnecting" if self.away and self.state != "ended" else self.state


# ---------------------------------------------------------------- what happens


@dataclass(frozen=True, slots=True)
class Placed:
    pass


@dataclass(frozen=True, slots=True)
class CustomerConnected:
    """For the first time, or again on a new peer connection."""


@dataclass(frozen=True, slots=True)
class CustomerDropped:
    """Her line is dead; she may come back."""


@dataclass(frozen=True, slots=True)
class CustomerLeft:
    pass


@dataclass(frozen=True, slots=True)
class TakeOverAsked:
    advisor: str


@dataclass(frozen=True, slots=True)
class AdvisorConnected:
    advisor: str


@dataclass(frozen=True, slots=True)
class AdvisorGone:
    """Hung up, vanished, or never got through."""

    advisor: str


@dataclass(frozen=True, slots=True)
class HandBackAsked:
    advisor: str


@dataclass(frozen=True, slots=True)
class AssistantReady:
    """The conversation is the assistant's again."""


@dataclass(frozen=True, slots=True)
class Expired:
    timer: Timer


@dataclass(frozen=True, slots=True)
class Stopped:
    """By the house: draining, replaced by a newer call, failed."""

    reason: Reason


Event = (
    Placed
    | CustomerConnected
    | CustomerDropped
    | CustomerLeft
    | TakeOverAsked
    | AdvisorConnected
    | AdvisorGone
    | HandBackAsked
    | AssistantReady
    | Expired
    | Stopped
)

# ---------------------------------------------------------------- what is to be done


@dataclass(frozen=True, slots=True)
class Show:
    """Write and tell the new state."""


@dataclass(frozen=True, slots=True)
class Speak:
    """The assistant takes the line and says this first; None: it goes on without a word."""

    notice: Notice | None


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The assistant falls silent now and answers no more; its ear goes on, for captions."""


@dataclass(frozen=True, slots=True)
class Bridge:
    advisor: str


@dataclass(frozen=True, slots=True)
class Unbridge:
    pass


@dataclass(frozen=True, slots=True)
class DropAdvisor:
    """Close this advisor's leg."""

    advisor: str


@dataclass(frozen=True, slots=True)
class Own:
    """The conversation is this advisor's."""

    advisor: str


@dataclass(frozen=True, slots=True)
class Disown:
    """The conversation is the assistant's; `AssistantReady` follows. `vanished`: she waits for another advisor."""

    advisor: str
    vanished: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class Disarm:
    timer: Timer


@dataclass(frozen=True, slots=True)
class Finish:
    reason: Reason


@dataclass(frozen=True, slots=True)
class Refuse:
    code: ErrorCode


Effect = Show | Speak | Interrupt | Bridge | Unbridge | DropAdvisor | Own | Disown | Arm | Disarm | Finish | Refuse
Step = tuple[Call, tuple[Effect, ...]]


def advance(call: Call, event: Event) -> Step:
    """Total: an event that comes too late changes nothing."""
    if call.state == "ended":
        return call, (Refuse(ErrorCode.WRONG_STATE),) if isinstance(event, TakeOverAsked | HandBackAsked) else ()
    match event:
        case Placed():
            return _placed(call)
        case CustomerConnected():
            return _connected(call)
        case CustomerDropped():
            return _dropped(call)
        case CustomerLeft():
            return _end(call, "customer_left")
        case TakeOverAsked(advisor):
            return _asked(call, advisor)
        case AdvisorConnected(advisor):
            return _advisor_connected(call, advisor)
        case AdvisorGone(advisor):
            return _advisor_gone(call, advisor)
        case HandBackAsked(advisor):
            return _hand_back(call, advisor)
        case AssistantReady():
            return _handed_back(call)
        case Expired(timer):
            return _expired(call, timer)
        case Stopped(reason):
            return _end(call, reason)
        case _:
            assert_never(event)


def _placed(call: Call) -> Step:
    if call.state != "requested":
        return call, ()
    return replace(call, state="connecting"), (Arm("connect", call.connect_s), Show())


def _connected(call: Call) -> Step:
    if call.state == "connecting":
        return replace(call, state="with_assistant", answered=True), (Disarm("connect"), Speak("ai"), Show())
    if not call.away:
        return call, ()
    back = replace(call, away=False)
    if call.state == "with_advisor" and call.advisor:
        return back, (Disarm("away"), Bridge(call.advisor), Show())
    return back, (Disarm("away"), Speak("welcome_back"), Show())


def _dropped(call: Call) -> Step:
    if call.away or not call.answered:
        return call, ()
    bridged: tuple[Effect, ...] = (Unbridge(),) if call.state in ("with_advisor", "handing_back") else (Interrupt(),)
    return replace(call, away=True), (*bridged, Arm("away", AWAY_S), Show())


def _asked(call: Call, advisor: str) -> Step:
    if call.advisor not in (None, advisor):
        return call, (Refuse(ErrorCode.TAKEN),)
    if call.state == "with_advisor":
        return call, ()
    if call.state not in ("with_assistant", "taking_over"):
        return call, (Refuse(ErrorCode.WRONG_STATE),)
    return replace(call, state="taking_over", advisor=advisor), (Arm("takeover", TAKEOVER_S), Show())


def _advisor_connected(call: Call, advisor: str) -> Step:
    if call.advisor != advisor:
        return call, (DropAdvisor(advisor),)
    if call.state == "with_advisor" and not call.away:
        return call, (Bridge(advisor),)
    if call.state != "taking_over":
        return call, ()
    taken = replace(call, state="with_advisor", epoch=call.epoch + 1)
    joined: tuple[Effect, ...] = () if call.away else (Interrupt(), Bridge(advisor))
    return taken, (Disarm("takeover"), *joined, Own(advisor), Show())


def _advisor_gone(call: Call, advisor: str) -> Step:
    if call.advisor != advisor:
        return call, ()
    if call.state == "taking_over":
        back = replace(call, state="with_assistant", advisor=None)
        return back, (Disarm("takeover"), DropAdvisor(advisor), Show())
    back, effects = _to_assistant(call, "advisor_gone")
    return back, (*effects, Disown(advisor, vanished=True))


def _hand_back(call: Call, advisor: str) -> Step:
    if call.state != "with_advisor" or call.advisor != advisor:
        return call, (Refuse(ErrorCode.WRONG_STATE),)
    return replace(call, state="handing_back"), (Disown(advisor), Show())


def _handed_back(call: Call) -> Step:
    return _to_assistant(call, "handed_back") if call.state == "handing_back" else (call, ())


def _to_assistant(call: Call, notice: Notice) -> Step:
    """The line goes from the advisor to the assistant in one transition."""
    assert call.advisor is not None
    back = replace(call, state="with_assistant", advisor=None, epoch=call.epoch + 1)
    turned: tuple[Effect, ...] = () if call.away else (Unbridge(), Speak(notice))
    return back, (*turned, DropAdvisor(call.advisor), Show())


def _expired(call: Call, timer: Timer) -> Step:
    match timer:
        case "connect":
            return _end(call, "never_connected") if call.state == "connecting" else (call, ())
        case "takeover":
            gone = call.state == "taking_over" and call.advisor
            return _advisor_gone(call, gone) if gone else (call, ())
        case "away":
            return _end(call, "lost") if call.away else (call, ())
        case _:
            assert_never(timer)


def _end(call: Call, reason: Reason) -> Step:
    return replace(call, state="ended", reason=reason, away=False), (Finish(reason), Show())
