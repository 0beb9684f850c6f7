"""GET /api/v1/conversations/{conversation}/export?format=html|json."""

from typing import IO

import anyio.to_thread
from aiohttp import web

from gateway import archive, clock
from gateway.errors import BadInput
from gateway.http.ask import Ask
from gateway.http.middleware import HEADERS

PIECE_BYTES = 256 * 1024
PER_MINUTE = 20


async def take(ask: Ask) -> web.StreamResponse:
    """`html`: a zip of a page with its media. `json`: the events as they are on the wire."""
    await ask.turnstile.pass_(ask.request, "export", PER_MINUTE)
    format_, conversation, at = ask.request.query.get("format", "html"), ask.part("conversation"), clock.now()
    if format_ not in ("html", "json"):
        raise BadInput(detail="format: html or json")
    gateway = ask.gateway
    events = await archive.collected(gateway.chat, ask.person, conversation)
    await archive.noted(gateway.store, ask.person, conversation, at)
    if format_ == "json":
        content = await anyio.to_thread.run_sync(archive.as_json, events, conversation, at)
        return web.Response(body=content, content_type="application/json", headers=saved("conversation.json"))
    names = await archive.names_of(gateway.store, events)
    vault, language = gateway.uploads.vault, ask.person.language
    zip_ = await anyio.to_thread.run_sync(archive.as_zip, events, names, vault, language, at)
    return await streamed(ask.request, zip_)


def saved(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


async def streamed(request: web.Request, content: IO[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "application/zip", **saved("conversation.zip")})
    try:
        await response.prepare(request)
        while piece := await anyio.to_thread.run_sync(content.read, PIECE_BYTES):
            await response.write(piece)
        await response.write_eof()
    finally:
        content.close()
    return response
