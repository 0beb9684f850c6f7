"""PURE: a conversation as a fold over its facts, and which fact may come next.

::

    WITH_ASSISTANT --queued--> QUEUED --assigned--> ASSIGNED --wrapped_up--> WRAP_UP --resolved--> RESOLVED
          ^  \\________________________assigned_______^  |                       |                      |
          |____________________handed_back______________|      ASSIGNED <--reopened--+   (her message)      |
          |____________________________________________________________________reopened (her message)__|

The *owner* is who answers. Each change of owner takes a new ownership epoch; what the assistant writes names the epoch
it was thought in, so a late answer cannot land on an advisor's conversation.

Law: snapshot(n) + facts(n..m) == snapshot(m).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from gateway.domain.events import Fact
from signaling.protocol import ErrorCode, Event, EventKind

State = Literal["with_assistant", "queued", "assigned", "wrap_up", "resolved"]
Owner = Literal["assistant", "advisor"]

CUSTOMER_RECALL = timedelta(minutes=2)
PREVIEW_CHARS = 80
FINISHED = frozenset({"wrap_up", "resolved"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """The row of `conversations`: identity, then the fold."""

    id: str
    chain: str
    store: str
    customer: str
    last_seq: int = 0
    epoch: int = 0
    owner: Owner = "assistant"
    state: State = "with_assistant"
    assignee: str | None = None
    waiting_since: str | None = None
    handoff_reason: str | None = None
    red_flag: str | None = None
    call: str | None = None
    last_message: int = 0
    last_text: str = ""
    last_at: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    code: ErrorCode
    why: str


# ---------------------------------------------------------------- fold


def fold(conversation: Conversation, fact: Fact, at: str) -> Conversation:
    """The conversation after `fact`, which takes the next seq."""
    state = replace(conversation, last_seq=conversation.last_seq + 1)
    match fact.kind:
        case EventKind.MESSAGE_SENT:
            return replace(state, last_message=state.last_seq, last_text=preview(fact.body), last_at=at)
        case EventKind.MESSAGE_EDITED if fact.data.get("target") == state.last_message:
            return replace(state, last_text=str(fact.data.get("text", ""))[:PREVIEW_CHARS])
        case EventKind.MESSAGE_RECALLED if fact.data.get("target") == state.last_message:
            return replace(state, last_text="")
        case EventKind.CONVERSATION_QUEUED:
            return replace(
                state, state="queued", waiting_since=state.waiting_since or at, handoff_reason=fact.data.get("reason")
            )
        case EventKind.CONVERSATION_ASSIGNED:
            return owned(replace(state, state="assigned", assignee=fact.data.get("advisor")), "advisor")
        case EventKind.CONVERSATION_HANDED_BACK:
            return owned(replace(state, state="with_assistant", assignee=None, handoff_reason=None), "assistant")
        case EventKind.CONVERSATION_WRAPPED_UP:
            return replace(state, state="wrap_up")
        case EventKind.CONVERSATION_RESOLVED:
            return owned(replace(state, state="resolved", assignee=None, handoff_reason=None), "assistant")
        case EventKind.CONVERSATION_REOPENED:
            return replace(state, state="assigned" if state.owner == "advisor" else "with_assistant")
        case EventKind.CALL_STARTED:
            return replace(state, call=fact.data.get("call"))
        case EventKind.CALL_ENDED if fact.data.get("call") == state.call:  # the next one may have begun already
            return replace(state, call=None)
        case EventKind.RED_FLAG_RAISED:
            return replace(state, red_flag=fact.data.get("sign"))
        case EventKind.RED_FLAG_CLEARED:
            return replace(state, red_flag=None)
        case _:
            return state


def owned(state: Conversation, owner: Owner) -> Conversation:
    """A new owner (or a new advisor), a new epoch; nobody waits any more."""
    return replace(state, owner=owner, epoch=state.epoch + 1, waiting_since=None)


def preview(body: dict[str, object] | None) -> str:
    """One line for lists. Kinds without words are worded by the page: `[image]`."""
    body = body or {}
    words = body.get("text") or body.get("name")
    return str(words)[:PREVIEW_CHARS] if words else f"[{body.get('kind', '')}]"


# ---------------------------------------------------------------- decide


def decide(state: Conversation, proposed: Fact, now: str, target: Event | None = None) -> tuple[Fact, ...] | Refusal:
    """What is to be written when `proposed` arrives: it, perhaps with what must come before it, or why not.

    Who may see the conversation at all is settled before (gateway.domain.people). `target`: the event the proposed
    fact points at with `data["target"]`.
    """
    match proposed.kind:
        case EventKind.MESSAGE_SENT:
            return sending(state, proposed)
        case EventKind.MESSAGE_EDITED:
            return editing(proposed, target)
        case EventKind.MESSAGE_RECALLED:
            return recalling(proposed, now, target)
        case EventKind.FEEDBACK_GIVEN:
            ours = target is not None and target.ai
            return (proposed,) if ours else Refusal(ErrorCode.WRONG_STATE, "feedback is for the assistant's messages")
        case EventKind.NOTE_ADDED | EventKind.RED_FLAG_CLEARED if proposed.role == "customer":
            return Refusal(ErrorCode.FORBIDDEN, "staff only")
        case EventKind.CONVERSATION_REOPENED if proposed.role != "system" or state.state not in FINISHED:
            return Refusal(ErrorCode.WRONG_STATE, "her message reopens what is finished, nothing else does")
        case EventKind.RED_FLAG_CLEARED if state.red_flag is None:
            return Refusal(ErrorCode.WRONG_STATE, "no red flag is raised")
        case (
            EventKind.CONVERSATION_QUEUED
            | EventKind.CONVERSATION_ASSIGNED
            | EventKind.CONVERSATION_HANDED_BACK
            | EventKind.CONVERSATION_WRAPPED_UP
            | EventKind.CONVERSATION_RESOLVED
        ):
            return moving(state, proposed)
        case _:
            return (proposed,)


def sending(state: Conversation, proposed: Fact) -> tuple[Fact, ...] | Refusal:
    spoken = (proposed.body or {}).get("kind") == "speech"  # what was heard was heard, whoever owns the line now
    if proposed.role == "assistant" and state.owner != "assistant" and not spoken:
        return Refusal(ErrorCode.STALE_EPOCH, "an advisor owns the conversation")
    if proposed.role == "customer" and state.state in FINISHED:
        return Fact(EventKind.CONVERSATION_REOPENED, "system", "system", f"reopen-{state.last_seq + 1}"), proposed
    return (proposed,)


def editing(proposed: Fact, target: Event | None) -> tuple[Fact, ...] | Refusal:
    if target is None or target.sender != proposed.sender:
        return Refusal(ErrorCode.NOT_FOUND, "not a message of yours")
    if target.body is None or target.body.kind != "text":
        return Refusal(ErrorCode.WRONG_STATE, "only text can be edited")
    return (proposed,)


def recalling(proposed: Fact, now: str, target: Event | None) -> tuple[Fact, ...] | Refusal:
    """A customer: her own, within two minutes. An advisor: her own or the assistant's, any time (audited)."""
    if target is None or target.kind != EventKind.MESSAGE_SENT:
        return Refusal(ErrorCode.NOT_FOUND, "no such message")
    if target.sender != proposed.sender and (proposed.role == "customer" or target.role != "assistant"):
        return Refusal(ErrorCode.NOT_FOUND, "not a message of yours")
    age = datetime.fromisoformat(now) - datetime.fromisoformat(target.at)
    if proposed.role == "customer" and age > CUSTOMER_RECALL:
        return Refusal(ErrorCode.RECALL_TOO_LATE, "two minutes have passed")
    return (proposed,)


