"""A ladder of synthesizers as one: a rung that fails is left for the next in the middle of the sentence, and a call
never waits twice for a rung that is down.

Breaker of each rung::

    closed --fails--> open --cooled down, somebody speaks--> open, probed in the background --answers--> closed

While a rung is open no call tries it; the probe says a short word to nobody.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from media.errors import EngineFailed
from media.ports import Speech, Synthesizer, Voice

FIRST_SOUND_S = 1.2
"""Well inside what the pipeline gives a clause (2 s), so that the next rung still makes it."""
COOL_S = 30.0


@dataclass(slots=True)
class Rung:
    engine: Synthesizer
    retry_at: float | None = None
    """Open until a probe after this time succeeds; None: closed."""
    probe: asyncio.Task[None] | None = None


class SynthesizerLadder:
    def __init__(self, engines: Sequence[Synthesizer], clock: Callable[[], float] = time.monotonic) -> None:
        self._rungs = [Rung(engine) for engine in engines]
        self._clock = clock

    @property
    def name(self) -> str:
        """The rung in use, and what it would fall to: `edge-tts > espeak`."""
        return " > ".join(rung.engine.name for rung in self._standing())

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        self._probe_cooled(voice)
        at, why = 0, "no rung"
        for rung in self._standing():
            try:
                async with aclosing(_from(rung.engine, text, at, voice)) as pieces:
                    async for speech in pieces:
                        at = max(at, speech.end)
                        yield speech
            except EngineFailed as failure:
                rung.retry_at, why = self._clock() + COOL_S, str(failure)
            else:
                return
        raise EngineFailed("synthesizer", why)

    def _standing(self) -> list[Rung]:
        """Closed rungs, and the last one in any case: silence is worse than another try."""
        return [rung for rung in self._rungs if rung.retry_at is None or rung is self._rungs[-1]]

    def _probe_cooled(self, voice: Voice) -> None:
        for rung in self._rungs:
            if rung.retry_at is not None and self._clock() >= rung.retry_at and rung.probe is None:
                rung.probe = asyncio.create_task(self._probe(rung, voice), name=f"probe {rung.engine.name}")

    async def _probe(self, rung: Rung, voice: Voice) -> None:
        word = "好" if voice.language == "zh" else "yes"
        try:
            async with aclosing(_from(rung.engine, word, 0, voice)) as pieces:
                await anext(pieces, None)
            rung.retry_at = None
        except EngineFailed:
            rung.retry_at = self._clock() + COOL_S
        finally:
            rung.probe = None

    async def close(self) -> None:
        probes = [rung.probe for rung in self._rungs if rung.probe]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)
        for rung in self._rungs:
            await rung.engine.close()


async def _from(engine: Synthesizer, text: str, at: int, voice: Voice) -> AsyncGenerator[Speech, None]:
    """What `engine` says of text[at:], with spans of `text`; too late a first sound is a failure."""
    async with aclosing(engine.speak(text[at:], voice)) as pieces:
        try:
            async with asyncio.timeout(FIRST_SOUND_S):
                first = await anext(pieces, None)
        except TimeoutError as late:
            raise EngineFailed(engine.name, f"no sound in {FIRST_SOUND_S} s") from late
        if first is None:
            return
        yield replace(first, start=first.start + at, end=first.end + at)
        async for speech in pieces:
            yield replace(speech, start=speech.start + at, end=speech.end + at)
