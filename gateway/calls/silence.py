"""A call in which nothing at all is heard (a dead microphone, a forgotten phone) comes to an end.

The pipeline asks twice whether she is still there, then only counts on. After a minute the assistant says goodbye; when
even that is not answered the call ends. Never while she waits for a person, or while a red flag stands.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from gateway.calls.room import Room
from gateway.calls.words import notice
from gateway.chat import Chat
from gateway.domain.call import Stopped
from gateway.errors import NestcallError
from media.ports import IdleNote

GOODBYE = 6
"""Idle spans (of ten seconds) after which the assistant says goodbye; the next one ends the call."""

log = structlog.get_logger()


class Silence:
    """Of one call: told of each idle span. `start` runs what has to ask the database."""

    def __init__(self, chat: Chat, room: Room, *, start: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._chat, self._room, self._start = chat, room, start
        self._warned = 0
        """The idle span in which goodbye was said."""

    def __call__(self, note: IdleNote) -> None:
        if note.times < GOODBYE:
            self._warned = 0  # she has spoken since
        else:
            self._start(self._consider(note.times))

    async def _consider(self, times: int) -> None:
        if await self._somebody_else_is_wanted():
            self._warned = 0
        elif self._warned:
            self._room.post(Stopped("silent"))
        else:
            self._warned = times
            self._room.say(notice("nothing_heard", self._room.language))

    async def _somebody_else_is_wanted(self) -> bool:
        about, call = self._room.about, self._room.call
        if call.state != "with_assistant" or call.away:
            return True
        try:
            state = await self._chat.state(about.customer, about.conversation)
        except NestcallError as error:
            log.warning("call.silence_not_judged", call=about.call, code=str(error.code))
            return True
        return state.state != "with_assistant" or state.red_flag is not None
