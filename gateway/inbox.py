"""The advisors' list, and telling them when a line of it changes."""

import asyncio

import structlog

from gateway.domain.people import Person, may_see
from gateway.errors import NestcallError
from gateway.hub import Hub, Listener
from gateway.store import inbox
from gateway.store.engine import Store
from gateway.store.log import find
from gateway.store.schema import conversations
from signaling.protocol import Event, InboxChanged, InboxItem

GATHER_S = 0.1
logger = structlog.get_logger()


class Inbox:
    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._changed: set[str] = set()  # bounded by the conversations there are: one entry each
        self._wake = asyncio.Event()
        hub.taps.append(self.touch)

    async def items(self, person: Person) -> list[InboxItem]:
        async with self._store.read() as connection:
            return await inbox.items(connection, inbox.reach(person))

    def watched(self, listener: Listener) -> None:
        """From now on this one is told of changes (before the list is read: none falls between)."""
        self._hub.watch(listener)

    def touch(self, event: Event) -> None:
        if self._hub.watchers:
            self._changed.add(event.conversation)
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            try:
                await self._tell(changed)
            except NestcallError as error:  # the next change, or the next inbox.watch, shows it
                logger.warning("inbox not told", code=str(error.code))

    async def _tell(self, changed: set[str]) -> None:
        async with self._store.read() as connection:
            for item in await inbox.items(connection, conversations.c.id.in_(changed)):
                state = await find(connection, item.conversation)
                for watcher in self._hub.watchers:
                    if may_see(watcher.person, chain=state.chain, store=state.store, customer=state.customer):
                        watcher.send(InboxChanged(item=item))
