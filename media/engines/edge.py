"""Microsoft's read-aloud voices through edge-tts: the best sound there is without a contract.

Its maintainer says it is not meant for commercial use and may stop any day, so it is one rung of a ladder and can be
switched off. A connection is made for each text; the answer is MP3 (24 kHz, 48 kbit/s, mono), decoded as it comes.
edge-tts brings its own HTTP; nothing of it is seen here.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

import av
import numpy as np

from media.audio import WIRE_HZ, AudioChunk, Samples
from media.engines.pcm import joined
from media.errors import EngineFailed
from media.ports import Language, Speech, Voice
from media.speech_text import Spoken, spoken

VOICES: dict[Language, str] = {"zh": "zh-CN-XiaoxiaoNeural", "en": "en-US-JennyNeural"}
ITS_VOICE = re.compile(r"[a-z]{2,3}-[A-Za-z-]+Neural")
CONNECT_S, READ_S = 2, 5
TICKS = 10_000_000
"""Of the service's clock, in a second."""


class Mp3Stream:
    """Bytes of MP3 in any pieces -> s16 mono at WIRE_HZ; the first sound comes after 144 bytes."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("mp3", "r")
        self._swr = av.AudioResampler("s16", "mono", WIRE_HZ)

    def feed(self, data: bytes) -> Samples:
        frames = []
        for packet in self._codec.parse(data):
            try:
                frames += self._codec.decode(packet)
            except av.error.InvalidDataError:  # a tag before the first frame
                continue
        return joined([out for frame in frames for out in self._swr.resample(frame)])

    def flush(self) -> Samples:
        rest = self.feed(b"")
        tail = [out for frame in self._codec.decode(None) for out in self._swr.resample(frame)]
        return np.concatenate((rest, joined(tail), joined(self._swr.resample(None))))


class WordTrack:
    """Word events of the service (seconds, word) -> how far the text is said at a time."""

    def __init__(self, say: Spoken) -> None:
        self._say = say
        self._words: list[tuple[float, int]] = []
        self._at, self._given = 0.0, 0
        self._searched = 0

    def heard(self, seconds: float, word: str) -> None:
        found = self._say.text.find(word, self._searched)
        if found >= 0:
            self._searched = found + len(word)
            self._words.append((seconds, self._searched))

    @property
    def cut_off(self) -> bool:
        """A word was announced whose sound never came (edge-tts ends such a stream as if all were well)."""
        return any(begin > self._at for begin, _ in self._words)

    def speech(self, samples: Samples, *, last: bool = False) -> Speech:
        """The next piece of audio with the words begun by its end; the last takes the rest of the text."""
        self._at += len(samples) / WIRE_HZ
        said = max((end for begin, end in self._words if begin < self._at), default=0)
        until = len(self._say.text) if last else said
        start, (_, self._given) = self._given, self._say.given(0, until)
        self._given = max(start, self._given)
        return Speech(AudioChunk(samples, WIRE_HZ), start, self._given)


class EdgeSynthesizer:
    name = "edge-tts"

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        say = spoken(text, voice.language)
        if not say.audible:
            return
        try:
            async with aclosing(self._pieces(say, voice)) as pieces:
                async for speech in pieces:
                    yield speech
        except Exception as error:  # its errors are aiohttp's, its own and timeouts; the port knows one
            raise EngineFailed(self.name, f"{type(error).__name__}: {error}") from error

    async def _pieces(self, say: Spoken, voice: Voice) -> AsyncGenerator[Speech, None]:
        import edge_tts

        name = voice.name if ITS_VOICE.fullmatch(voice.name) else VOICES[voice.language]
        rate = f"{min(max(round(voice.speed * 100) - 100, -50), 100):+d}%"
        asked = edge_tts.Communicate(
            say.text, name, rate=rate, boundary="WordBoundary", connect_timeout=CONNECT_S, receive_timeout=READ_S
        )
        mp3, track = Mp3Stream(), WordTrack(say)
        async with aclosing(asked.stream()) as answer:
            async for event in answer:
                if event["type"] != "audio":
                    track.heard(event["offset"] / TICKS, event["text"])
                elif len(samples := mp3.feed(event["data"])):
                    yield track.speech(samples)
        if track.cut_off:
            raise ConnectionError("ended before the last word")
        yield track.speech(mp3.flush(), last=True)

    async def close(self) -> None:
        pass
