"""The laws of a call, for any order of events."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.call import (
    AdvisorConnected,
    AdvisorGone,
    AssistantReady,
    Bridge,
    Call,
    CustomerConnected,
    CustomerDropped,
    CustomerLeft,
    Disown,
    DropAdvisor,
    Effect,
    Event,
    Expired,
    Finish,
    HandBackAsked,
    Interrupt,
    Placed,
    Refuse,
    Show,
    Speak,
    Stopped,
    TakeOverAsked,
    Unbridge,
    advance,
)
from signaling.protocol import ErrorCode

advisors = st.sampled_from(["wang", "li", "chen"])
common = st.one_of(
    st.builds(TakeOverAsked, advisors),
    st.builds(AdvisorConnected, advisors),
    st.builds(AdvisorGone, advisors),
    st.builds(HandBackAsked, advisors),
    st.builds(AssistantReady),
    st.builds(CustomerConnected),
    st.builds(CustomerDropped),
    st.builds(Expired, st.sampled_from(["connect", "takeover", "away"])),
)
rare = st.one_of(st.builds(Placed), st.builds(CustomerLeft), st.builds(Stopped, st.just("draining")))
stories = st.lists(st.one_of(common, common, common, rare), max_size=60)


@dataclass(frozen=True)
class Line:
    """Who she hears, folded from the effects alone."""

    assistant: bool = False
    advisor: str | None = None
    finished: int = 0


def _follow(line: Line, effect: Effect) -> Line:
    match effect:
        case Speak():
            return replace(line, assistant=True)
        case Interrupt():
            return replace(line, assistant=False)
        case Bridge(advisor):
            return replace(line, advisor=advisor)
        case Unbridge():
            return replace(line, advisor=None)
        case Finish():
            return replace(line, finished=line.finished + 1)
        case _:
            return line


def _tell(story: list[Event]) -> list[tuple[Call, Event, Call, tuple[Effect, ...], Line]]:
    call, line, told = Call(), Line(), []
    for event in [Placed(), CustomerConnected(), *story]:
        before = call
        call, effects = advance(call, event)
        for effect in effects:
            line = _follow(line, effect)
        told.append((before, event, call, effects, line))
    return told


@given(stories)
def test_she_always_has_exactly_one_of_them(story: list[Event]) -> None:
    for _, _, call, _, line in _tell(story):
        if call.answered and not call.away and call.state != "ended":
            assert line.assistant != (line.advisor is not None)
        if call.away:
            assert not line.assistant
            assert line.advisor is None


@given(stories)
def test_she_is_bridged_only_to_the_advisor_who_has_the_call(story: list[Event]) -> None:
    for _, _, call, _, line in _tell(story):
        if line.advisor is not None and call.state != "ended":
            assert call.state in ("with_advisor", "handing_back")
            assert call.advisor == line.advisor


@given(stories)
def test_interrupt_and_bridge_are_one_transition_of_a_connected_advisor(story: list[Event]) -> None:
    for before, event, _, effects, _ in _tell(story):
        if any(isinstance(effect, Bridge) for effect in effects):
            assert isinstance(event, AdvisorConnected | CustomerConnected)
            if isinstance(event, AdvisorConnected) and before.state != "with_advisor":  # there he is on a new leg
                assert before.state == "taking_over"
                assert Interrupt() in effects


@given(stories)
def test_one_winner(story: list[Event]) -> None:
    for before, event, after, effects, _ in _tell(story):
        if isinstance(event, TakeOverAsked) and before.advisor not in (None, event.advisor) and before.state != "ended":
            assert after == before
            assert effects == (Refuse(ErrorCode.TAKEN),)


@given(stories)
def test_the_epoch_grows_with_each_change_of_who_speaks(story: list[Event]) -> None:
    for before, _, after, _, _ in _tell(story):
        held = {"with_advisor", "handing_back"}
        changed = (before.state in held) != (after.state in held) and after.state != "ended"
        assert after.epoch == before.epoch + changed


@given(stories)
def test_it_ends_once_and_stays_ended(story: list[Event]) -> None:
    told = _tell(story)
    assert told[-1][4].finished == (1 if told[-1][2].state == "ended" else 0)
    for before, _, after, effects, _ in told:
        if before.state == "ended":
            assert after == before
            assert all(isinstance(effect, Refuse) for effect in effects)


@given(stories)
def test_every_change_is_shown(story: list[Event]) -> None:
    for before, _, after, effects, _ in _tell(story):
        if (before.shown, before.advisor) != (after.shown, after.advisor):
            assert Show() in effects


def _play(*events: Event) -> tuple[Call, tuple[Effect, ...]]:
    call, effects = Call(), ()
    for event in events:
        call, effects = advance(call, event)
    return call, effects


UP = (Placed(), CustomerConnected())
TAKEN = (*UP, TakeOverAsked("wang"), AdvisorConnected("wang"))


def test_the_assistant_talks_until_the_advisor_is_there() -> None:
    _, effects = _play(*UP, TakeOverAsked("wang"))
    assert Interrupt() not in effects
    _, effects = _play(*TAKEN)
    assert effects[1:3] == (Interrupt(), Bridge("wang"))


def test_an_advisor_who_vanishes_is_told_and_the_assistant_comes_back() -> None:
    call, effects = _play(*TAKEN, AdvisorGone("wang"))
    assert call.state == "with_assistant"
    assert effects[:4] == (Unbridge(), Speak("advisor_gone"), DropAdvisor("wang"), Show())
    assert effects[4] == Disown("wang", vanished=True)


def test_handing_back_gives_the_conversation_first() -> None:
    call, effects = _play(*TAKEN, HandBackAsked("wang"))
    assert (call.state, effects[0]) == ("handing_back", Disown("wang"))
    call, effects = _play(*TAKEN, HandBackAsked("wang"), AssistantReady())
    assert effects[:2] == (Unbridge(), Speak("handed_back"))


def test_a_network_switch_in_a_takeover_bridges_again() -> None:
    call, effects = _play(*TAKEN, CustomerDropped(), CustomerConnected())
    assert call.state == "with_advisor"
    assert Bridge("wang") in effects
    call, _ = _play(*TAKEN, CustomerDropped(), Expired("away"))
    assert call.reason == "lost"


def test_an_advisor_whose_network_switches_is_bridged_again() -> None:
    call, effects = _play(*TAKEN, TakeOverAsked("wang"))
    assert (call, effects) == (_play(*TAKEN)[0], ())
    call, effects = _play(*TAKEN, TakeOverAsked("wang"), AdvisorConnected("wang"))
    assert (call, effects) == (_play(*TAKEN)[0], (Bridge("wang"),))
    _, effects = _play(*TAKEN, TakeOverAsked("li"))
    assert effects == (Refuse(ErrorCode.TAKEN),)


def test_a_call_that_never_connects_ends() -> None:
    call, effects = _play(Placed(), Expired("connect"))
    assert (call.state, call.reason) == ("ended", "never_connected")
    assert Finish("never_connected") in effects
