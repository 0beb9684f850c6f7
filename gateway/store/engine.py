"""Connections, migrations, and the writer. `write` returns only after commit.

SQLite has one writer: jobs that wait together share one transaction and one fsync (group commit), each in a savepoint
of its own, so a refused job undoes only itself. PostgreSQL runs jobs side by side; the row lock on the conversation
orders them. Same jobs, same SQL.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import NestcallError, StorageBroken
from gateway.settings import Settings
from gateway.store import connect
from gateway.store.migrate import migrate
from signaling.protocol import ErrorCode

T = TypeVar("T")
Job = Callable[[AsyncConnection], Awaitable[T]]
"""Database work only: anything else it awaits holds up every other writer."""

Then = Callable[[T], None]
"""Called once, right after commit and in commit order, even when whoever asked has gone."""

WRITE_DEADLINE_S = 3.0
MAX_WAITING = 2_000
MAX_BATCH = 64

log = structlog.get_logger()


def storage_error(error: Exception) -> NestcallError:
    """The coded error for what a database driver raised."""
    if isinstance(error, NestcallError):
        return error
    cause = getattr(error, "orig", error)
    name = getattr(cause, "sqlite_errorname", "") or getattr(cause, "sqlstate", "") or ""
    full = name in {"SQLITE_FULL", "53100"} or "disk is full" in str(cause) or name == "SQLITE_IOERR_WRITE"
    code = ErrorCode.STORAGE_FULL if full else ErrorCode.STORAGE_BUSY
    return StorageBroken(code, f"{type(cause).__name__} {name}".strip())


@dataclass(slots=True)
class Pending:
    job: Job[Any]
    then: Then[Any] | None
    done: asyncio.Future[Any]

    def stored(self, result: Any) -> None:
        if self.then is not None:
            announce(self.then, result)
        if not self.done.done():
            self.done.set_result(result)

    def failed(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def announce(then: Then[Any], result: Any) -> None:
    """The row is stored: a fault while telling others must not look like a failed write."""
    try:
        then(result)
    except Exception:
        log.exception("announcing a stored change failed")


async def attempt(connection: AsyncConnection, job: Job[T]) -> T | NestcallError | Exception:
    """Run one job in its savepoint. What the job refused is its own affair; a broken database is everybody's."""
    try:
        async with connection.begin_nested():
            return await job(connection)
    except (DBAPIError, InterfaceError) as error:
        if isinstance(error, IntegrityError):
            return error
        raise
    except Exception as error:
        return error


class Writer(Protocol):
    async def write(self, job: Job[T], then: Then[T] | None) -> T: ...

    async def close(self) -> None: ...


class GroupCommit:
    """SQLite's one writer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Full: the write is refused as storage_busy; the client keeps it and tries again.
        self._queue: asyncio.Queue[Pending] = asyncio.Queue(MAX_WAITING)
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def write(self, job: Job[T], then: Then[T] | None) -> T:
        pending = Pending(job, then, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(pending)
            async with asyncio.timeout(WRITE_DEADLINE_S):
                return await pending.done  # type: ignore[no-any-return]
        except asyncio.QueueFull:
            raise StorageBroken(ErrorCode.STORAGE_BUSY, "too many writes are waiting") from None
        except TimeoutError:
            raise StorageBroken(ErrorCode.STORAGE_BUSY, "the database did not answer in time") from None

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait().failed(StorageBroken(ErrorCode.UNAVAILABLE, "closing"))

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._commit([pending for pending in batch if not pending.done.done()])

    async def _commit(self, batch: list[Pending]) -> None:
        try:
            async with self._engine.begin() as connection:
                outcomes = [await attempt(connection, pending.job) for pending in batch]
        except Exception as error:  # nothing of this batch is stored
            for pending in batch:
                pending.failed(storage_error(error))
            return
        for pending, outcome in zip(batch, outcomes, strict=True):
            pending.failed(outcome) if isinstance(outcome, Exception) else pending.stored(outcome)


class SideBySide:
    """PostgreSQL: each job its own transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._running: set[asyncio.Task[Any]] = set()  # bounded by the pool; waiting for it is timed

    async def write(self, job: Job[T], then: Then[T] | None) -> T:
        # Shielded: a caller that goes away in mid-commit must not leave a stored change untold.
        task = asyncio.create_task(self._transaction(job, then))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _transaction(self, job: Job[T], then: Then[T] | None) -> T:
        try:
            async with asyncio.timeout(WRITE_DEADLINE_S), self._engine.begin() as connection:
                result = await job(connection)
        except (NestcallError, IntegrityError):
            raise
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise storage_error(error) from error
        if then is not None:
            announce(then, result)
        return result

    async def close(self) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)


class Store:
    """The database. `Store.open` migrates first and raises `SettingsBroken` when it cannot be used."""

    def __init__(self, reader: AsyncEngine, writing: AsyncEngine, writer: Writer) -> None:
        self._engines = (reader, writing)
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        writing = connect.engine(settings.database, writes=True)
        try:
            await migrate(writing)
        except BaseException:
            await writing.dispose()
            raise
        sqlite = writing.dialect.name == "sqlite"
        reader = connect.engine(settings.database, writes=False) if sqlite else writing
        return cls(reader, writing, GroupCommit(writing) if sqlite else SideBySide(writing))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent snapshot; never waits for the writer on SQLite."""
        try:
            async with self._reader.connect() as connection:
                yield connection
        except (DBAPIError, InterfaceError, PoolTimeout) as error:
            raise storage_error(error) from error

    async def write(self, job: Job[T], then: Then[T] | None = None) -> T:
        """One transaction; returns after commit, or raises within `WRITE_DEADLINE_S`."""
        return await self._writer.write(job, then)

    async def close(self) -> None:
        await self._writer.close()
        for engine in self._engines:
            await engine.dispose()
