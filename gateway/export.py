"""PURE: one conversation as a page a person can read and keep: offline, without scripts, AI labels kept.

`lines` folds the log as its reader may see it (recalled messages are a stub, edits show their last text);
`page` renders them. Media lie beside the page under `media/`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape

from gateway.domain.events import STAFF_ONLY
from signaling.protocol import (
    AppointmentBody,
    Body,
    CallRecordBody,
    Event,
    EventKind,
    FileBody,
    FileRef,
    ImageBody,
    Language,
    NoticeBody,
    ProductBody,
    SpeechBody,
    TextBody,
    VoiceBody,
)

EXTENSIONS = {
    "image/jpeg": "jpg",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "application/pdf": "pdf",
}

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "咨询记录",
        "customer": "顾客",
        "advisor": "顾问",
        "manager": "店长",
        "system": "系统",
        "assistant": "AI 助手",
        "ai": "AI 生成",
        "edited": "已编辑",
        "recalled": "这条消息已撤回",
        "note": "内部备注",
        "exported": "导出于",
        "call": "通话",
        "video": "视频通话",
        "voice_note": "语音",
        "appointment": "预约",
        "spoken": "通话中说",
        "conversation.queued": "等待顾问",
        "conversation.assigned": "顾问接入",
        "conversation.handed_back": "交还 AI 助手",
        "conversation.resolved": "咨询结束",
        "conversation.reopened": "咨询重新开始",
        "call.started": "通话开始",
        "call.ended": "通话结束",
        "red_flag.raised": "红旗警报",
        "red_flag.cleared": "红旗警报解除",
    },
    "en": {
        "title": "Consultation record",
        "customer": "Customer",
        "advisor": "Advisor",
        "manager": "Manager",
        "system": "System",
        "assistant": "AI assistant",
        "ai": "AI-generated",
        "edited": "edited",
        "recalled": "This message was recalled",
        "note": "Internal note",
        "exported": "Exported at",
        "call": "Voice call",
        "video": "Video call",
        "voice_note": "Voice note",
        "appointment": "Appointment",
        "spoken": "said in a call",
        "conversation.queued": "waiting for an advisor",
        "conversation.assigned": "advisor joined",
        "conversation.handed_back": "handed back to the AI assistant",
        "conversation.resolved": "resolved",
        "conversation.reopened": "reopened",
        "call.started": "call started",
        "call.ended": "call ended",
        "red_flag.raised": "red flag",
        "red_flag.cleared": "red flag cleared",
    },
}

STYLE = """
body{font:16px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}
article{margin:.8rem 0;padding:.6rem .9rem;border-radius:.8rem;background:#f2f2f2}
.customer{background:#e7f3e8;margin-left:3rem}
.note{background:#fff4d6}
.step{background:none;color:#666;text-align:center}
header,small{color:#666;font-size:.85rem}
.ai{border:1px solid #888;border-radius:.3rem;padding:0 .3rem;margin-left:.4rem}
img,video{max-width:100%;border-radius:.5rem}p{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
"""
POLICY = "script-src 'none'; object-src 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to show. `words` replaces the body's text where it was edited, or says what a step was."""

    event: Event
    words: str | None = None
    edited: bool = False
    recalled: bool = False


def lines(events: Iterable[Event]) -> list[Line]:
    """Ascending events of one conversation, already as the reader may see them."""
    shown: dict[int, Line] = {}
    for event in events:
        match event.kind:
            case EventKind.MESSAGE_SENT:
                shown[event.seq] = Line(event, recalled=event.body is None)
            case EventKind.MESSAGE_EDITED if (target := shown.get(event.data["target"])) and not target.recalled:
                shown[target.event.seq] = replace(target, words=event.data["text"], edited=True)
            case EventKind.MESSAGE_RECALLED if target := shown.get(event.data["target"]):
                shown[target.event.seq] = Line(target.event.model_copy(update={"body": None}), recalled=True)
            case EventKind.NOTE_ADDED:
                shown[event.seq] = Line(event, words=event.data["text"])
            case kind if kind in WORDS["en"]:
                shown[event.seq] = Line(event)
            case _:
                pass
    return list(shown.values())


def files(some: Iterable[Line]) -> Iterator[FileRef]:
    """What the page refers to."""
    for line in some:
        if isinstance(line.event.body, ImageBody | FileBody | VoiceBody):
            yield line.event.body.file


def media_name(file: FileRef) -> str:
    return f"media/{file.id}.{EXTENSIONS.get(file.media_type, 'bin')}"


def page(some: Iterable[Line], names: Mapping[str, str], language: Language, at: str) -> str:
    """A complete HTML document. `names`: shown name by sender id."""
    words = WORDS[language]
    title = _text(words["title"])
    body = "\n".join(_article(line, names, words) for line in some)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{title}</h1><p><small>{_text(words['exported'])} {_text(at)}</small></p>\n<main>{body}</main></html>\n"
    )


def _article(line: Line, names: Mapping[str, str], words: Mapping[str, str]) -> str:
    event = line.event
    said = event.kind in (EventKind.MESSAGE_SENT, EventKind.NOTE_ADDED)
    style = ("note" if event.kind in STAFF_ONLY else event.role) if said else "step"
    marks = "".join(f'<span class="ai">{_text(mark)}</span>' for mark in _marks(line, words))
    who = _text(f"{names.get(event.sender, '')} {words.get(event.role, event.role)}".strip())
    shown = f"{event.at[:10]} {event.at[11:19]} UTC"  # else a reader in Shanghai is eight hours off
    head = f'<header>{who}{marks} <time datetime="{_text(event.at)}">{_text(shown)}</time></header>'
    return f'<article class="{style}" id="s{event.seq}">{head}{_content(line, words)}</article>'


def _marks(line: Line, words: Mapping[str, str]) -> Iterator[str]:
    if line.event.ai:
        yield words["ai"]
    if line.edited:
        yield words["edited"]
    if line.event.kind == EventKind.NOTE_ADDED:
        yield words["note"]


def _content(line: Line, words: Mapping[str, str]) -> str:
    if line.recalled:
        return _paragraph(words["recalled"])
    if line.words is not None:
        return _paragraph(line.words)
    if line.event.body is None:
        return _paragraph(words.get(line.event.kind, line.event.kind))
    return _body(line.event.body, words)


def _body(body: Body, words: Mapping[str, str]) -> str:
    match body:
        case TextBody():
            return _paragraph(body.text)
        case SpeechBody():
            return _paragraph(f"{body.text}{'…' if body.cut else ''} ({words['spoken']})")
        case ImageBody():
            return (
                f'<img src="{media_name(body.file)}" width="{body.width}" height="{body.height}" alt="" loading="lazy">'
            )
        case VoiceBody():
            length = f"{words['voice_note']} {body.duration_ms / 1000:.0f} s"
            return f'<audio controls src="{media_name(body.file)}"></audio>{_paragraph(f"{length} {body.transcript}")}'
        case FileBody():
            return f'<p><a href="{media_name(body.file)}" download>{_text(body.file.name or body.file.id)}</a></p>'
        case ProductBody():
            return _paragraph(f"{body.name} ¥{body.price_fen / 100:.2f}\n{body.facts}".rstrip())
        case AppointmentBody():
            return _paragraph(f"{words['appointment']}: {body.what} · {body.store} · {body.starts_at} ({body.state})")
        case CallRecordBody():
            kind = words["video" if body.media == "video" else "call"]
            return _paragraph(f"{kind} {body.duration_ms / 1000:.0f} s ({body.reason})")
        case NoticeBody():
            return _paragraph(" ".join([body.code, *(f"{name}={value}" for name, value in body.args.items())]))


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _text(text: str) -> str:
    return escape(text, quote=True)
