"""PURE: which files may come in. The content decides the type; the name only has to agree with it.

Everything except PDF is written anew by us (`picture`, `sound`), so what is served was never written by a stranger.
A PDF is kept as it came, and is only ever served as an attachment inside a CSP sandbox.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

import filetype

from gateway.errors import BadInput
from signaling.protocol import ErrorCode

Purpose = Literal["image", "voice", "file"]

HEAD_BYTES = 8192
"""How much of a file's beginning `recognise` wants to see."""
TAIL_BYTES = 1024
MAX_NAME_CHARS = 120

_ACTIVE = """
    apk app bat bin cmd com cpl dll dmg exe gadget hta htm html iso jar js jse lnk mht mhtml mjs msi php pif pl ps1 py
    rb reg scr sh svg svgz swf vb vbe vbs wsf xht xhtml xml xsl
"""
ACTIVE = frozenset(_ACTIVE.split())
"""Extensions that run or render as active content somewhere; refused anywhere in a name (`photo.php.jpg`)."""

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKUP = (b"<html", b"<script", b"<svg", b"<!doctype", b"<?php", b"<?xml", b"#!/")


@dataclass(frozen=True, slots=True)
class FileKind:
    """`becomes`: how it is made harmless. `media_type` is what the result is served as."""

    becomes: Literal["picture", "voice", "media", "document"]
    media_type: str
    extensions: frozenset[str]


def _kind(becomes: Literal["picture", "media", "document"], media_type: str, extensions: str) -> FileKind:
    return FileKind(becomes, media_type, frozenset(extensions.split()))


ALLOWED = {
    "image/jpeg": _kind("picture", "image/jpeg", "jpg jpeg jpe jfif"),
    "image/png": _kind("picture", "image/jpeg", "png"),
    "image/webp": _kind("picture", "image/jpeg", "webp"),
    "audio/mpeg": _kind("media", "audio/mpeg", "mp3"),
    "audio/mp4": _kind("media", "audio/mp4", "m4a mp4"),
    "audio/x-m4a": _kind("media", "audio/mp4", "m4a mp4"),
    "audio/m4a": _kind("media", "audio/mp4", "m4a mp4"),
    "audio/ogg": _kind("media", "audio/ogg", "ogg oga opus"),
    "audio/aac": _kind("media", "audio/mp4", "aac"),
    "audio/x-wav": _kind("media", "audio/mp4", "wav"),
    "audio/wav": _kind("media", "audio/mp4", "wav"),
    "video/mp4": _kind("media", "video/mp4", "mp4 m4v m4a"),
    "video/x-m4v": _kind("media", "video/mp4", "m4v mp4"),
    "video/quicktime": _kind("media", "video/mp4", "mov qt"),
    "video/webm": _kind("media", "video/webm", "webm"),
    "application/pdf": _kind("document", "application/pdf", "pdf"),
}
"""By the type found in the content. HEIC is not here: nothing in the core install decodes it."""

_FITS = {"image": {"picture"}, "voice": {"media"}, "file": {"picture", "media", "document"}}


def clean_name(name: str) -> str:
    """The name as shown and offered for download: no path, no control or invisible characters, bounded.

    It never becomes a path: files lie under names the gateway made.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    stem, dot, extension = shown.strip(" .").rpartition(".")
    if not dot:
        return extension[:MAX_NAME_CHARS]
    return f"{stem[: MAX_NAME_CHARS - len(extension[:10]) - 1]}.{extension[:10]}"


def check_name(name: str) -> None:
    """Refuse names made to deceive: bidirectional overrides, and an active extension anywhere."""
    if _BIDI.intersection(name):
        raise BadInput(ErrorCode.FILE_TYPE, "the name contains direction overrides")
    if ACTIVE.intersection(part.strip().casefold() for part in clean_name(name).split(".")[1:]):
        raise BadInput(ErrorCode.FILE_TYPE, "the name has an extension that could run")


def recognise(head: bytes, tail: bytes, name: str, purpose: Purpose) -> FileKind:
    """The kind of a complete file by its first `HEAD_BYTES` and last `TAIL_BYTES`.

    Raises BadInput: FILE_BROKEN (empty, cut off), FILE_TYPE (not allowed, or the name says something else).
    """
    if not head:
        raise BadInput(ErrorCode.FILE_BROKEN, "the file is empty")
    check_name(name)
    found = filetype.guess(head)
    kind = ALLOWED.get(found.mime) if found else None
    if kind is None or kind.becomes not in _FITS[purpose]:
        raise BadInput(
            ErrorCode.FILE_TYPE, f"content is {found.mime if found else 'unknown'}, not accepted as {purpose}"
        )
    _check_extension(kind, clean_name(name))
    if kind.becomes == "document":
        _check_document(head, tail)
    return FileKind("voice", "audio/mp4", kind.extensions) if purpose == "voice" else kind


def _check_extension(kind: FileKind, name: str) -> None:
    _, dot, extension = name.rpartition(".")
    if dot and extension.casefold() not in kind.extensions:
        raise BadInput(ErrorCode.FILE_TYPE, f"content is {kind.media_type}, the name says .{extension[:10]}")


def _check_document(head: bytes, tail: bytes) -> None:
    """A PDF begins with its mark, ends with its mark, and holds no web page before its first object."""
    if not head.startswith(b"%PDF-"):
        raise BadInput(ErrorCode.FILE_TYPE, "not a PDF from its first byte")
    if any(mark in head[:TAIL_BYTES].lower() for mark in _MARKUP):
        raise BadInput(ErrorCode.FILE_TYPE, "a web page inside a PDF")
    if b"%%EOF" not in tail:
        raise BadInput(ErrorCode.FILE_BROKEN, "the PDF is cut off")
