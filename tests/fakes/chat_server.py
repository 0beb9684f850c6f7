"""A local OpenAI-compatible chat server that behaves as badly as models and networks do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MODES = (
    "ok",
    "hang",
    "stall",
    "429",
    "500",
    "half",
    "garbage",
    "huge",
    "binary",
    "empty",
    "html",
    "repeat",
    "tool",
    "bad_tool",
    "obey",
)


@dataclass
class ChatServer:
    """`mode`: one of `MODES`; `text` is what `ok` says; `obey` says and does whatever the customer's text tells it."""

    mode: str = "ok"
    text: str = ""
    tool: str = ""
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}]})}\n\n".encode()


def call(name: str, arguments: str = "{}") -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": name, "arguments": arguments}}]}


def orders(messages: list[dict[str, Any]]) -> str:
    """What the customer's fenced text orders: after `SAY:`; `CALL:name` asks for a tool."""
    text = messages[1]["content"].rsplit("<<customer", 1)[-1].split(">>", 1)[-1].split("<<end", 1)[0]
    return text.strip()


async def stream(server: ChatServer, body: dict[str, Any], response: web.StreamResponse) -> None:
    done = any(message["role"] == "tool" for message in body["messages"])
    match server.mode:
        case "hang":
            await server.release.wait()
        case "stall":
            await response.write(event({"content": "好的"}))
            await server.release.wait()
        case "half":
            await response.write(event({"content": server.text}))
        case "garbage":
            await response.write(b"data: {not json\n\n")
        case "binary":
            await response.write(bytes(range(256)) * 40 + b"\n")
        case "huge":
            for _ in range(1_000):
                await response.write(event({"content": "很好" * 500}))
        case "empty":
            await response.write(event({}, "stop") + b"data: [DONE]\n\n")
        case "html":
            await response.write(event({"content": "<script>alert(1)</script><b>" + server.text + "</b>"}, "stop"))
        case "repeat":
            await response.write(event({"content": "好好好好好好好好好好好好。" * 20}, "stop"))
        case "tool" | "bad_tool" if not done:
            await response.write(event(call(server.tool, '{"customer": "customer-wang", "store": "x"}'), "tool_calls"))
        case "obey":
            text = orders(body["messages"])
            for name in ("order_status", "points", "book_appointment", "transfer_money"):
                if f"CALL:{name}" in text and not done:
                    await response.write(event(call(name, '{"customer": "customer-wang"}'), "tool_calls"))
                    return
            system = body["messages"][0]["content"]
            await response.write(event({"content": system if "规则" in text or "prompt" in text else text}, "stop"))
        case _:
            for n in range(0, len(server.text), 7):
                await response.write(event({"content": server.text[n : n + 7]}))
            await response.write(event({}, "stop") + b"data: [DONE]\n\n")


@asynccontextmanager
async def chat_server() -> AsyncIterator[ChatServer]:
    server = ChatServer()

    async def completions(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        server.asked.append(body)
        if server.mode in ("429", "500"):
            return web.Response(status=int(server.mode))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await stream(server, body, response)
        except ConnectionResetError:
            return response
        if server.mode == "half" and request.transport is not None:
            request.transport.abort()
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    try:
        yield server
    finally:
        server.release.set()
        await runner.cleanup()
