"""A local stand-in for Microsoft's read-aloud WebSocket; the real edge_tts client talks to it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import av
import numpy as np
import pytest
from aiohttp import WSMsgType, web

HZ = 24_000
WORDS = (("您好", 0.1), ("请问", 0.6), ("宝宝", 1.0))


@dataclass
class EdgeServer:
    """`mode`: ok | refuse (HTTP 403) | silent (no answer) | half (closes after half the audio)."""

    mode: str = "ok"
    asked: int = 0
    mp3: bytes = b""


def mp3(seconds: float, hz: float = 440.0) -> bytes:
    """A tone as the service sends it: 48 kbit/s mono, no tags."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options={"id3v2_version": "0", "write_xing": "0"}) as container:
        stream = container.add_stream("mp3", rate=HZ)
        stream.layout, stream.bit_rate = "mono", 48_000
        tone = (8000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * HZ)) / HZ)).astype(np.int16)
        for i in range(0, len(tone), 1152):
            frame = av.AudioFrame.from_ndarray(tone[i : i + 1152][None], format="s16", layout="mono")
            frame.sample_rate = HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _text(path: str, body: object) -> str:
    return f"X-RequestId:0\r\nContent-Type:application/json\r\nPath:{path}\r\n\r\n{json.dumps(body)}"


def _word(text: str, at: float) -> object:
    data = {"Offset": int(at * 1e7), "Duration": 3_000_000, "text": {"Text": text, "Length": len(text)}}
    return {"Metadata": [{"Type": "WordBoundary", "Data": data}]}


@asynccontextmanager
async def edge_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EdgeServer]:
    server = EdgeServer(mp3=mp3(1.5))

    async def answer(request: web.Request) -> web.StreamResponse:
        server.asked += 1
        if server.mode == "refuse":
            raise web.HTTPForbidden
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.receive()
        if server.mode == "silent":
            while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
                pass
            return socket
        await _speak(socket, server)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/edge/v1", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setattr("edge_tts.communicate.WSS_URL", f"ws://127.0.0.1:{port}/edge/v1?TrustedClientToken=x")
    try:
        yield server
    finally:
        await runner.cleanup()


async def _speak(socket: web.WebSocketResponse, server: EdgeServer) -> None:
    await socket.send_str(_text("turn.start", {}))
    for text, at in WORDS:
        await socket.send_str(_text("audio.metadata", _word(text, at)))
    head = b"X-RequestId:0\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
    size = len(server.mp3) // (2 if server.mode == "half" else 1)
    for i in range(0, size, 720):
        await socket.send_bytes(len(head).to_bytes(2, "big") + head + server.mp3[i : min(i + 720, size)])
        await asyncio.sleep(0)
    if server.mode == "half":
        assert socket._req is not None
        transport = socket._req.transport
        if transport:
            transport.abort()
        return
    await socket.send_str(_text("turn.end", {}))
