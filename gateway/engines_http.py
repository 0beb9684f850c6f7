"""Speech engines behind an OpenAI-style HTTP service: `/v1/audio/transcriptions` and `/v1/audio/speech`.

They keep media's Protocols but live here, because media knows no HTTP; the gateway hands them to `media.engines.load`.
"""

import asyncio
import io
import json
import wave
from collections.abc import AsyncGenerator

import aiohttp
import numpy as np

from media.audio import EAR_HZ, WIRE_HZ, AudioChunk, Samples
from media.engines.hearing import Utterance
from media.engines.pcm import Resampler
from media.errors import EngineFailed
from media.ports import Language, Speech, Transcript, Voice
from media.speech_text import Spoken, spoken

CONNECT_S, HEAR_S, PIECE_S = 2.0, 15.0, 5.0
MAX_ANSWER = 64 * 1024
SPEECH_HZ = 24_000
"""What `response_format: pcm` is: s16 mono little-endian."""
PIECE = SPEECH_HZ // 10 * 2
"""Bytes of a piece: 100 ms."""
PACE = {"zh": 4.5, "en": 14.0}
"""Characters a second: the service tells no word times, so spans are an estimate until the end is known."""


class SpeechService:
    """One HTTP client for both engines; opened at first use, on the loop that uses it."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client: aiohttp.ClientSession | None = None

    def post(self, path: str, **body: object) -> "aiohttp.client._RequestContextManager":
        if self._client is None or self._client.closed:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=HEAR_S)
            self._client = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self._client.post(self._url + path, **body)  # type: ignore[arg-type]

    async def close(self) -> None:
        if self._client:
            await self._client.close()


class RemoteStream:
    def __init__(self, engine: "RemoteRecognizer", language: Language, hotwords: tuple[str, ...]) -> None:
        self._engine, self._language, self._hotwords = engine, language, hotwords
        self._heard = Utterance()

    def feed(self, chunk: AudioChunk) -> None:
        self._heard.feed(chunk)

    async def partial(self) -> Transcript | None:
        """None: each guess would be a request over the whole utterance, and is paid for."""
        return None

    async def final(self) -> Transcript:
        if not self._heard.seconds:
            return Transcript("", final=True, language=self._language)
        text = await self._engine.transcribe(self._heard.samples(), self._language, self._hotwords)
        return Transcript(text, final=True, language=self._language)

    def close(self) -> None:
        self._heard.close()


class RemoteRecognizer:
    def __init__(self, service: SpeechService, model: str) -> None:
        self.name = f"openai {model}"
        self._service, self._model = service, model

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> RemoteStream:
        return RemoteStream(self, language, hotwords)

    async def transcribe(self, samples: Samples, language: Language, hotwords: tuple[str, ...]) -> str:
        form = aiohttp.FormData({"model": self._model, "language": language, "response_format": "json"})
        if hotwords:
            form.add_field("prompt", ", ".join(hotwords)[:800])
        form.add_field("file", _wav(samples), filename="speech.wav", content_type="audio/wav")
        try:
            async with asyncio.timeout(HEAR_S), self._service.post("/v1/audio/transcriptions", data=form) as answer:
                answer.raise_for_status()
                return await _text(answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise EngineFailed(self.name, _why(error)) from error

    async def close(self) -> None:
        await self._service.close()


class RemoteSynthesizer:
    def __init__(self, service: SpeechService, model: str, voice: str) -> None:
        self.name = f"openai {model}"
        self._service, self._model, self._voice = service, model, voice

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        say = spoken(text, voice.language)
        if not say.audible:
            return
        ask = {
            "model": self._model,
            "input": say.text,
            "voice": self._voice,
            "response_format": "pcm",
            "speed": min(max(voice.speed, 0.25), 4.0),
        }
        try:
            async with self._service.post("/v1/audio/speech", json=ask) as answer:
                answer.raise_for_status()
                pieces = Pieces(say, PACE[voice.language] * voice.speed)
                while data := await asyncio.wait_for(_read(answer), PIECE_S):
                    if speech := pieces.add(data):
                        yield speech
                yield pieces.rest()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise EngineFailed(self.name, _why(error)) from error

    async def close(self) -> None:
        await self._service.close()


class Pieces:
    """PCM bytes as they come -> Speech at WIRE_HZ, the text paced by an estimate until the last piece."""

    def __init__(self, say: Spoken, pace: float) -> None:
        self._say, self._pace = say, pace
        self._resampler = Resampler(SPEECH_HZ, WIRE_HZ)
        self._odd = b""
        self._samples, self._given = 0, 0

    def add(self, data: bytes) -> Speech | None:
        data = self._odd + data
        whole = len(data) // 2 * 2
        self._odd = data[whole:]
        samples = self._resampler.feed(np.frombuffer(data[:whole], np.int16)) if whole else np.zeros(0, np.int16)
        self._samples += len(samples)
        said = round(self._samples / WIRE_HZ * self._pace)
        return self._speech(samples, min(said, len(self._say.text) - 1)) if len(samples) else None

    def rest(self) -> Speech:
        if not self._samples:
            raise ValueError("no sound came")
        return self._speech(self._resampler.flush(), len(self._say.text))

    def _speech(self, samples: Samples, until: int) -> Speech:
        start, end = self._given, max(self._given, self._say.given(0, until)[1])
        self._given = end
        return Speech(AudioChunk(samples, WIRE_HZ), start, end)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    return await answer.content.read(PIECE)


def _wav(samples: Samples) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(EAR_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue()


async def _text(response: aiohttp.ClientResponse) -> str:
    """The transcript; an answer above MAX_ANSWER is cut and then no JSON."""
    body = b""
    while len(body) < MAX_ANSWER and (data := await response.content.read(MAX_ANSWER)):
        body += data
    answer = json.loads(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise ValueError("the answer has no text")
    return str(answer["text"]).strip()


def _why(error: Exception) -> str:
    """Without the URL: it may carry a key."""
    status = getattr(error, "status", None)
    return f"HTTP {status}" if status else type(error).__name__
