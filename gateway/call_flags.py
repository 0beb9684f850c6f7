"""A baby may be in danger, and she says so in a call: the assistant stops, says the fixed words, people are alarmed.

Checked on every partial and final transcript and on typed words, deterministically and before any answer is thought of.
"""

from gateway.alarms import Alarms
from gateway.call_context import CallContext
from gateway.call_room import Room
from gateway.chat import Chat
from gateway.dialogue.ports import Dialogue, RedFlag


class Flags:
    """Of one call. Each sign is said aloud once as an alarm; the dialogue itself keeps answering with it afterwards."""

    def __init__(self, dialogue: Dialogue, alarms: Alarms, chat: Chat, room: Room, context: CallContext) -> None:
        self._dialogue, self._alarms, self._chat = dialogue, alarms, chat
        self._room, self._context = room, context
        self._seen: set[str] = set()

    def check(self, text: str) -> bool:
        """Her words so far. True when a new sign was raised just now: no other answer may follow."""
        flag = self._dialogue.red_flag(text, self._context())
        if flag is None or flag.sign in self._seen:
            return False
        self._seen.add(flag.sign)
        words = self._dialogue.red_flag_text(flag, self._context().language)
        self._room.warn(words)
        self._room.minutes.write(lambda: self._raise(flag, words))
        return True

    async def _raise(self, flag: RedFlag, words: str) -> None:
        about = self._room.about
        seq = self._room.minutes.last_seq
        if not seq:
            seq = (await self._chat.state(about.customer, about.conversation)).last_seq
        await self._alarms.raise_flag(about.conversation, seq, flag, words)
