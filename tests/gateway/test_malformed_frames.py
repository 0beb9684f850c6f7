"""20,000 malformed frames: a coded error each, in order, and others chat on as if nothing happened."""

import asyncio
import contextlib
import os
import random
from collections import Counter

import aiohttp
import pytest

from gateway.settings import Settings
from signaling.connection import BURST
from tests.gateway.malformed import frames
from tests.gateway.served import Served, chatting, served

CUSTOMER, ADVISOR, NOBODY = "customer-lili", "advisor-chen", "customer-emma"
FRAMES = 20_000
A_SOCKET = int(BURST) - 1  # one token is for hello: none of the answers is `too_fast`
AT_ONCE = 4
CODES = {"bad_frame", "bad_message", "unknown_type", "too_large"}


@pytest.mark.slow
async def test_each_malformed_frame_costs_its_sender_one_coded_error(settings: Settings) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(CUSTOMER)
        seen: Counter[str] = Counter()
        over = asyncio.Event()
        async with s.connect(CUSTOMER) as mother, s.connect(ADVISOR) as advisor:
            await advisor.ask("conversation.open", conversation=conversation, after=0)
            chat = asyncio.create_task(chatting(mother, advisor, conversation, over))
            for start in range(0, FRAMES, A_SOCKET * AT_ONCE):
                async with asyncio.TaskGroup() as tasks:
                    for seed in range(start, min(FRAMES, start + A_SOCKET * AT_ONCE), A_SOCKET):
                        tasks.create_task(bombard(s, seed, min(A_SOCKET, FRAMES - seed), seen))
            over.set()
            said, heard = await chat
        assert seen.total() == FRAMES
        assert seen.keys() == CODES
        assert said == heard
        assert len(said) > 20
        assert len(s.gateway.sockets) <= 2


async def bombard(s: Served, seed: int, count: int, seen: Counter[str]) -> None:
    """One connection's worth. After the last one it still works: its own ping is answered."""
    async with s.connect(NOBODY) as socket:
        for frame in frames(count, seed):
            await (socket.socket.send_str(frame) if isinstance(frame, str) else socket.socket.send_bytes(frame))
        for _ in range(count):
            seen[(await socket.until("error"))["code"]] += 1


WEBSOCKET = [
    b"\x81\x05hello",  # not masked: RFC 6455 §5.1 demands it
    b"\x83\x80\0\0\0\0",  # reserved opcode
    b"\xf1\x80\0\0\0\0",  # reserved bits
    b"\x80\x80\0\0\0\0",  # a continuation of nothing
    b"\x89\xfe\x00\xff\0\0\0\0" + bytes(255),  # a ping too long
    b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # 2^63 bytes announced
    b"\x81\x84\0\0\0\0\xff\xfe\xfd\xfc",  # not UTF-8
    b"\x88\x81\0\0\0\0x",  # a close of one byte
    b"\x01\x81\0\0\0\0a\x01\x81\0\0\0\0b",  # two beginnings
]


async def test_broken_websocket_framing_ends_that_connection_and_no_other(settings: Settings) -> None:
    async with served(settings) as s, s.connect(CUSTOMER) as mother:
        conversation = await s.conversation(CUSTOMER)
        noise = [random.Random(seed).randbytes(200) for seed in range(40)]
        for content in (*WEBSOCKET, *noise):
            await _raw(s, content)
        ack = await mother.send(conversation, "still here")
        assert ack["type"] == "ack"


async def _raw(s: Served, content: bytes) -> None:
    """A handshake by hand, then these bytes; ends when the gateway hangs up."""
    host, port = s.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    lines = ("GET /ws HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade")
    lines += (f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13")
    writer.write("\r\n".join((*lines, "", "")).encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        writer.write(content)
        writer.write_eof()
        async with asyncio.timeout(10):
            await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


HTTP = [
    b"\0" * 100,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET\r\n\r\n",
    b"POST /ws HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    os.urandom(300),
]


async def test_broken_http_is_refused_and_the_gateway_serves_on(settings: Settings) -> None:
    async with served(settings) as s:
        host, port = s.url.removeprefix("http://").split(":")
        for content in HTTP:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(content)
            writer.write_eof()
            async with asyncio.timeout(10):
                answer = await reader.read()
            assert answer == b"" or answer.startswith(b"HTTP/1.") and b" 400 " in answer.split(b"\r\n")[0]
            writer.close()
        async with s.http.get(s.url + "/healthz") as alive:
            assert alive.status == 200


async def test_silence_after_the_handshake_is_hung_up(settings: Settings) -> None:
    async with served(settings) as s, s.http.ws_connect(s.url + "/ws") as socket, asyncio.timeout(10):
        assert (await socket.receive_json())["code"] == "hello_first"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
