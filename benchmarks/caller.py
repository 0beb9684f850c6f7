"""A customer on a real aiortc peer over WHIP, who measures at the packets: what she hears is judged as it arrives,
before any jitter buffer, so that no buffering of the measuring side is in the numbers.

A frame of hers handed to the sender at t holds what she said from t - 20 ms to t. `loss` drops her packets, after
numbering and encryption, on their way out.
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from benchmarks.noises import band
from media import rtc_patches
from media.audio import EAR_HZ, WIRE_HZ, Samples, dbfs
from media.engines.pcm import resampled
from media.opus import OpusDecoder

FRAME = WIRE_HZ // 50
FRAME_S = 0.02
LOUD_DBFS = -45.0
SETTLED = 5
"""Frames of silence in a row that count as having stopped."""


class Microphone(MediaStreamTrack):
    """Paced 20 ms frames: what is queued, else the hiss of a room at -70 dBFS."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(1)
        hiss = band(rng.standard_normal(EAR_HZ), 100, 4000)
        self._hiss = (resampled((hiss / hiss.std() * 10).astype(np.int16), EAR_HZ, WIRE_HZ))[: 45 * FRAME]
        self._queue: deque[Samples] = deque()
        self._frames = 0
        self._began: float | None = None
        self._watch: dict[int, asyncio.Future[float]] = {}

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        await asyncio.sleep(max(0.0, self._began + self._frames * FRAME_S - loop.time()))
        samples = self._queue.popleft() if self._queue else self._hiss[self._frames % 45 * FRAME :][:FRAME]
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = WIRE_HZ, self._frames * FRAME, Fraction(1, WIRE_HZ)
        self._frames += 1
        if watcher := self._watch.pop(id(samples), None):
            watcher.set_result(loop.time())
        return frame

    async def say(self, speech: Samples) -> tuple[float, float]:
        """(onset, end) on the loop's clock, once the last frame is handed over. `speech`: EAR_HZ, trimmed."""
        wide = resampled(speech, EAR_HZ, WIRE_HZ)
        wide = np.concatenate((wide, np.zeros(-len(wide) % FRAME, np.int16)))
        frames = [wide[i : i + FRAME].copy() for i in range(0, len(wide), FRAME)]
        loop = asyncio.get_running_loop()
        first, last = loop.create_future(), loop.create_future()
        self._watch[id(frames[0])] = first
        if len(frames) > 1:
            self._watch[id(frames[-1])] = last
        self._queue.extend(frames)
        onset = await first - FRAME_S
        return onset, (await last) if len(frames) > 1 else onset + FRAME_S


@dataclass(frozen=True, slots=True)
class Arrival:
    at: float
    loud: bool
    hz: float
    """The strongest frequency, of a loud frame."""


class Caller:
    def __init__(self, http: aiohttp.ClientSession, loss: float = 0.0, seed: int = 0) -> None:
        self.microphone = Microphone()
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.heard: list[Arrival] = []
        self._http, self._loss, self._random = http, loss, random.Random(seed)
        self._decoder = OpusDecoder(WIRE_HZ)
        self._fresh = asyncio.Event()
        self._location, self._headers = "", dict[str, str]()
        self.started = 0.0
        self.sent = self.dropped = 0

    async def call(self, url: str, bearer: str = "") -> None:
        """POST the offer; returns when the media line is up."""
        self.pc.addTrack(self.microphone)
        loop = asyncio.get_running_loop()
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.started = loop.time()
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers = {"Content-Type": "application/sdp"} | self._headers
        async with self._http.post(url, data=self.pc.localDescription.sdp, headers=headers) as response:
            sdp = await response.text()
            assert response.status == 201, (response.status, sdp)
            self._location = str(response.url.join(response.url.with_path(response.headers.get("Location", ""))))
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        rtc_patches.tap_audio(self.pc.getReceivers()[0], self._arrived)
        up = asyncio.Event()
        self.pc.on("connectionstatechange", lambda: self.pc.connectionState == "connected" and up.set())
        async with asyncio.timeout(10):
            await up.wait()
        self._lose_packets()

    def _lose_packets(self) -> None:
        transport: Any = self.pc.getSenders()[0].transport
        send = transport._send_rtp

        async def lossy(data: bytes) -> None:
            self.sent += 1
            if self._random.random() < self._loss:
                self.dropped += 1
                return
            await send(data)

        transport._send_rtp = lossy

    def _arrived(self, packet: Any) -> None:
        pcm = self._decoder.decode(packet.payload)
        loud = dbfs(pcm) > LOUD_DBFS
        self.heard.append(Arrival(asyncio.get_running_loop().time(), loud, _pitch(pcm) if loud else 0.0))
        self._fresh.set()

    # ------------------------------------------------------------ waiting for what is heard

    async def sound(self, after: float, within: float = 8.0) -> float:
        """When the first loud packet after `after` arrived."""
        return await self._first(lambda i: self.heard[i].at > after and self.heard[i].loud, within)

    async def silence(self, after: float, within: float = 8.0) -> float:
        """When it became silent after `after`: the first of SETTLED quiet packets in a row."""

        def quiet(i: int) -> bool:
            run = self.heard[i : i + SETTLED]
            return self.heard[i].at > after and len(run) == SETTLED and not any(arrival.loud for arrival in run)

        return await self._first(quiet, within)

    async def _first(self, fits: Any, within: float) -> float:
        i = 0
        async with asyncio.timeout(within):
            while True:
                while i < len(self.heard) - SETTLED:
                    if fits(i):
                        return self.heard[i].at
                    i += 1
                self._fresh.clear()
                await self._fresh.wait()

    async def hang_up(self) -> None:
        if self._location:
            async with self._http.delete(self._location, headers=self._headers):
                pass
        await self.pc.close()


def _pitch(pcm: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * WIRE_HZ / len(pcm))
