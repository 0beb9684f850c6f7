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
conversation.queued         reason (dialogue.ports.HandoffReason)
conversation.assigned       advisor
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

from dataclasses import dataclass, field
from typing import Any

from signaling.protocol import EventKind, Role

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
