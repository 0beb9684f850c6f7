"""Benchmark recognizer: a fixed text at the endpoint, at once. What is left to measure is the gateway's own share."""

from media.audio import AudioChunk
from media.ports import Language, Transcript


class InstantStream:
    def __init__(self, text: str, language: Language) -> None:
        self._text, self._language = text, language

    def feed(self, chunk: AudioChunk) -> None:
        pass

    async def partial(self) -> Transcript | None:
        return None

    async def final(self) -> Transcript:
        return Transcript(self._text, final=True, language=self._language, confidence=1.0)

    def close(self) -> None:
        pass


class InstantRecognizer:
    name = "instant"

    def __init__(self, text: str = "instant") -> None:
        self._text = text

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> InstantStream:
        return InstantStream(self._text, language)

    async def close(self) -> None:
        pass
