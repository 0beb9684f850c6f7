"""The assistant's picture: one VP8 key frame, encoded once, shown to everybody who waits for video.

A key frame stands alone, so the same bytes may be sent again and again: the first frame is on her screen one trip after
the tap and costs no encoder. Repeated every two seconds and whenever her browser asks for a key frame.
"""

import asyncio
from fractions import Fraction
from functools import cache

import av
import numpy as np

from media.tracks import VIDEO_HZ, SentTrack

WIDTH, HEIGHT = 320, 240
REPEAT_S = 2.0
_BACKGROUND, _RING = (250, 243, 238), (238, 158, 140)


def _drawing() -> np.ndarray:
    """Three rings, like a voice: shape [240, 320, 3] uint8 RGB."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    picture = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
    for radius, width in ((28, 28), (52, 6), (74, 4)):
        picture[np.abs(distance - radius + width / 2) < width / 2] = _RING
    return picture


@cache
def frame() -> bytes:
    """The encoded key frame. The first call takes some 10 ms: made before serving."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.bit_rate = 300_000
    codec.framerate = Fraction(1)
    codec.options = {"deadline": "good", "lag-in-frames": "0"}
    picture = av.VideoFrame.from_ndarray(_drawing(), format="rgb24").reformat(format="yuv420p")
    picture.pts = 0
    packets = [*codec.encode(picture), *codec.encode(None)]
    return bytes(packets[0])


class Still:
    """Shows the picture on a video track until another source takes over."""

    def __init__(self, track: SentTrack) -> None:
        self._track = track
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._track.take(self)
        self.show()

    def show(self) -> None:
        """Now, and again."""
        if self._timer:
            self._timer.cancel()
        wanted = self._track.push(self, frame(), round(self._loop.time() * VIDEO_HZ))
        self._timer = self._loop.call_later(REPEAT_S, self.show) if wanted else None

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        self._track.drop(self)
