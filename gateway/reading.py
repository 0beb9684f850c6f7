"""PURE: how the dialogue reads the log: what an event asks, its words, who said what before."""

from typing import Literal

from gateway.dialogue.ports import Said
from signaling.protocol import Event, EventKind, FileBody, ImageBody, SpeechBody, TextBody, VoiceBody

HISTORY_LINES = 12
PRESSED = "转人工"
SENT = TextBody | ImageBody | FileBody | VoiceBody


def asks(event: Event) -> bool:
    """A message to answer, or her button: she is told how it stands."""
    sent = event.kind == EventKind.MESSAGE_SENT and isinstance(event.body, SENT)
    return sent or event.kind == EventKind.CONVERSATION_QUEUED


def words(event: Event) -> str:
    """What she wrote, put right or, in a voice note or a call, said; the button is as if she had asked for a person."""
    match event.kind, event.body:
        case EventKind.CONVERSATION_QUEUED, _:
            return PRESSED
        case EventKind.MESSAGE_EDITED, _:
            return str(event.data.get("text", ""))
        case _, TextBody(text=text) | SpeechBody(text=text):
            return text
        case _, VoiceBody(transcript=transcript):
            return transcript
        case _:
            return ""


def said(earlier: list[Event]) -> tuple[Said, ...]:
    """Her lines up to the last clearing of a red flag are marked: they raise none again; so are those up to the last
    flag. What was put right counts as it reads now."""
    lines: list[Said] = []
    cleared = newest(earlier, EventKind.RED_FLAG_CLEARED)
    flagged = newest(earlier, EventKind.RED_FLAG_RAISED)
    edits = {event.data.get("target"): event for event in earlier if event.kind == EventKind.MESSAGE_EDITED}
    for event in earlier:
        role: Literal["customer", "assistant", "advisor"]
        match event.role:
            case "customer" | "assistant" | "advisor":
                role = event.role
            case "manager":
                role = "advisor"
            case _:
                continue
        if event.kind == EventKind.MESSAGE_SENT and (text := words(edits.get(event.seq, event))):
            now = edits.get(event.seq, event).seq
            lines.append(Said(role, text, now <= cleared, now <= flagged, offered(event)))
    return tuple(lines[-HISTORY_LINES:])


def offered(event: Event) -> tuple[str, ...]:
    """The choices of an answer."""
    return tuple(choice.text for choice in event.body.choices) if isinstance(event.body, TextBody | SpeechBody) else ()


def newest(earlier: list[Event], kind: EventKind) -> int:
    return max((event.seq for event in earlier if event.kind == kind), default=0)


def misses(earlier: list[Event]) -> int:
    """How often in a row it had to ask back."""
    count = 0
    for event in reversed(earlier):
        if event.kind == EventKind.MESSAGE_SENT and event.role == "assistant":
            if event.data.get("decision") != "clarify":
                break
            count += 1
    return count
