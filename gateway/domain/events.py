"""PURE: the facts of a conversation as values, and what each kind carries in `data`.

==========================  =====================================================================
kind                        data
==========================  =====================================================================
message.sent                body is set; `call`/`turn` inside a speech body
message.edited              target: seq, text
message.recalled            target: seq
receipt.marked              party, delivered, read
note.added                  text                                            (staff only)
conversation.started        store
conversation.queued         reason (dialogue.ports.HandoffReason, or advisor_lost)
conversation.assigned       advisor, name                 (the customer has no other way to know the name)
conversation.handed_back    by
conversation.wrapped_up     by
conversation.resolved       by
conversation.reopened       —
call.started                call, media, style
call.changed                call, state, advisor?
call.ended                  call, reason, duration_ms
red_flag.raised             sign, action, target: seq, alarm                (staff only)
red_flag.cleared            by, why                                         (staff only)
feedback.given              target: seq, verdict, comment
==========================  =====================================================================
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from signaling.protocol import Event, EventKind, Role

STAFF_ONLY = frozenset({EventKind.NOTE_ADDED, EventKind.RED_FLAG_RAISED, EventKind.RED_FLAG_CLEARED})
"""A customer sees these as `hidden`, so that her seq stays gapless."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An event before it has a seq. `nonce` makes writing it twice the same as once."""

    kind: EventKind
    sender: str
    role: Role
    nonce: str
    body: dict[str, Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)


def as_seen_by(event: Event, person: str, *, staff: bool) -> Event:
    """What this reader may know of it: every seq, not every content."""
    if not staff and event.kind in STAFF_ONLY:
        return Event(
            conversation=event.conversation,
            seq=event.seq,
            kind=EventKind.HIDDEN,
            sender="system",
            role="system",
            at=event.at,
            epoch=event.epoch,
        )
    return event if event.nonce is None or event.sender == person else event.model_copy(update={"nonce": None})


def body_hash(fact: Fact) -> str:
    """What makes a second use of a nonce the same request: SHA-256 of kind, body and data."""
    content = json.dumps([fact.kind, fact.body, fact.data], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(content.encode()).hexdigest()