def moving(state: Conversation, proposed: Fact) -> tuple[Fact, ...] | Refusal:
    """The lines of the diagram. While a red flag stands nothing is resolved: somebody has to say that it is over. A
    hand-back `of` an advisor who has vanished holds only while the conversation is still theirs."""
    mine = state.assignee == proposed.sender or proposed.role in ("manager", "system")
    wrong = Refusal(ErrorCode.WRONG_STATE, f"the conversation is {state.state}")
    match proposed.kind:
        case EventKind.CONVERSATION_QUEUED:
            return (proposed,) if state.state in ("with_assistant", "resolved") else wrong
        case _ if proposed.role in ("customer", "assistant"):
            return Refusal(ErrorCode.FORBIDDEN, "staff only")
        case EventKind.CONVERSATION_ASSIGNED:
            free = state.state != "assigned" or mine
            return (proposed,) if free else Refusal(ErrorCode.TAKEN, "another advisor was first")
        case EventKind.CONVERSATION_HANDED_BACK if proposed.data.get("of", state.assignee) != state.assignee:
            return wrong
        case EventKind.CONVERSATION_RESOLVED if state.red_flag is not None:
            return Refusal(ErrorCode.WRONG_STATE, "clear the red flag first")
        case EventKind.CONVERSATION_HANDED_BACK | EventKind.CONVERSATION_WRAPPED_UP:
            return (proposed,) if mine and state.state in ("assigned", "wrap_up") else wrong
        case _:
            return (proposed,) if (mine or state.assignee is None) and state.state != "resolved" else wrong
