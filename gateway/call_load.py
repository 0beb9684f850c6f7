"""How late the event loop is: the one figure that says whether audio would suffer from another call."""

import asyncio

EVERY_S = 0.1
HIGH_S = 0.06
"""A mean lateness of three frames: pacers begin to burst."""


class Load:
    """Exponential mean of the loop's lateness, seconds; `run` measures until cancelled."""

    def __init__(self) -> None:
        self.lag = 0.0
        self.worst = 0.0

    @property
    def high(self) -> bool:
        return self.lag > HIGH_S

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            late = max(0.0, loop.time() - due)
            self.worst = max(self.worst, late)
            self.lag += 0.1 * (late - self.lag)
