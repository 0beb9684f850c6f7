"""A local `/v1/embeddings` whose vectors are known: each keyword is a direction of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class EmbeddingsServer:
    """`keywords`: a text points where the first keyword in it points.

    `mode`: ok, hang, slow_entries, 429, garbage, short, zero, nan, huge.
    """

    keywords: tuple[str, ...] = ()
    mode: str = "ok"
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def vector(self, text: str) -> list[float]:
        named = next((n for n, word in enumerate(self.keywords) if word in text), len(self.keywords))
        return [3.0 if n == named else 0.0 for n in range(len(self.keywords) + 1)]


@asynccontextmanager
async def embeddings_server() -> AsyncIterator[EmbeddingsServer]:
    server = EmbeddingsServer()

    async def embed(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        server.asked.append(body)
        server.keys.append(request.headers.get("Authorization", ""))
        if server.mode == "hang" or (server.mode == "slow_entries" and len(body["input"]) > 1):
            await server.release.wait()
        return reply(server, body["input"])

    app = web.Application()
    app.router.add_post("/v1/embeddings", embed)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.release.set()
        await runner.cleanup()


def reply(server: EmbeddingsServer, texts: list[str]) -> web.Response:
    rows: list[dict[str, Any]] = [
        {"object": "embedding", "index": n, "embedding": server.vector(text)} for n, text in enumerate(texts)
    ]
    match server.mode:
        case "429":
            return web.Response(status=429)
        case "garbage":
            return web.Response(text="<html>", content_type="text/html")
        case "short":
            rows = rows[1:]
        case "zero":
            rows[0]["embedding"] = [0.0, 0.0]
        case "nan":
            rows[0]["embedding"] = [float("nan"), 1.0]
        case "huge":
            rows[0]["embedding"] = [0.1] * 2_000_000
    rows.reverse()  # the order of a reply is not promised, `index` is
    return web.json_response({"object": "list", "data": rows})
