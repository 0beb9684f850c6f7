"""The assistant's side of a call: its voice over however many lines of hers, and the words that wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable

from gateway.calls.sound import Source, SteadyEar, Voicing, talk
from media.peer import Leg
from signaling.protocol import Language

WAITING = 16
"""Typed turns that wait for the voice; overflow: the oldest gets no answer of its own."""


class Assistance:
    """`make_voice(ear, words)` builds the voice when she is first on the line (`words` instead of the greeting, where
    there are any). `broke(again)`: it has ended by a fault; `again`: so has the one made in its place."""

    def __init__(
        self, call: str, make_voice: Callable[[SteadyEar, str], Voicing], broke: Callable[[bool], None]
    ) -> None:
        self._call, self._make_voice, self._broke = call, make_voice, broke
        self._ear = SteadyEar()
        self._voicing: Voicing | None = None
        self._unheard: deque[tuple[str, Source]] = deque(maxlen=WAITING)
        self._broken = False
        self.running: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ her line

    def listen_to(self, leg: Leg) -> None:
        self._ear.listen_to(leg)

    def close(self) -> None:
        """The ear ends, and then, with her last words, the voice."""
        self._ear.close()

    # ------------------------------------------------------------ what it is told

    def hear(self, text: str, source: Source, *, there: bool) -> None:
        """A turn like a spoken one, and never lost: while she is not there it waits."""
        if self._voicing and there:
            self._voicing.speaker.hear(text, source)
        else:
            self._unheard.append((text, source))

    def forget_unheard(self) -> None:
        """An advisor has read it."""
        self._unheard.clear()

    def say(self, words: str) -> None:
        if self._voicing:
            self._voicing.speaker.say(words)

    def warn(self, words: str) -> None:
        """It breaks off and says this to its end."""
        if self._voicing:
            self._voicing.speaker.interrupt()
            self._voicing.speaker.say(words, uninterruptible=True)

    def silence(self) -> None:
        if self._voicing:
            self._voicing.speaker.hand_over()

    # ------------------------------------------------------------ its voice

    @property
    def language(self) -> Language | None:
        """The one they speak; None while there is no voice."""
        return self._voicing.speaker.language if self._voicing else None

    def speak(self, leg: Leg, words: str, tasks: asyncio.TaskGroup) -> None:
        """It has the line, and says this first."""
        self._ear.listen_to(leg)
        if self._voicing is None:
            self._voicing = self._make_voice(self._ear, words)
            self.running = tasks.create_task(self._run(self._voicing))
        else:
            self._voicing.speaker.take_back(words)
        for text, source in self._unheard:
            self._voicing.speaker.hear(text, source)
        self._unheard.clear()
        leg.speak(self._voicing.pull)

    async def _run(self, voicing: Voicing) -> None:
        """A voice that breaks is made anew, once: without one she would hear nothing and be told that all is well."""
        if await talk(voicing.speaker, self._call):
            return
        self._voicing, again, self._broken = None, self._broken, True
        self._broke(again)
