"""A few threads of our own with admission, for work that would block the event loop.

Never the loop's default executor: aiortc encodes there.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from media.errors import EngineFailed

T = TypeVar("T")


class Workers:
    """At most `threads` jobs run and `waiting` more wait; a job beyond that is refused at once, because in a call
    a late answer is worth less than a quick refusal. A cancelled caller leaves at once; a job that has not begun
    by then never runs."""

    def __init__(self, name: str, threads: int = 1, waiting: int = 16) -> None:
        self.name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._threads, self._inside = threads, 0

    @property
    def idle(self) -> bool:
        """A job given now would begin at once."""
        return self._inside < self._threads

    async def run(self, job: Callable[..., T], *args: object) -> T:
        """The job's result; whatever it raises comes out as EngineFailed."""
        if not self._places.acquire(blocking=False):
            raise EngineFailed(self.name, "too busy")
        try:
            future = self._pool.submit(job, *args)
        except RuntimeError as closed:
            self._places.release()
            raise EngineFailed(self.name, "closed", retryable=False) from closed
        future.add_done_callback(lambda _: self._places.release())
        self._inside += 1
        try:
            return await asyncio.wrap_future(future)
        except EngineFailed:
            raise
        except Exception as error:
            raise EngineFailed(self.name, f"{type(error).__name__}: {error}") from error
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Waits for nobody; what is running ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
