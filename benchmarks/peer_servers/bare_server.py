"""The floor: aiortc and Silero in a loop, nothing else. Runs in Nestcall's own environment.

A turn begins after 3 frames of speech (96 ms) and ends after 6 without (192 ms). MODE is ignored.
"""

import asyncio
import fractions
import sys
import time
from typing import Any

import av
import numpy as np
from aiohttp import web
from aiortc import AudioStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

sys.path.insert(0, __file__.rsplit("/benchmarks/", 1)[0])
from media.audio import EAR_HZ, AudioChunk
from media.engines.silero import FRAME, SileroDetector

HZ, PIECE = 48_000, 960
GREETING, REPLIES = 500, (650, 800, 950, 1100, 1250)
BEGIN, END = 3, 6


class Tone(AudioStreamTrack):
    """A tone until its samples are used up, then silence; 20 ms frames in real time."""

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0
        self._frames = self._at = self._left = self._hz = 0

    def play(self, hz: int, seconds: float) -> None:
        self._hz, self._left, self._at = hz, round(seconds * HZ), 0

    async def recv(self) -> av.AudioFrame:
        now = time.perf_counter()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._frames * 0.02 - now))
        samples = np.zeros(PIECE, np.int16)
        if self._left > 0:
            wave = np.sin(2 * np.pi * self._hz * (self._at + np.arange(PIECE)) / HZ)
            samples = (0.3 * 32767 * wave).astype(np.int16)
            self._at += PIECE
            self._left -= PIECE
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = HZ, self._frames * PIECE
        frame.time_base = fractions.Fraction(1, HZ)
        self._frames += 1
        return frame


async def listen(track: Any, tone: Tone) -> None:
    detector, resampler = SileroDetector(), av.AudioResampler("s16", "mono", EAR_HZ)
    buffer, speech, silence, speaking, count = np.zeros(0, np.int16), 0, 0, False, 0
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        parts = [out.to_ndarray().reshape(-1) for out in resampler.resample(frame)]
        buffer = np.concatenate((buffer, *parts))
        while len(buffer) >= FRAME:
            voiced = detector.is_speech(AudioChunk(buffer[:FRAME], EAR_HZ)) > 0.5
            buffer = buffer[FRAME:]
            speech, silence = (speech + 1, 0) if voiced else (0, silence + 1)
            if speech == BEGIN and not speaking:
                speaking = True
                tone.play(0, 0)
            elif silence == END and speaking:
                speaking = False
                tone.play(REPLIES[count % len(REPLIES)], 8.0)
                count += 1


async def offer(request: web.Request) -> web.Response:
    peer, tone = RTCPeerConnection(RTCConfiguration(iceServers=[])), Tone()
    tasks = request.app["tasks"]

    @peer.on("track")
    def track(track: Any) -> None:
        task = asyncio.ensure_future(listen(track, tone))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    @peer.on("connectionstatechange")
    async def changed() -> None:
        if peer.connectionState == "connected":
            tone.play(GREETING, 1.0)
        elif peer.connectionState in ("failed", "closed"):
            await peer.close()

    peer.addTrack(tone)
    await peer.setRemoteDescription(RTCSessionDescription((await request.json())["sdp"], "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return web.json_response({"sdp": peer.localDescription.sdp})


def main() -> None:
    SileroDetector()
    app = web.Application()
    app["tasks"] = set()
    app.router.add_post("/offer", offer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


main()
