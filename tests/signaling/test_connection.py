"""Laws of a connection and of a feed, for any frames and any interleaving."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from signaling import connection as machine
from signaling.connection import (
    BURST,
    HELLO_DEADLINE_S,
    RATE_PER_S,
    SILENCE_S,
    Connection,
    Deliver,
    Effect,
    Ended,
    Feed,
    Greet,
    Hangup,
    Phase,
    Probe,
    Received,
    Reply,
    Ticked,
    Welcomed,
    advance,
    opened,
)
from signaling.protocol import MAX_FRAME_BYTES, Error, ErrorCode, Pong

HELLO = json.dumps({"type": "hello"})
SEND = json.dumps(
    {"type": "message.send", "conversation": "c-1", "nonce": "nonce-01", "body": {"kind": "text", "text": "你好"}}
)

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
TYPES = st.sampled_from(["hello", "ping", "message.send", "receipt.mark", "peer.offer", "call.start", "nonsense", ""])
TYPED = st.builds(
    lambda kind, rest: json.dumps({**rest, "type": kind}), TYPES, st.dictionaries(st.text(max_size=9), JSON)
)
FRAMES = st.text(max_size=200) | st.binary(max_size=200) | JSON.map(json.dumps) | TYPED | st.just(SEND)


def ready(now: float = 0.0) -> Connection:
    state, effects = advance(opened(now), Received(HELLO, now))
    assert isinstance(effects[0], Greet)
    return advance(state, Welcomed())[0]


def code(effects: tuple[Effect, ...]) -> ErrorCode | None:
    (effect,) = effects
    assert isinstance(effect, Reply)
    return effect.message.code if isinstance(effect.message, Error) else None


@given(st.lists(FRAMES, max_size=40))
def test_each_frame_is_delivered_or_answered_and_none_breaks_the_connection(frames: list[str | bytes]) -> None:
    state = ready()
    for n, frame in enumerate(frames):
        state, effects = advance(state, Received(frame, n * 0.1))
        assert len(effects) == 1
        assert isinstance(effects[0], Deliver | Reply)
        assert state.phase is Phase.READY


@given(st.lists(FRAMES, max_size=20))
def test_before_hello_nothing_is_delivered(frames: list[str | bytes]) -> None:
    state = opened(0.0)
    for frame in frames:
        state, effects = advance(state, Received(frame, 0.1))
        assert not any(isinstance(effect, Deliver) for effect in effects)


def test_what_is_wrong_is_said_with_a_code() -> None:
    cases: dict[str | bytes, ErrorCode] = {
        "{": ErrorCode.BAD_FRAME,
        "[1]": ErrorCode.BAD_FRAME,
        b"\x00\x01": ErrorCode.BAD_FRAME,
        "[" * 5_000: ErrorCode.BAD_FRAME,
        "{}": ErrorCode.UNKNOWN_TYPE,
        '{"type": "message.dance"}': ErrorCode.UNKNOWN_TYPE,
        '{"type": "message.send"}': ErrorCode.BAD_MESSAGE,
        '{"type": "ping", "surprise": 1}': ErrorCode.BAD_MESSAGE,
        HELLO: ErrorCode.BAD_MESSAGE,
        '"' + "x" * MAX_FRAME_BYTES + '"': ErrorCode.TOO_LARGE,
    }
    for frame, expected in cases.items():
        assert code(advance(ready(), Received(frame, 1.0))[1]) == expected, frame[:60]


def test_a_refused_request_is_named_and_its_content_is_not_repeated() -> None:
    bad = json.dumps({"type": "message.send", "conversation": "c-1", "nonce": "nonce-77", "body": {"text": "canary"}})
    (effect,) = advance(ready(), Received(bad, 0.0))[1]
    assert isinstance(effect, Reply)
    assert isinstance(effect.message, Error)
    assert (effect.message.nonce, effect.message.re) == ("nonce-77", "message.send")
    assert "canary" not in effect.message.model_dump_json()


def test_an_unknown_protocol_is_refused_and_hung_up() -> None:
    state, effects = advance(opened(0), Received(json.dumps({"type": "hello", "protocol": 99}), 0))
    assert code(effects[:1]) == ErrorCode.UNSUPPORTED_PROTOCOL
    assert isinstance(effects[1], Hangup)
    assert state.phase is Phase.CLOSED


def test_who_says_no_hello_is_hung_up_in_time() -> None:
    state, effects = advance(opened(0.0), Ticked(HELLO_DEADLINE_S - 0.01))
    assert effects == ()
    state, effects = advance(state, Ticked(HELLO_DEADLINE_S))
    assert isinstance(effects[-1], Hangup)
    assert state.phase is Phase.CLOSED


def test_a_silent_peer_is_probed_then_given_up_before_25_seconds() -> None:
    state, probes = ready(0.0), 0
    for second in range(1, 26):
        state, effects = advance(state, Ticked(float(second)))
        probes += sum(isinstance(effect, Probe) for effect in effects)
        if state.phase is Phase.CLOSED:
            break
    assert probes == 1
    assert second <= 25
    assert second >= SILENCE_S


def test_a_pong_is_a_sign_of_life() -> None:
    state = ready(0.0)
    for second in range(1, 100):
        state, effects = advance(state, Ticked(float(second)))
        for effect in effects:
            assert isinstance(effect, Probe)
            state, _ = advance(state, Received(None, float(second)))
    assert state.phase is Phase.READY


def test_ping_is_answered_by_the_link_itself() -> None:
    assert advance(ready(), Received('{"type": "ping", "t": 5}', 0.0))[1] == (Reply(Pong(t=5)),)


@given(st.lists(st.floats(-1, 2), max_size=600))
def test_no_more_than_the_rate_and_a_clock_that_steps_back_gives_nothing(steps: list[float]) -> None:
    state, now, furthest, passed = ready(0.0), 0.0, 0.0, 1
    gained = 0.0
    for step in steps:
        now += step
        gained += max(0.0, step)
        state, effects = advance(state, Received('{"type": "ping"}', now))
        if code(effects) == ErrorCode.TOO_FAST:
            assert isinstance(effects[0], Reply)
            assert isinstance(effects[0].message, Error)
            assert (effects[0].message.retry_after_ms or 0) > 0
        else:
            passed += 1
        furthest = max(furthest, now)
    assert passed <= BURST + gained * RATE_PER_S + 1


@given(st.sampled_from([Ended(), Ticked(1e9)]), st.lists(FRAMES, max_size=5))
def test_closed_is_closed(end: Ended | Ticked, frames: list[str | bytes]) -> None:
    state, _ = advance(ready(), end)
    for frame in frames:
        assert advance(state, Received(frame, 1e9)) == (state, ())


# ---------------------------------------------------------------- the feed


class Wire:
    """A log that grows, a reader that pulls pages when told, and what goes out."""

    def __init__(self, have: int, known: int) -> None:
        self.stored = known
        self.out: list[int] = []
        self.feed = Feed(cursor=have, head=0, pulling=True)  # subscribed before the log was read
        self.have = have

    def live(self, *, lost: bool) -> None:
        self.stored += 1
        if not lost:
            self.feed, verdict = machine.offered(self.feed, self.stored)
            if verdict == "send":
                self.out.append(self.stored)

    def pull(self, page: int) -> None:
        if not self.feed.pulling:
            return
        rows = list(range(self.feed.cursor + 1, min(self.stored, self.feed.cursor + page) + 1))
        for seq in rows:
            self.feed, verdict = machine.pulled(self.feed, seq)
            if verdict == "send":
                self.out.append(seq)
        if len(rows) < page:
            self.feed = machine.rested(replace(self.feed, head=max(self.feed.head, self.feed.cursor)))


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(st.sampled_from(["live", "lost", "pull"]), max_size=80),
    st.integers(1, 5),
)
def test_no_gap_and_no_double_between_log_and_live(have: int, more: int, steps: list[str], page: int) -> None:
    wire = Wire(have, have + more)
    for step in steps:
        wire.pull(page) if step == "pull" else wire.live(lost=step == "lost")
    wire.live(lost=False)
    while wire.feed.pulling:
        wire.pull(page)
    assert wire.out == list(range(have + 1, wire.stored + 1))
