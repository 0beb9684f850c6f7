"""What our queries use of SQLAlchemy's `AsyncConnection`, over SQLite's plain driver.

The asynchronous SQLite driver makes four trips to its thread for every statement; at 200 messages a second that is
most of the machine. Here a whole batch of writes is one trip (its jobs never really wait, so they can be driven to
their end inside the thread), and a read is one trip a statement. PostgreSQL uses the true `AsyncConnection`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, Executable, Result, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


class Inside:
    """For a write job: already in the thread, so nothing ever waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return self._connection.scalars(statement, parameters)


def drive(job: Callable[[AsyncConnection], Awaitable[T]], connection: Connection) -> T:
    """Run a job to its end. Raises what it raises; RuntimeError when it waits for anything but the database."""
    coroutine = cast(Coroutine[Any, Any, T], job(cast(AsyncConnection, Inside(connection))))
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    coroutine.close()
    raise RuntimeError("a write job may wait for nothing but the database")


class Outside:
    """For a reader on the event loop: each statement is one trip to a thread, which brings all its rows."""

    def __init__(self, engine: Engine, threads: Executor) -> None:
        self._engine = engine
        self._threads = threads
        self._connection: Connection | None = None

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        def trip() -> Result[Any]:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._connection.execute(statement, parameters).freeze()()

        return await asyncio.get_running_loop().run_in_executor(self._threads, trip)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def close(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._connection.close)
