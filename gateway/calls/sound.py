"""A call's voice as its room sees it, and the one ear it has over however many legs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from media.audio import AudioChunk, Samples
from media.peer import Leg
from signaling.protocol import Language

log = structlog.get_logger()

Source = Literal["speech", "typed", "key"]


class Speaker(Protocol):
    """`media.pipeline.Voice`, as the room uses it."""

    @property
    def language(self) -> Language:
        """What she speaks now."""
        ...

    async def run(self) -> None: ...
    def say(self, text: str, uninterruptible: bool = False) -> None: ...
    def hear(self, text: str, source: Source = "typed") -> None: ...
    def interrupt(self) -> None: ...
    def hand_over(self) -> None: ...
    def take_back(self, words: str = "") -> None:
        """Answer again, and first say `words`."""
        ...


async def talk(speaker: Speaker, call: str) -> bool:
    """Until it has ended; False: it broke. That must not end the call."""
    try:
        await speaker.run()
    except Exception:
        log.exception("call.voice_failed", call=call)
        return False
    return True


@dataclass(frozen=True, slots=True)
class Voicing:
    """A call's voice and where its sound comes from: 960 samples of 48 kHz every 20 ms."""

    speaker: Speaker
    pull: Callable[[], Samples]


class SteadyEar:
    """Her ear for the whole call, over however many legs. `media.ports.Ear`."""

    def __init__(self) -> None:
        self._leg: Leg | None = None
        self._changed = asyncio.Event()
        self._over = False

    def listen_to(self, leg: Leg) -> None:
        self._leg = leg
        self._changed.set()

    def close(self) -> None:
        self._over = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        while not self._over:
            leg, self._leg = self._leg, None
            if leg is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            async for chunk in leg.ear:
                yield chunk
