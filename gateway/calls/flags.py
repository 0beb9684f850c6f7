"""A baby may be in danger, and she says so in a call: the assistant stops, says the fixed words, people are alarmed.

Checked on every partial and final transcript and on typed words, deterministically and before any answer is thought of.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from gateway.alarms import TAKEN_S, Alarms, alarm_id
from gateway.calls.context import CallContext
from gateway.calls.room import Room
from gateway.chat import Chat
from gateway.dialogue.language import written
from gateway.dialogue.ports import Action, Dialogue, RedFlag
from gateway.dialogue.signs import Shown, signs
from gateway.errors import NotYours
from gateway.hub import Hub
from signaling.protocol import AlarmRaised, AlarmView, Event, EventKind

AGAIN_S = 1.0
"""Between two attempts to write an alarm down."""

log = structlog.get_logger()


class Flags:
    """Of one call. Each sign is said aloud as an alarm once in ten minutes; then the dialogue gives no normal answer
    until a person has cleared it. `start` runs what outlives the call: an alarm is written however long it takes."""

    def __init__(
        self,
        dialogue: Dialogue,
        alarms: Alarms,
        chat: Chat,
        hub: Hub,
        room: Room,
        context: CallContext,
        *,
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._dialogue, self._alarms, self._chat, self._hub = dialogue, alarms, chat, hub
        self._room, self._context, self._start = room, context, start
        self._said_at: dict[str, float] = {}
        self._last_seq = 0

    def check(self, text: str) -> bool:
        """Her words so far. True when a sign was raised just now: no other answer may follow."""
        shown = [one for one in signs(self._dialogue, text, self._context()) if self._due(one.flag.sign)]
        if not shown:
            return False
        language, staffed = written(text, self._context().language), self._staffed()
        words = [self._dialogue.red_flag_text(one.flag, language, staffed=staffed) for one in shown]
        for one, said in reversed(list(zip(shown, words, strict=True))):  # the gravest last: it is what stands
            self._stands(one.flag.sign)
            self._start(self._raise(one, said, self._last_seq))
        self._context.flagging = True
        self._room.warn(" ".join(words))
        return True

    def follow(self, event: Event) -> None:
        """What the log says of the flag: a message she sent beside the call raised it, or a person cleared it."""
        self._last_seq = max(self._last_seq, event.seq)
        match event.kind:
            case EventKind.RED_FLAG_RAISED if self._due(sign := str(event.data["sign"])):
                flag = RedFlag(sign, Action(event.data["action"]), "")
                words = self._dialogue.red_flag_text(flag, self._context().language, staffed=self._staffed())
                self._stands(sign)
                self._room.warn(words)
            case EventKind.RED_FLAG_CLEARED:
                self._said_at.clear()
                self._context.cleared()
            case _:
                pass

    def _due(self, sign: str) -> bool:
        said_at = self._said_at.get(sign)
        return said_at is None or asyncio.get_running_loop().time() - said_at >= TAKEN_S

    def _stands(self, sign: str) -> None:
        self._said_at[sign] = asyncio.get_running_loop().time()
        self._context.flagged(sign, staffed=self._staffed())

    def _staffed(self) -> bool:
        return any(self._hub.online(person) for person in self._context.staff)

    # ------------------------------------------------------------ to people

    async def _raise(self, shown: Shown, words: str, seq: int) -> None:
        """Until it is written. People who are connected need no database to hear of it."""
        about, told = self._room.about, False
        while True:
            try:
                at = seq or (await self._chat.state(about.customer, about.conversation)).last_seq
                await self._alarms.raise_flag(about.conversation, at, shown.flag, words, anew=shown.anew)
                return
            except NotYours:
                log.error("call.flag_of_nobody", call=about.call, sign=shown.flag.sign)
                return
            except Exception:
                log.exception("call.flag_not_written", call=about.call, sign=shown.flag.sign)
            if not told:
                self._tell(shown.flag, seq)
                told = True
            await asyncio.sleep(AGAIN_S)

    def _tell(self, flag: RedFlag, seq: int) -> None:
        about = self._room.about
        alarm = AlarmView(
            alarm=alarm_id(about.conversation, seq, flag.sign),
            conversation=about.conversation,
            customer_name=about.customer.name,
            store=self._context().store,
            store_name=self._context.store_name,
            sign=flag.sign,
            action=str(flag.action),
            text="",
            at=self._chat.now(),
            call=about.call,
        )
        for person in self._context.staff:
            self._hub.tell(person, AlarmRaised(alarm=alarm))
