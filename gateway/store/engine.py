"""Connections, migrations, and the writer. `write` returns only after commit.

SQLite has one writer: jobs that wait together share one transaction and one fsync (group commit), each in a savepoint
of its own, so a refused job undoes only itself. PostgreSQL runs jobs side by side; the row lock on the conversation
orders them. Same jobs, same SQL.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar, cast

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import NestcallError, StorageBroken
from gateway.settings import Settings
from gateway.store import connect
from gateway.store.direct import Outside, drive
from gateway.store.migrate import migrate, migrate_async
from gateway.telemetry import WRITES
from signaling.protocol import ErrorCode

T = TypeVar("T")
Job = Callable[[AsyncConnection], Awaitable[T]]
"""Database work only: anything else it awaits holds up every other writer."""

Then = Callable[[T], None]
"""Called once, right after commit and in commit order, even when whoever asked has gone."""

WRITE_DEADLINE_S = 3.0
MAX_WAITING = 2_000
MAX_BATCH = 64
DISK_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "53100"})

log = structlog.get_logger()


def storage_error(error: Exception) -> NestcallError:
    """The coded error for what a database driver raised."""
    if isinstance(error, NestcallError):
        return error
    names = [driver_name(one) for one in chain(error)]
    full = any(name in DISK_FULL for name in names)
    code = ErrorCode.STORAGE_FULL if full else ErrorCode.STORAGE_BUSY
    return StorageBroken(code, " ".join(dict.fromkeys(filter(None, names))) or type(error).__name__)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what came before it: a full disk makes SQLite roll back, and then the savepoint is missing too."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def driver_name(error: BaseException) -> str:
    """SQLite's name of an error, or PostgreSQL's SQLSTATE."""
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "sqlite_errorname", "") or getattr(cause, "sqlstate", "") or "")


@dataclass(slots=True)
class Pending:
    job: Job[Any]
    then: Then[Any] | None
    done: asyncio.Future[Any]

    def settle(self, outcome: Any) -> None:
        """A result, or the exception it failed with."""
        if isinstance(outcome, Exception):
            if not self.done.done():
                self.done.set_exception(outcome)
            return
        if self.then is not None:
            announce(self.then, outcome)
        if not self.done.done():
            self.done.set_result(outcome)


def announce(then: Then[Any], result: Any) -> None:
    """The row is stored: a fault while telling others must not look like a failed write."""
    try:
        then(result)
    except Exception:
        log.exception("announcing a stored change failed")


class Backend(Protocol):
    """One kind of database."""

    async def write(self, job: Job[T], then: Then[T] | None, deadline_s: float) -> T: ...

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    async def look(self, job: Job[T]) -> T: ...

    async def close(self) -> None: ...


class Sqlite:
    """One writer thread with group commit, a few reader threads."""

    def __init__(self, writing: Engine, reading: Engine) -> None:
        self._writing = writing
        self._reading = reading
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._line: Connection | None = None
        """The writer's own, kept between batches: taking it from the pool and giving it back costs as much as a job."""
        self._readers = ThreadPoolExecutor(connect.READERS, "store-reader")
        self._seats = asyncio.Semaphore(connect.READERS)
        # Full: the write is refused as storage_busy; the client keeps it and tries again.
        self._queue: asyncio.Queue[Pending] = asyncio.Queue(MAX_WAITING)
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def write(self, job: Job[T], then: Then[T] | None, deadline_s: float) -> T:
        pending = Pending(job, then, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(pending)
            async with asyncio.timeout(deadline_s):
                return cast(T, await pending.done)
        except asyncio.QueueFull:
            raise StorageBroken(ErrorCode.STORAGE_BUSY, "too many writes are waiting") from None
        except TimeoutError:
            raise StorageBroken(ErrorCode.STORAGE_BUSY, "the database did not answer in time") from None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            # One whose caller gave up waiting is not begun; one begun is told to everybody even so.
            batch = [pending for pending in batch if not pending.done.done()]
            outcomes = await loop.run_in_executor(self._writer, self._commit, [pending.job for pending in batch])
            for pending, outcome in zip(batch, outcomes, strict=True):
                pending.settle(outcome)

    def _commit(self, jobs: list[Job[Any]]) -> list[Any]:
        """In the thread. Each job's result or exception; when the commit fails, nothing of the batch is stored."""
        try:
            self._line = self._line or self._writing.connect()
            with self._line.begin():
                return [attempt(self._line, job) for job in jobs]
        except Exception as error:
            self._hang_up()
            return [storage_error(error)] * len(jobs)

    def _hang_up(self) -> None:
        """After trouble the next batch begins on a clean connection."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._seats:
            connection = Outside(self._reading, self._readers)
            try:
                yield cast(AsyncConnection, connection)
            finally:
                await asyncio.shield(connection.close())

    async def look(self, job: Job[T]) -> T:
        def trip() -> T:
            with self._reading.connect() as connection:
                return drive(job, connection)

        async with self._seats:
            return await asyncio.get_running_loop().run_in_executor(self._readers, trip)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait().settle(StorageBroken(ErrorCode.UNAVAILABLE, "closing"))
        for threads, engine in ((self._writer, self._writing), (self._readers, self._reading)):
            await asyncio.to_thread(threads.shutdown)
            self._hang_up()
            engine.dispose()


def attempt(connection: Connection, job: Job[Any]) -> Any:
    """Run one job in its savepoint. What the job refused is its own affair; a broken database is everybody's.

    The savepoint is said by hand: SQLAlchemy's `begin_nested` compiles its name anew each time.
    """
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        outcome = drive(job, connection)
    except Exception as error:
        if isinstance(error, DBAPIError | InterfaceError) and not isinstance(error, IntegrityError):
            raise
        outcome = error
        connection.exec_driver_sql("ROLLBACK TO job")
    connection.exec_driver_sql("RELEASE job")
    return outcome


class Postgres:
    """Each job its own transaction, side by side."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._running: set[asyncio.Task[Any]] = set()  # bounded by the pool; waiting for it is timed

    async def write(self, job: Job[T], then: Then[T] | None, deadline_s: float) -> T:
        # Shielded: a caller that goes away in mid-commit must not leave a stored change untold.
        task = asyncio.create_task(self._transaction(job, then, deadline_s))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _transaction(self, job: Job[T], then: Then[T] | None, deadline_s: float) -> T:
        async with asyncio.timeout(deadline_s), self._engine.begin() as connection:
            result = await job(connection)
        if then is not None:
            announce(then, result)
        return result

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection

    async def look(self, job: Job[T]) -> T:
        async with self.read() as connection:
            return await job(connection)

    async def close(self) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()


class Store:
    """The database. `Store.open` migrates first and raises `SettingsBroken` when it cannot be used."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        url = settings.database
        if url.startswith("sqlite"):
            writing, reading = connect.sqlite(url, writes=True), connect.sqlite(url, writes=False)
            await asyncio.to_thread(migrate, writing)
            return cls(Sqlite(writing, reading))
        engine = connect.postgres(url)
        await migrate_async(engine)
        return cls(Postgres(engine))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent snapshot; never waits for the writer on SQLite."""
        with coded():
            async with self._backend.read() as connection:
                yield connection

    async def look(self, job: Job[T]) -> T:
        """Several reads as one: on SQLite a single trip to a thread, where rows become values off the event loop."""
        with coded():
            return await self._backend.look(job)

    async def write(self, job: Job[T], then: Then[T] | None = None, *, deadline_s: float = WRITE_DEADLINE_S) -> T:
        """One transaction; returns after commit, or raises within `deadline_s`."""
        with coded(), WRITES.time():
            try:
                return await self._backend.write(job, then, deadline_s)
            except IntegrityError:  # somebody wrote the same row meanwhile: this time the job finds it
                return await self._backend.write(job, then, deadline_s)

    async def close(self) -> None:
        await self._backend.close()


@contextmanager
def coded() -> Iterator[None]:
    """A driver's failure leaves as `StorageBroken`; what a job refused leaves as it is."""
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        raise storage_error(error) from error
