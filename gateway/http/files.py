"""Files as they are fetched: after an access check each time, never as active content."""

from urllib.parse import quote

from aiohttp import web

from gateway.errors import NotYours
from gateway.export import EXTENSIONS
from gateway.http.ask import Ask
from gateway.store import files
from gateway.store.files import File
from signaling.protocol import ErrorCode

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
INLINE = ("image/", "audio/", "video/")
"""What we wrote ourselves may be shown in a page; the rest is only ever saved."""
PARTS = ("content", "thumbnail")


async def fetch(ask: Ask) -> web.StreamResponse:
    """GET /api/v1/files/{file}?part=thumbnail&download=1. Range, ETag: aiohttp. 404: not there, or not yours."""
    part = ask.request.query.get("part", "content")
    if part not in PARTS:
        raise NotYours(ErrorCode.NOT_FOUND)
    async with ask.gateway.store.read() as connection:
        file = await files.visible(connection, ask.person, ask.part("file"))
    path = ask.gateway.uploads.vault.path(file.id, part)
    if not path.is_file():
        raise NotYours(ErrorCode.NOT_FOUND)
    saved = "download" in ask.request.query or not file.media_type.startswith(INLINE)
    return web.FileResponse(path, headers=headers(file, part, saved=saved))


def headers(file: File, part: str, *, saved: bool) -> dict[str, str]:
    """`no-cache` means: ask again each time. After a recall the answer is 404."""
    return {
        "Content-Type": "image/jpeg" if part == "thumbnail" else file.media_type,
        "Content-Disposition": disposition(file, saved=saved),
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "private, no-cache",
    }


def disposition(file: File, *, saved: bool) -> str:
    """RFC 6266: a plain name for old clients, the real one as RFC 8187. The extension is that of what we serve."""
    extension = EXTENSIONS.get(file.media_type, "bin")
    name = quote(file.name.rpartition(".")[0] or file.name or file.id, safe="")
    how = "attachment" if saved else "inline"
    return f"{how}; filename=\"file.{extension}\"; filename*=UTF-8''{name}.{extension}"
