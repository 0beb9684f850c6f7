"""What a call leaves behind: its row, its facts in the log, and `call.changed` on every page that follows it."""

import asyncio

from gateway.calls.room import Owning, Room
from gateway.chat import Chat, new_nonce
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.hub import Hub
from gateway.store import calls as rows
from gateway.store.engine import Store
from signaling.protocol import CallChanged, CallRecordBody, EventKind


class Record:
    def __init__(self, store: Store, chat: Chat, hub: Hub, gateway: str) -> None:
        self._store, self._chat, self._hub, self._gateway = store, chat, hub, gateway

    # ------------------------------------------------------------ begin

    async def begin(self, room: Room) -> None:
        """Durable on return: the row, then `call.started`."""
        about = room.about
        row = {
            "id": about.call,
            "conversation": about.conversation,
            "gateway": self._gateway,
            "media": about.media,
            "style": about.style,
            "state": room.call.state,
            "started_at": about.started_at,
            "waterfall": {},
            "stats": {},
        }
        await self._store.write(lambda connection: rows.add(connection, row))
        data = {"call": about.call, "media": about.media, "style": about.style}
        await room.minutes.append(
            Fact(EventKind.CALL_STARTED, about.customer.id, "customer", f"start-{about.call}"[:64], data=data)
        )

    # ------------------------------------------------------------ change

    def shown(self, room: Room) -> None:
        """Pages now; row and log through the minutes, in order."""
        view = room.view()
        self._hub.flash(room.about.conversation, CallChanged(call=view))
        if room.advisor and room.call.advisor is None:
            self._hub.tell(room.advisor.id, CallChanged(call=view))
        room.minutes.write(lambda: self._store_change(room, view.state, view.advisor, view.epoch))

    async def _store_change(self, room: Room, state: str, advisor: str | None, epoch: int) -> None:
        await self._store.write(lambda c: rows.change(c, room.about.call, state=state, advisor=advisor, epoch=epoch))
        if state != "ended":
            data = {"call": room.about.call, "state": state} | ({"advisor": advisor} if advisor else {})
            await room.minutes.append(Fact(EventKind.CALL_CHANGED, "system", "system", new_nonce(), data=data))

    async def owner(self, room: Room, advisor: Person, how: Owning) -> None:
        """The conversation follows the call. Refused (resolved meanwhile, no longer his): it stays as it is."""
        conversation = room.about.conversation
        match how:
            case "taken":
                await self._chat.act(advisor, conversation, new_nonce(), "accept")
            case "handed_back":
                await self._chat.act(advisor, conversation, new_nonce(), "hand_back")
            case "vanished":
                data = {"by": "system", "of": advisor.id}  # somebody else may have accepted it meanwhile
                back = Fact(EventKind.CONVERSATION_HANDED_BACK, "system", "system", new_nonce(), data=data)
                wait = Fact(
                    EventKind.CONVERSATION_QUEUED, "system", "system", new_nonce(), data={"reason": "advisor_lost"}
                )
                await room.minutes.append(back, wait)

    # ------------------------------------------------------------ end

    async def end(self, room: Room) -> None:
        about, reason = room.about, room.call.reason or "failed"
        spoken_s = asyncio.get_running_loop().time() - room.connected_at if room.connected_at else 0.0
        duration_ms = round(spoken_s * 1000)
        body = CallRecordBody(call=about.call, media=about.media, duration_ms=duration_ms, reason=reason)
        ended = {"call": about.call, "reason": reason, "duration_ms": duration_ms}
        await room.minutes.append(
            Fact(EventKind.CALL_ENDED, "system", "system", f"end-{about.call}"[:64], data=ended),
            Fact(
                EventKind.MESSAGE_SENT,
                "system",
                "system",
                f"record-{about.call}"[:64],
                body.model_dump(mode="json", exclude_defaults=True) | {"kind": "call_record"},
            ),
        )
        steps, lines = room.waterfall(), room.lines.summary()
        await self._store.write(lambda c: rows.finish(c, about.call, reason, self._chat.now(), steps, lines))
