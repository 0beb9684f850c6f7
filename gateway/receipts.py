"""Delivered and read: marks are gathered for a moment, so that a page that scrolls does not fill the log."""

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.chat import Chat
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.errors import NestcallError
from gateway.store import log, receipts
from gateway.store.engine import Store
from signaling.protocol import EventKind

GATHER_S = 0.1
MAX_PENDING = 10_000
"""Overflow: the mark is dropped; watermarks are cumulative, her next one covers it."""

logger = structlog.get_logger()


class Receipts:
    def __init__(self, store: Store, chat: Chat) -> None:
        self._store = store
        self._chat = chat
        self._pending: dict[tuple[str, str], tuple[Person, int, int]] = {}

    def mark(self, person: Person, conversation: str, *, delivered: int, read: int) -> None:
        """Soon, and only if it grows. Whether she may is settled when it is written."""
        key = (conversation, person.id)
        _, was_delivered, was_read = self._pending.get(key, (person, 0, 0))
        if key in self._pending or len(self._pending) < MAX_PENDING:
            self._pending[key] = (person, max(delivered, was_delivered), max(read, was_read))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        pending, self._pending = self._pending, {}
        async with asyncio.TaskGroup() as tasks:
            for (conversation, _), (person, delivered, read) in pending.items():
                tasks.create_task(self._write(person, conversation, delivered, read))

    async def _write(self, person: Person, conversation: str, delivered: int, read: int) -> None:
        async def job(connection: AsyncConnection) -> log.Appended | None:
            found = await self._chat.visible(connection, person, conversation, lock=True)
            # Never past the newest message: two readers' receipts must not be receipted in turn, for ever.
            top = found.last_message
            grown = await receipts.grow(
                connection, conversation, person.id, delivered=min(delivered, top), read=min(read, top)
            )
            if grown is None:
                return None
            data = {"party": person.id, "delivered": grown[0], "read": grown[1]}
            nonce = f"receipt-{grown[0]}-{grown[1]}"
            fact = Fact(EventKind.RECEIPT_MARKED, person.id, person.role, nonce, data=data)
            return await log.append(connection, found, (fact,), at=self._chat.now())

        try:
            await self._store.write(job, self._chat.tell)
        except NestcallError as error:
            logger.info("receipt dropped", code=str(error.code))
