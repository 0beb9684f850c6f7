"""What an answer brings with it once she hears it: choices to tap, a person asked for."""

from gateway.calls.context import CallContext
from gateway.calls.room import Room
from gateway.chat import new_nonce
from gateway.dialogue.ports import Closing
from gateway.domain.events import Fact
from gateway.hub import Hub
from signaling.protocol import CaptionShown, EventKind


class Consequences:
    def __init__(self, hub: Hub, room: Room, context: CallContext) -> None:
        self._hub, self._room, self._context = hub, room, context

    async def apply(self, turn: int, closing: Closing) -> None:
        self._context.decided(closing.decision)
        if closing.choices:
            self._offer(turn, closing)
        if closing.handoff is not None:
            asked = Fact(
                EventKind.CONVERSATION_QUEUED,
                "assistant",
                "assistant",
                new_nonce(),
                data={"reason": str(closing.handoff)},
            )
            self._room.minutes.write(lambda: self._room.minutes.append(asked))

    def _offer(self, turn: int, closing: Closing) -> None:
        """Shown at once, before they are all read out."""
        minutes, about = self._room.minutes, self._room.about
        minutes.choices[turn] = closing.choices
        caption = CaptionShown(
            call=about.call,
            conversation=about.conversation,
            role="assistant",
            turn=minutes.numbered(turn),
            text=closing.text,
            final=True,
            choices=closing.choices,
        )
        self._hub.flash(about.conversation, caption)
