"""Fixed lines (notice, greeting, fillers) said once at start, so that the first sound of a call waits for nothing.

What a call announces and was not foreseen (`Voice.reply` 0: a greeting changed since) is kept once it was said whole.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace

from media.errors import EngineFailed
from media.ports import Speech, Synthesizer, Voice

MAX_LINES = 200
"""About 100 MB at 5 s a line; more are said live."""


class Prerendered:
    """Another synthesizer with a memory. Lines are keyed by text and voice."""

    def __init__(self, engine: Synthesizer) -> None:
        self._engine = engine
        self._lines: dict[tuple[str, Voice], tuple[Speech, ...]] = {}

    @property
    def name(self) -> str:
        return self._engine.name

    async def warm(self, lines: Iterable[tuple[str, Voice]]) -> None:
        """Render what is not there yet; a line that fails stays live."""
        for text, voice in lines:
            key = (text, replace(voice, reply=0))
            if key in self._lines or len(self._lines) >= MAX_LINES:
                continue
            try:
                self._lines[key] = tuple([speech async for speech in self._engine.speak(text, voice)])
            except EngineFailed:
                continue

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        key = (text, replace(voice, reply=0))
        if key in self._lines:
            for speech in self._lines[key]:
                yield speech
            return
        said = list[Speech]()
        async with aclosing(self._engine.speak(text, voice)) as pieces:
            async for speech in pieces:
                if voice.reply == 0:
                    said.append(speech)
                yield speech
        if said and len(self._lines) < MAX_LINES:
            self._lines[key] = tuple(said)

    async def close(self) -> None:
        await self._engine.close()
