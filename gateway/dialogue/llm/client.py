"""A streaming client of `POST {base}/v1/chat/completions` (server-sent events), with deadlines and bounds.

Wire: https://platform.openai.com/docs/api-reference/chat-streaming; DeepSeek, Qwen, vLLM and Ollama speak the same.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway.errors import EngineBroken, TooMuch
from signaling.protocol import ErrorCode

FIRST_TOKEN_S = 4.0
IDLE_S = 4.0
TOTAL_S = 12.0
MAX_BYTES = 256 * 1024
MAX_LINE = 64 * 1024
MAX_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks for; `arguments` is unchecked JSON."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Limit:
    """When the next line must have come (loop time)."""

    until: float


class ChatModel:
    """One configured endpoint. `url` is the base, with or without `/v1`."""

    def __init__(self, url: str, key: str, model: str, *, first_token_s: float = FIRST_TOKEN_S) -> None:
        base = url.rstrip("/")
        self._url = f"{base if base.endswith('/v1') else base + '/v1'}/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._first_token_s = first_token_s

    async def stream(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]] = ()
    ) -> AsyncIterator[Delta | ToolCall]:
        """Pieces as they come; tool calls once complete, at the end. Raises `EngineBroken`, `TooMuch`."""
        body = {
            "model": self._model,
            "messages": list(messages),
            "stream": True,
            "max_tokens": MAX_TOKENS,
            "temperature": 0.2,
        }
        if tools:
            body["tools"] = list(tools)
        clock = asyncio.get_running_loop().time
        began = clock()
        async with aiohttp.ClientSession(headers=self._headers, read_bufsize=MAX_LINE) as session:
            response = await self._post(session, body)
            try:
                calls: dict[int, dict[str, str]] = {}
                limit = Limit(began + self._first_token_s)
                async for choice in _choices(response, limit):
                    limit.until = min(clock() + IDLE_S, began + TOTAL_S)
                    delta = choice.get("delta") or {}
                    _collect(calls, delta.get("tool_calls"))
                    if isinstance(text := delta.get("content"), str) and text:
                        yield Delta(text)
                for call in calls.values():
                    yield ToolCall(call["id"], call["name"], call["arguments"])
            finally:
                response.close()

    async def _post(self, session: aiohttp.ClientSession, body: dict[str, Any]) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self._first_token_s):
                response = await session.post(self._url, json=body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EngineBroken(detail=f"llm: {type(error).__name__}") from None
        if response.status == 200:
            return response
        response.close()
        if response.status == 429:
            raise TooMuch(detail="llm: 429")
        raise EngineBroken(detail=f"llm: status {response.status}")


async def _choices(response: aiohttp.ClientResponse, limit: Limit) -> AsyncIterator[dict[str, Any]]:
    """The first choice of each event, until `[DONE]` or a finish reason; a stream cut before either is broken."""
    size, finished = 0, False
    while True:
        try:
            async with asyncio.timeout_at(limit.until):
                line = await response.content.readline()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise EngineBroken(detail=f"llm: {type(error).__name__}") from None
        size += len(line)
        if size > MAX_BYTES:
            raise EngineBroken(ErrorCode.TOO_LARGE, "llm: the answer is too large")
        if not line:
            if finished:
                return
            raise EngineBroken(detail="llm: the stream ended in the middle")
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        choice = _choice(data)
        finished = finished or bool(choice.get("finish_reason"))
        yield choice


def _choice(data: bytes) -> dict[str, Any]:
    try:
        choices = json.loads(data)["choices"]
        choice = choices[0] if choices else {}
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise EngineBroken(detail="llm: not a chat completion") from None
    if not isinstance(choice, dict) or not isinstance(choice.get("delta") or {}, dict):
        raise EngineBroken(detail="llm: not a chat completion")
    return choice


MAX_CALLS = 4


def _collect(calls: dict[int, dict[str, str]], parts: Any) -> None:
    """Tool calls arrive in fragments, by index."""
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict) or not isinstance(part.get("function"), dict):
            continue
        index = part.get("index", 0)
        if not isinstance(index, int) or (index not in calls and len(calls) >= MAX_CALLS):
            continue
        call = calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] += str(part.get("id") or "")
        call["name"] += str(part["function"].get("name") or "")
        call["arguments"] += str(part["function"].get("arguments") or "")
