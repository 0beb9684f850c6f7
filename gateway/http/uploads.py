"""Resumable uploads, then `finish`: tus 1.0 core, creation and termination.

https://tus.io/protocols/resumable-upload
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator

from aiohttp import web
from pydantic import BaseModel

from gateway.errors import BadInput
from gateway.files.kinds import Purpose
from gateway.http.ask import Ask, answer, checked
from signaling.protocol import ErrorCode, FileBody, Id, ImageBody, VoiceBody

TUS = "1.0.0"
EXTENSIONS = "creation,termination"
OFFSET_TYPE = "application/offset+octet-stream"
MAX_METADATA_CHARS = 4096
SILENCE_S = 30.0
"""A sender this quiet is gone; what came is kept and it can go on later."""
PER_MINUTE = 120


class Wanted(BaseModel):
    """Upload-Metadata."""

    conversation: Id
    purpose: Purpose
    name: str = ""


class Finished(BaseModel):
    """What to send in `message.send`."""

    body: ImageBody | FileBody | VoiceBody


async def options(ask: Ask) -> web.StreamResponse:
    """OPTIONS /api/v1/uploads: what this server can."""
    most = str(ask.gateway.settings.max_upload)
    return _said(204, {"Tus-Version": TUS, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": most})


async def create(ask: Ask) -> web.StreamResponse:
    """POST /api/v1/uploads with Upload-Length and Upload-Metadata: 201 with Location."""
    _check_version(ask)
    await ask.turnstile.pass_(ask.request, "upload", PER_MINUTE)
    wanted = checked(Wanted, metadata(ask.request.headers.get("Upload-Metadata", "")))
    size = _number(ask, "Upload-Length")
    file = await ask.gateway.uploads.begin(ask.person, wanted.conversation, wanted.purpose, wanted.name, size)
    return _said(201, {"Location": f"/api/v1/uploads/{file.id}", "Upload-Offset": "0"})


async def offset(ask: Ask) -> web.StreamResponse:
    """HEAD …/{file}: how much is here."""
    _check_version(ask)
    here, size = await ask.gateway.uploads.offset(ask.person, ask.part("file"))
    return _said(200, {"Upload-Offset": str(here), "Upload-Length": str(size)})


async def append(ask: Ask) -> web.StreamResponse:
    """PATCH …/{file} with Upload-Offset: 204 with the new one; 409 when the upload is elsewhere."""
    _check_version(ask)
    if ask.request.content_type != OFFSET_TYPE:
        raise BadInput(ErrorCode.FILE_TYPE, f"send {OFFSET_TYPE}")
    start = _number(ask, "Upload-Offset")
    reached = await ask.gateway.uploads.append(ask.person, ask.part("file"), start, pieces(ask.request))
    return _said(204, {"Upload-Offset": str(reached)})


async def drop(ask: Ask) -> web.StreamResponse:
    """DELETE …/{file}: cancelled."""
    _check_version(ask)
    await ask.gateway.uploads.drop(ask.person, ask.part("file"))
    return _said(204, {})


async def finish(ask: Ask) -> web.StreamResponse:
    """POST …/{file}/finish: looked at, written anew; the body to send. As often as needed."""
    return answer(Finished(body=await ask.gateway.uploads.finish(ask.person, ask.part("file"))))


async def pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes, ungathered: what came before a lost connection is on disk. A loss is an end here."""
    try:
        while not request.content.at_eof():
            async with asyncio.timeout(SILENCE_S):
                some = await request.content.readany()
            yield some
    except (ConnectionError, web.RequestPayloadError, TimeoutError):
        return


def metadata(header: str) -> dict[str, str]:
    """`key base64,key base64`. Raises BadInput."""
    if len(header) > MAX_METADATA_CHARS:
        raise BadInput(detail="Upload-Metadata is too long")
    try:
        pairs = (pair.strip().partition(" ") for pair in header.split(",") if pair.strip())
        return {key: base64.b64decode(value, validate=True).decode() for key, _, value in pairs}
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadInput(detail="Upload-Metadata: key base64, separated by commas") from None


def _check_version(ask: Ask) -> None:
    if ask.request.headers.get("Tus-Resumable") != TUS:
        raise web.HTTPPreconditionFailed(headers={"Tus-Version": TUS})


def _number(ask: Ask, header: str) -> int:
    text = ask.request.headers.get(header, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise BadInput(detail=f"{header}: a whole number")
    return int(text)


def _said(status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, headers={"Tus-Resumable": TUS, "Cache-Control": "no-store", **headers})
