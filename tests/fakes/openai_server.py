"""A local stand-in for an OpenAI-style speech service; checks what it is asked."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp import web

SECONDS = 2.0


@dataclass
class OpenAiServer:
    """`mode`: ok | broken (500) | garbage | half (closes in the middle) | empty."""

    text: str = "请问宝宝几个月大"
    mode: str = "ok"
    url: str = ""
    heard_s: list[float] = field(default_factory=list)
    asked: list[dict[str, object]] = field(default_factory=list)


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAiServer]:
    server = OpenAiServer()

    async def transcriptions(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (16_000, 1)
            server.heard_s.append(sound.getnframes() / 16_000)
        server.asked.append({key: str(value) for key, value in form.items() if key != "file"})
        if server.mode == "broken":
            raise web.HTTPInternalServerError
        if server.mode == "garbage":
            return web.Response(text="[1, 2")
        return web.json_response({"text": f" {server.text} "})

    async def speech(request: web.Request) -> web.StreamResponse:
        server.asked.append(await request.json())
        if server.mode == "broken":
            raise web.HTTPInternalServerError
        answer = web.StreamResponse()
        await answer.prepare(request)
        if server.mode != "empty":
            tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(SECONDS * 24_000)) / 24_000)).astype(np.int16)
            raw = tone.tobytes()
            for i in range(0, len(raw) // (2 if server.mode == "half" else 1), 4_801):
                await answer.write(raw[i : i + 4_801])
                await asyncio.sleep(0)
        if server.mode == "half" and request.transport:
            request.transport.abort()
        return answer

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcriptions)
    app.router.add_post("/v1/audio/speech", speech)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
