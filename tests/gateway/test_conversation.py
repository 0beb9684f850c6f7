"""Laws of the conversation machine, for any order of anybody's proposals."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import after
from gateway.domain.conversation import Conversation, Refusal, decide, fold
from gateway.domain.events import STAFF_ONLY, Fact, as_seen_by, body_hash
from signaling.protocol import ErrorCode, Event, EventKind

START = "2026-11-22T09:00:00.000000Z"
FRESH = Conversation(id="c-1", chain="chain", store="store", customer="mother")

WHO = st.sampled_from(
    [("mother", "customer"), ("chen", "advisor"), ("wu", "advisor"), ("lin", "manager"), ("assistant", "assistant")]
)
TEXT = {"kind": "text", "text": "…"}


def proposal(kind: EventKind, who: tuple[str, str], target: int, n: int) -> Fact:
    sender, role = who
    data: dict[EventKind, dict[str, object]] = {
        EventKind.CONVERSATION_ASSIGNED: {"advisor": sender},
        EventKind.CONVERSATION_QUEUED: {"reason": "asked"},
        EventKind.MESSAGE_EDITED: {"target": target, "text": "neu"},
        EventKind.MESSAGE_RECALLED: {"target": target},
        EventKind.RED_FLAG_RAISED: {"sign": "S04"},
        EventKind.CALL_STARTED: {"call": "call-1"},
    }
    body = TEXT if kind == EventKind.MESSAGE_SENT else None
    return Fact(kind, sender, role, f"nonce-{n}", body, data.get(kind, {}))  # type: ignore[arg-type]


KINDS = st.sampled_from([kind for kind in EventKind if kind is not EventKind.HIDDEN])
PROPOSALS = st.lists(st.tuples(KINDS, WHO, st.integers(1, 12)), max_size=60)


def lived(proposals: list[tuple[EventKind, tuple[str, str], int]]) -> list[tuple[Conversation, Fact, Conversation]]:
    """Every step that happened: before, fact, after."""
    state, steps, stored = FRESH, [], dict[int, Event]()
    for n, (kind, who, target) in enumerate(proposals):
        at = after(START, n)
        decided = decide(state, proposal(kind, who, target, n), at, stored.get(target))
        for fact in () if isinstance(decided, Refusal) else decided:
            before, state = state, fold(state, fact, at)
            steps.append((before, fact, state))
            stored[state.last_seq] = event(state, fact, at)
    return steps


def event(state: Conversation, fact: Fact, at: str) -> Event:
    return Event.model_validate(
        {
            "conversation": state.id,
            "seq": state.last_seq,
            "kind": fact.kind,
            "sender": fact.sender,
            "role": fact.role,
            "at": at,
            "epoch": state.epoch,
            "ai": fact.role == "assistant",
            "nonce": fact.nonce,
            "body": fact.body,
            "data": fact.data,
        }
    )


@given(PROPOSALS, st.integers(0, 60))
def test_a_snapshot_and_what_followed_is_the_later_snapshot(
    proposals: list[tuple[EventKind, tuple[str, str], int]], cut: int
) -> None:
    facts = [fact for _, fact, _ in lived(proposals)]
    whole = FRESH
    for fact in facts:
        whole = fold(whole, fact, START)
    snapshot = FRESH
    for fact in facts[:cut]:
        snapshot = fold(snapshot, fact, START)
    for fact in facts[cut:]:
        snapshot = fold(snapshot, fact, START)
    assert snapshot == whole
    assert whole.last_seq == len(facts)


@given(PROPOSALS)
def test_the_owner_changes_only_with_a_new_epoch_and_the_states_agree(
    proposals: list[tuple[EventKind, tuple[str, str], int]],
) -> None:
    for before, _, now in lived(proposals):
        assert now.epoch in (before.epoch, before.epoch + 1)
        if (now.owner, now.assignee) != (before.owner, before.assignee):
            assert now.epoch == before.epoch + 1
        assert (now.owner == "advisor") == (now.state in ("assigned", "wrap_up"))
        assert (now.assignee is not None) == (now.owner == "advisor")
        assert (now.waiting_since is not None) == (now.state == "queued")


@given(PROPOSALS)
def test_the_assistant_never_speaks_on_an_advisors_conversation(
    proposals: list[tuple[EventKind, tuple[str, str], int]],
) -> None:
    for before, fact, _ in lived(proposals):
        if fact.kind == EventKind.MESSAGE_SENT and fact.role == "assistant":
            assert before.owner == "assistant"


@given(PROPOSALS)
def test_a_customer_decides_nothing_but_to_ask_for_a_person(
    proposals: list[tuple[EventKind, tuple[str, str], int]],
) -> None:
    for before, fact, now in lived(proposals):
        if fact.role == "customer" and fact.kind != EventKind.CONVERSATION_QUEUED:
            assert (now.state, now.owner, now.epoch) == (before.state, before.owner, before.epoch)


@given(PROPOSALS)
def test_her_message_wakes_a_finished_conversation(proposals: list[tuple[EventKind, tuple[str, str], int]]) -> None:
    for before, fact, now in lived(proposals):
        if fact.kind == EventKind.MESSAGE_SENT and fact.role == "customer":
            assert now.state not in ("resolved", "wrap_up"), before


def test_one_of_two_advisors_wins() -> None:
    accepted = fold(FRESH, proposal(EventKind.CONVERSATION_ASSIGNED, ("chen", "advisor"), 0, 1), START)
    second = decide(accepted, proposal(EventKind.CONVERSATION_ASSIGNED, ("wu", "advisor"), 0, 2), START)
    assert isinstance(second, Refusal)
    assert second.code == ErrorCode.TAKEN


def test_recall_hers_within_two_minutes_his_at_any_time() -> None:
    mother = event(replace(FRESH, last_seq=1), proposal(EventKind.MESSAGE_SENT, ("mother", "customer"), 0, 1), START)
    recall = proposal(EventKind.MESSAGE_RECALLED, ("mother", "customer"), 1, 2)
    assert decide(FRESH, recall, after(START, 119), mother) == (recall,)
    late = decide(FRESH, recall, after(START, 121), mother)
    assert isinstance(late, Refusal)
    assert late.code == ErrorCode.RECALL_TOO_LATE
    advisor = event(replace(FRESH, last_seq=1), proposal(EventKind.MESSAGE_SENT, ("chen", "advisor"), 0, 1), START)
    his = proposal(EventKind.MESSAGE_RECALLED, ("chen", "advisor"), 1, 3)
    assert decide(FRESH, his, after(START, 9_999_999), advisor) == (his,)
    assert isinstance(decide(FRESH, recall, START, advisor), Refusal)
    assert isinstance(decide(FRESH, his, START, mother), Refusal)


def test_an_advisor_recalls_nobody_elses_words_but_the_assistants() -> None:
    recall = proposal(EventKind.MESSAGE_RECALLED, ("chen", "advisor"), 1, 3)
    for who, may in ((("wu", "advisor"), False), (("system", "system"), False), (("assistant", "assistant"), True)):
        target = event(replace(FRESH, last_seq=1), proposal(EventKind.MESSAGE_SENT, who, 0, 1), START)
        assert isinstance(decide(FRESH, recall, START, target), Refusal) is not may


def test_nothing_is_resolved_while_a_red_flag_stands() -> None:
    resolve = proposal(EventKind.CONVERSATION_RESOLVED, ("chen", "advisor"), 0, 1)
    his = replace(FRESH, state="assigned", owner="advisor", assignee="chen")
    assert decide(his, resolve, START) == (resolve,)
    assert isinstance(decide(replace(his, red_flag="S04"), resolve, START), Refusal)


def test_an_advisor_who_vanished_from_a_call_hands_back_only_what_is_still_his() -> None:
    back = Fact(EventKind.CONVERSATION_HANDED_BACK, "system", "system", "nonce-1", data={"by": "system", "of": "chen"})
    his = replace(FRESH, state="assigned", owner="advisor", assignee="chen")
    assert decide(his, back, START) == (back,)
    assert isinstance(decide(replace(his, assignee="wu"), back, START), Refusal)


@given(KINDS, WHO)
def test_a_customer_sees_every_seq_but_not_every_content(kind: EventKind, who: tuple[str, str]) -> None:
    fact = replace(proposal(kind, who, 1, 7), data={"text": "canary"})
    stored = event(replace(FRESH, last_seq=5), fact, START)
    hers = as_seen_by(stored, "mother", staff=False)
    assert (hers.seq, hers.conversation) == (5, "c-1")
    assert (hers.nonce is not None) == (who[0] == "mother" and kind not in STAFF_ONLY)
    if kind in STAFF_ONLY:
        assert (hers.kind, hers.data, hers.body, hers.sender) == (EventKind.HIDDEN, {}, None, "system")


def test_the_hash_covers_kind_body_and_data_not_the_nonce() -> None:
    one = Fact(EventKind.MESSAGE_SENT, "mother", "customer", "a", {"kind": "text", "text": "好"})
    assert body_hash(one) == body_hash(replace(one, nonce="b"))
    for other in (replace(one, body={"kind": "text", "text": "坏"}), replace(one, data={"x": 1})):
        assert body_hash(one) != body_hash(other)


def test_the_end_of_one_call_does_not_end_the_next() -> None:
    def told(kind: EventKind, call: str) -> Fact:
        return Fact(kind, "system", "system", f"{kind}-{call}", data={"call": call})

    state = fold(FRESH, told(EventKind.CALL_STARTED, "k-1"), START)
    state = fold(state, told(EventKind.CALL_STARTED, "k-2"), START)
    state = fold(state, told(EventKind.CALL_ENDED, "k-1"), START)
    assert state.call == "k-2"
    assert fold(state, told(EventKind.CALL_ENDED, "k-2"), START).call is None
