"""A baby may be in danger, and she says so in a call: the assistant stops, says the fixed words, people are alarmed.

Checked on every partial and final transcript and on typed words, deterministically and before any answer is thought of.
"""

from gateway.alarms import Alarms
from gateway.calls.context import CallContext
from gateway.calls.room import Room
from gateway.chat import Chat
from gateway.dialogue.language import written
from gateway.dialogue.ports import Action, Dialogue, RedFlag
from gateway.hub import Hub
from signaling.protocol import Event, EventKind


class Flags:
    """Of one call. Each sign is said aloud once as an alarm; then the dialogue gives no normal answer until a person
    has cleared it."""

    def __init__(
        self, dialogue: Dialogue, alarms: Alarms, chat: Chat, hub: Hub, room: Room, context: CallContext
    ) -> None:
        self._dialogue, self._alarms, self._chat, self._hub = dialogue, alarms, chat, hub
        self._room, self._context = room, context
        self._seen: set[str] = set()

    def check(self, text: str) -> bool:
        """Her words so far. True when a new sign was raised just now: no other answer may follow."""
        context = self._context()
        flag = self._dialogue.red_flag(text, context)
        if flag is None or flag.sign in {*self._seen, context.red_flag}:
            return False
        words = self._dialogue.red_flag_text(flag, written(text, context.language), staffed=self._staffed())
        self._warn(flag.sign, words)
        self._room.minutes.write(lambda: self._raise(flag, words))
        return True

    def follow(self, event: Event) -> None:
        """What the log says of the flag: a message she sent beside the call raised it, or a person cleared it."""
        match event.kind:
            case EventKind.RED_FLAG_RAISED if (sign := str(event.data["sign"])) not in self._seen:
                flag = RedFlag(sign, Action(event.data["action"]), "")
                words = self._dialogue.red_flag_text(flag, self._context().language, staffed=self._staffed())
                self._warn(sign, words)
            case EventKind.RED_FLAG_CLEARED:
                self._seen.clear()
                self._context.cleared()
            case _:
                pass

    def _warn(self, sign: str, words: str) -> None:
        self._seen.add(sign)
        self._context.flagged(sign, staffed=self._staffed())
        self._room.warn(words)

    def _staffed(self) -> bool:
        return any(self._hub.online(person) for person in self._context.staff)

    async def _raise(self, flag: RedFlag, words: str) -> None:
        about = self._room.about
        seq = self._room.minutes.last_seq
        if not seq:
            seq = (await self._chat.state(about.customer, about.conversation)).last_seq
        await self._alarms.raise_flag(about.conversation, seq, flag, words)
