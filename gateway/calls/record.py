"""What a call leaves behind: its row, its facts in the log, and `call.changed` on every page that follows it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.calls.room import Owning, Room
from gateway.chat import Chat, new_nonce
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.errors import Conflict
from gateway.hub import Hub
from gateway.store import calls as rows
from gateway.store import log as events
from gateway.store.engine import Store
from signaling.protocol import CallChanged, CallRecordBody, CallView, EventKind, MediaKind

log = structlog.get_logger()


class Record:
    def __init__(self, store: Store, chat: Chat, hub: Hub, gateway: str) -> None:
        self._store, self._chat, self._hub, self._gateway = store, chat, hub, gateway

    # ------------------------------------------------------------ begin

    async def begin(self, room: Room) -> None:
        """Durable on return: the row and `call.started`, together."""
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
        data = {"call": about.call, "media": about.media, "style": about.style}
        started = Fact(EventKind.CALL_STARTED, about.customer.id, "customer", f"start-{about.call}"[:64], data=data)

        async def job(connection: AsyncConnection) -> events.Appended:
            locked = await events.find(connection, about.conversation, lock=True)
            await rows.add(connection, row)
            return await events.append(connection, locked, (started,), at=self._chat.now())

        room.minutes.wrote((await self._store.write(job, self._chat.tell)).events)

    # ------------------------------------------------------------ change

    def shown(self, room: Room) -> None:
        """Pages now; row and log through the minutes, in order."""
        view = room.view()
        self._hub.flash(room.about.conversation, CallChanged(call=view))
        if room.advisor and room.call.advisor is None:
            self._hub.tell(room.advisor.id, CallChanged(call=view))
        room.minutes.write(lambda: self._store_change(room, view))

    async def _store_change(self, room: Room, view: CallView) -> None:
        def changed(connection: AsyncConnection) -> Awaitable[None]:
            return rows.change(connection, view.call, state=view.state, advisor=view.advisor, epoch=view.epoch)

        await self._store.write(changed)
        if view.state != "ended":
            data = {"call": view.call, "state": view.state}
            if view.advisor:
                data |= {"advisor": view.advisor, "name": view.advisor_name or ""}
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

    def ending(self, room: Room) -> Callable[[], Awaitable[None]]:
        """What writes the end of this call: fact, record and row together. It may be tried again and again."""
        about, reason = room.about, room.call.reason or "failed"
        spoken_s = asyncio.get_running_loop().time() - room.connected_at if room.connected_at else 0.0
        facts = end_facts(about.call, reason, round(spoken_s * 1000), about.media)
        steps, lines = room.waterfall(), room.lines.summary()

        async def job(connection: AsyncConnection) -> events.Appended | None:
            locked = await events.find(connection, about.conversation, lock=True)
            if await rows.find(connection, about.call) is None:
                return None  # it never began
            try:
                ended = await events.append(connection, locked, facts, at=self._chat.now())
            except Conflict:
                ended = None  # told before, by a gateway that could not finish the row
            await rows.finish(connection, about.call, reason, self._chat.now(), steps, lines)
            return ended

        async def end() -> None:
            await self._store.write(job, self._chat.tell)

        return end

    async def half_said(self, conversation: str, call: str, half: Mapping[str, Mapping[str, Any]]) -> None:
        """What was being said when a gateway died, as far as it was kept: into the log, once."""
        for fact in half.values():
            spoken = Fact(**fact)
            body = (spoken.body or {}) | ({"cut": True} if spoken.role == "assistant" else {})
            try:
                await self._chat.append(conversation, replace(spoken, body=body))
            except Conflict:
                log.info("call.half_said_known", call=call)  # its end had been written after all
        if half:
            await self._store.write(lambda connection: rows.change(connection, call, half_said={}))

    async def end_stranded(self, conversation: str, call: str) -> None:
        """A conversation whose running call no gateway has any more."""
        ended = Fact(
            EventKind.CALL_ENDED,
            "system",
            "system",
            new_nonce(),
            data={"call": call, "reason": "failed", "duration_ms": 0},
        )
        await self._chat.append(conversation, ended)


def end_facts(call: str, reason: str, duration_ms: int, media: MediaKind) -> tuple[Fact, Fact]:
    body = CallRecordBody(call=call, media=media, duration_ms=duration_ms, reason=reason)
    content = body.model_dump(mode="json", exclude_defaults=True) | {"kind": "call_record"}
    ended = {"call": call, "reason": reason, "duration_ms": duration_ms}
    return (
        Fact(EventKind.CALL_ENDED, "system", "system", f"end-{call}"[:64], data=ended),
        Fact(EventKind.MESSAGE_SENT, "system", "system", f"record-{call}"[:64], content),
    )
