"""The chains' knowledge, indexed and kept fresh: the shell around `gateway.dialogue.knowledge`."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialogue.knowledge import Knowledge
from gateway.store import knowledge as rows

T = TypeVar("T")
RULES_FRESH_S = 60.0
FRESH_S = 1.0
"""How long an index is trusted before the table is asked whether it changed."""


class Database(Protocol):
    """What of the store the dialogue uses (gateway.store.engine.Store)."""

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    async def write(self, job: Callable[[AsyncConnection], Awaitable[T]]) -> T: ...


@dataclass(slots=True)
class Shelf:
    """One chain's index, the mark of the rows it was made from, and when that was last checked (loop time)."""

    knowledge: Knowledge
    mark: tuple[int, int, str]
    checked: float


class Library:
    """`of(store)` is the index of the store's chain. Building has a thread of its own: 5,000 entries take seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelves: dict[str, Shelf] = {}
        self._chains: dict[str, str] = {}
        self._rules: dict[str, tuple[float, dict[str, Any]]] = {}
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="knowledge")
        self._lock = asyncio.Lock()

    async def chain(self, store: str) -> str:
        """The chain of a store; stores never move, so it is asked once."""
        if store not in self._chains:
            async with self._database.read() as connection:
                self._chains[store] = await rows.chain_of(connection, store)
        return self._chains[store]

    async def rules(self, store: str) -> dict[str, Any]:
        """The handoff rules of a store (see `gateway.dialogue.handoff`), at most a minute old."""
        now = asyncio.get_running_loop().time()
        kept = self._rules.get(store)
        if kept is None or now - kept[0] > RULES_FRESH_S:
            async with self._database.read() as connection:
                kept = self._rules[store] = (now, await rows.rules_of(connection, store))
        return kept[1]

    async def of(self, store: str) -> Knowledge:
        """What the chain of `store` knows now (at most a second old)."""
        return await self.of_chain(await self.chain(store))

    async def of_chain(self, chain: str) -> Knowledge:
        shelf = self._shelves.get(chain)
        if shelf and asyncio.get_running_loop().time() - shelf.checked < FRESH_S:
            return shelf.knowledge
        async with self._lock:
            return (await self._refresh(chain)).knowledge

    def forget(self, chain: str) -> None:
        """The rows changed: look again at the next question."""
        if shelf := self._shelves.get(chain):
            shelf.checked = float("-inf")

    async def _refresh(self, chain: str) -> Shelf:
        loop = asyncio.get_running_loop()
        async with self._database.read() as connection:
            mark = await rows.mark(connection, chain)
            shelf = self._shelves.get(chain)
            if shelf and shelf.mark == mark:
                shelf.checked = loop.time()
                return shelf
            entries = await rows.published(connection, chain)
        knowledge = await loop.run_in_executor(self._builder, Knowledge, entries)
        self._shelves[chain] = Shelf(knowledge, mark, loop.time())
        return self._shelves[chain]

    def close(self) -> None:
        self._builder.shutdown(wait=False, cancel_futures=True)
