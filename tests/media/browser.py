"""A browser's side of a leg, in process: aiortc with tracks of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame

from media.peer import Leg


class Tone(AudioStreamTrack):
    """A steady tone, paced like a microphone."""

    def __init__(self, hz: float) -> None:
        super().__init__()
        self.hz = hz

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        n = frame.samples
        phase = (frame.pts + np.arange(n)) * 2 * np.pi * self.hz / frame.sample_rate
        frame.planes[0].update((np.sin(phase) * 9_000).astype(np.int16).tobytes())
        return frame


OPEN: set["Browser"] = set()
"""Whoever serves them closes what a failed assertion left: aiortc's decoder threads keep a process from ending."""


async def close_all() -> None:
    for browser in tuple(OPEN):
        await browser.close()


class Browser:
    def __init__(self, audio: MediaStreamTrack | None = None, video: MediaStreamTrack | None = None) -> None:
        OPEN.add(self)
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.pc.on("track", lambda track: self.tracks.__setitem__(track.kind, track))
        self.pc.addTrack(audio or AudioStreamTrack())
        self.pc.addTrack(video or VideoStreamTrack())

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self) -> None:
        up = asyncio.Event()

        def look() -> None:
            if self.pc.connectionState == "connected":
                up.set()

        self.pc.on("connectionstatechange", look)
        look()
        async with asyncio.timeout(10):
            await up.wait()

    async def close(self) -> None:
        OPEN.discard(self)
        await self.pc.close()

    async def heard_hz(self, frames: int = 25, skip: int = 10) -> float:
        """The loudest frequency in the next half second of what this browser hears, from now on."""
        queue = self.tracks["audio"]._queue
        while not queue.empty():
            queue.get_nowait()
        samples = [(await self.tracks["audio"].recv()).to_ndarray() for _ in range(skip + frames)]
        mono = np.concatenate([s.reshape(-1, 2)[:, 0] for s in samples[skip:]]).astype(float)
        spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
        return float(np.argmax(spectrum) * 48_000 / len(mono)) if np.abs(mono).max() > 500 else 0.0


@asynccontextmanager
async def joined(browser: Browser) -> AsyncIterator[Leg]:
    """A leg that has answered this browser and is connected."""
    leg = Leg()
    try:
        await browser.accept(await leg.answer(await browser.offer()))
        async with asyncio.timeout(10):
            await leg.connected()
        yield leg
    finally:
        await leg.close()
        await browser.close()
