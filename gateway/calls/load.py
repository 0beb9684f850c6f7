"""How late the event loop is: the one figure that says whether audio would suffer from another call."""

import asyncio
from collections import deque
from statistics import median

EVERY_S = 0.1
WINDOW = 30
HIGH_S = 0.1
"""A median lateness of five frames over three seconds: pacers burst all the time. A single hiccup is none."""


class Load:
    """The loop's lateness, seconds; `run` measures until cancelled."""

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0] * WINDOW, maxlen=WINDOW)

    @property
    def lag(self) -> float:
        return median(self._late)

    @property
    def high(self) -> bool:
        return self.lag > HIGH_S

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._late.append(max(0.0, loop.time() - due))
