"""Utterances on their way to words: a recognizer stream each, asked for partials at its own pace and finally for all.

The turn machine is told by events; an engine that fails or hangs is an utterance without words and a note.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from media.audio import AudioChunk
from media.errors import EngineFailed
from media.ports import Language, Recognizer, RecognizerStream, Transcript

PACE_S = 0.6
"""Between partials; stretched to three times what the last one took, so that one call never eats a core."""
FINAL_S = 4.0
"""The recognizer's whole time for an utterance."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
Heard = Callable[[int, Transcript | None], None]
"""(utterance, words): partial, None when asked and there is nothing, or final."""


class Listening:
    def __init__(self, utterance: int, stream: RecognizerStream, heard: Heard, failed: Callable[[str], None]) -> None:
        self._utterance, self._stream = utterance, stream
        self._heard, self._failed = heard, failed
        self._nudge = asyncio.Event()
        self._asked = False
        self._ending = False
        self._scope: asyncio.Timeout | None = None
        self._pace = PACE_S

    def feed(self, chunk: AudioChunk) -> None:
        if not self._ending:
            self._stream.feed(chunk)

    def guess(self) -> None:
        self._asked = True
        self._nudge.set()

    def finish(self) -> None:
        """No more audio: a partial under way is given up for the final."""
        self._ending = True
        self._nudge.set()
        if self._scope:
            self._scope.reschedule(0)

    async def run(self) -> None:
        try:
            while not self._ending:
                await self._partial(await self._pause())
            async with asyncio.timeout(FINAL_S):
                final = await self._stream.final()
        except (EngineFailed, TimeoutError) as failure:
            self._failed(failure.engine if isinstance(failure, EngineFailed) else "timeout")
            final = Transcript("", final=True)
        finally:
            self._stream.close()
        self._heard(self._utterance, final)

    async def _pause(self) -> bool:
        """True when somebody asked meanwhile."""
        try:
            async with asyncio.timeout(self._pace):
                await self._nudge.wait()
        except TimeoutError:
            return False
        self._nudge.clear()
        asked, self._asked = self._asked, False
        return asked

    async def _partial(self, asked: bool) -> None:
        if self._ending:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(None) as self._scope:
                transcript = await self._stream.partial()
        except TimeoutError:
            return
        finally:
            self._scope = None
        self._pace = max(PACE_S, 3 * (loop.time() - began))
        if transcript or asked:
            self._heard(self._utterance, transcript)


class Utterances:
    """All of a call. Without a recognizer, or with one that cannot take more, every utterance has no words."""

    def __init__(
        self, recognizer: Recognizer | None, spawn: Spawn, heard: Heard, failed: Callable[[str], None]
    ) -> None:
        self._recognizer, self._spawn = recognizer, spawn
        self._heard, self._failed = heard, failed
        self._open: dict[int, tuple[Listening, asyncio.Task[None]]] = {}

    def feed(self, chunk: AudioChunk) -> None:
        for listening, _ in self._open.values():
            listening.feed(chunk)

    def listen(
        self, utterance: int, before: Iterable[AudioChunk], language: Language, hotwords: tuple[str, ...]
    ) -> None:
        if self._recognizer is None:
            return
        try:
            stream = self._recognizer.stream(language, hotwords)
        except EngineFailed as failure:
            self._failed(failure.engine)
            return
        for chunk in before:
            stream.feed(chunk)
        listening = Listening(utterance, stream, self._closed, self._failed)
        self._open[utterance] = listening, self._spawn(listening.run())

    def _closed(self, utterance: int, transcript: Transcript | None) -> None:
        if transcript and transcript.final:
            self._open.pop(utterance, None)
        self._heard(utterance, transcript)

    def guess(self, utterance: int) -> None:
        if utterance in self._open:
            self._open[utterance][0].guess()
        else:
            self._heard(utterance, None)

    def finalize(self, utterance: int) -> None:
        if utterance in self._open:
            self._open[utterance][0].finish()
        else:
            self._heard(utterance, Transcript("", final=True))

    def forget(self, utterance: int) -> None:
        if utterance in self._open:
            self._open.pop(utterance)[1].cancel()

    async def settled(self, within: float) -> None:
        """Every utterance has its last word, or `within` seconds have passed."""
        if running := [task for _, task in self._open.values()]:
            await asyncio.wait(running, timeout=within)

    def close(self) -> None:
        for utterance in list(self._open):
            self.forget(utterance)
