"""A client of `POST {base}/v1/embeddings`, bounded.

Wire: https://platform.openai.com/docs/api-reference/embeddings; vLLM, Ollama, DashScope and TEI speak the same.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray

from gateway.errors import EngineBroken

Vector = NDArray[np.float32]
MAX_BYTES = 4 * 1024 * 1024
MAX_TEXT = 1_000
"""Characters of one text; small models read about 512 tokens."""
MAX_SIZE = 8_192
"""Numbers in one vector."""


class Embeddings:
    """One configured endpoint. `url` is the base, with or without `/v1`."""

    def __init__(self, url: str, key: str, model: str) -> None:
        base = url.rstrip("/")
        self._url = f"{base if base.endswith('/v1') else base + '/v1'}/embeddings"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model

    async def of(self, texts: Sequence[str], seconds: float) -> list[Vector]:
        """One vector of length 1 a text, in order. Raises `EngineBroken`, after `seconds` at the latest."""
        body = {"model": self._model, "input": [text[:MAX_TEXT] for text in texts], "encoding_format": "float"}
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session,
                session.post(self._url, json=body, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise EngineBroken(detail=f"embeddings: status {response.status}")
                content = await _read(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EngineBroken(detail=f"embeddings: {type(error).__name__}") from None
        return _vectors(content, len(texts))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = b""
    while more := await response.content.read(MAX_BYTES):
        content += more
        if len(content) > MAX_BYTES:
            raise EngineBroken(detail="embeddings: the answer is too large")
    return content


def _vectors(content: bytes, wanted: int) -> list[Vector]:
    """The vectors by their `index`. Refused: not one a text, no direction, different sizes."""
    try:
        rows = json.loads(content)["data"]
        found = {int(row.get("index", n)): _unit(row["embedding"]) for n, row in enumerate(rows)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise EngineBroken(detail="embeddings: not a list of embeddings") from None
    if sorted(found) != list(range(wanted)) or len({len(vector) for vector in found.values()}) > 1:
        raise EngineBroken(detail="embeddings: other vectors than asked for")
    return [found[n] for n in range(wanted)]


def _unit(numbers: Any) -> Vector:
    """A list of numbers, or base64 of little-endian float32. Raises `ValueError`."""
    if isinstance(numbers, str):
        try:
            vector = np.frombuffer(base64.b64decode(numbers, validate=True), "<f4")
        except binascii.Error:
            raise ValueError("not base64") from None
    else:
        vector = np.array(numbers, np.float32)
    length = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not 0 < len(vector) <= MAX_SIZE or not 0 < length < float("inf"):
        raise ValueError("no direction")
    unit: Vector = (vector / length).astype(np.float32)
    return unit
