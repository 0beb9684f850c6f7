"""The floor: what aiortc and Silero cost with nothing on top. A WHIP server of one file that answers with tones.

    python -m benchmarks.floor --port 9000 [--stock]

Voice: three frames of 32 ms in a row above 0.5 stop the tone; six silent ones after voice start it. `--stock` hears
through aiortc's own jitter buffer and decoder, otherwise packets are decoded as they arrive.
"""

import argparse
import asyncio
from fractions import Fraction
from typing import Any

import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame, AudioResampler

from media import rtc_patches
from media.audio import EAR_HZ, WIRE_HZ, AudioChunk, Samples
from media.engines.silero import FRAME, SileroDetector
from media.opus import OpusDecoder

START, STOP = 3, 6
WIRE_FRAME = WIRE_HZ // 50


class ToneTrack(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        """Samples of tone still to be sent."""
        self._n = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        await asyncio.sleep(max(0.0, self._began + self._n / WIRE_HZ - loop.time()))
        t = np.arange(self._n, self._n + WIRE_FRAME) / WIRE_HZ
        loud = 9000 * np.sin(2 * np.pi * 650 * t) * (np.arange(WIRE_FRAME) < self.left)
        frame = AudioFrame.from_ndarray(loud.astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = WIRE_HZ, self._n, Fraction(1, WIRE_HZ)
        self._n += WIRE_FRAME
        self.left = max(0, self.left - WIRE_FRAME)
        return frame


class Loop:
    """Detector and two counters."""

    def __init__(self, track: ToneTrack) -> None:
        self._track, self._detector = track, SileroDetector()
        self._rest = np.zeros(0, np.int16)
        self._voiced = self._silent = 0
        self._owes = False

    def feed(self, samples: Samples) -> None:
        self._rest = np.concatenate((self._rest, samples))
        while len(self._rest) >= FRAME:
            frame, self._rest = self._rest[:FRAME], self._rest[FRAME:]
            self._judge(self._detector.is_speech(AudioChunk(frame, EAR_HZ)) >= 0.5)

    def _judge(self, voice: bool) -> None:
        self._voiced, self._silent = (self._voiced + 1, 0) if voice else (0, self._silent + 1)
        if self._voiced == START:
            self._track.left, self._owes = 0, True
        if self._silent == STOP and self._owes:
            self._track.left, self._owes = 8 * WIRE_HZ, False


async def stock(track: MediaStreamTrack, loop: Loop) -> None:
    resampler = AudioResampler("s16", "mono", EAR_HZ)
    while True:
        frame: Any = await track.recv()
        for part in resampler.resample(frame):
            loop.feed(part.to_ndarray().reshape(-1))


async def serve(host: str, port: int, use_stock: bool) -> None:
    peers: list[RTCPeerConnection] = []
    readers: set[asyncio.Task[None]] = set()

    async def whip(request: web.Request) -> web.Response:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(pc)
        tone = ToneTrack()
        tone.left = WIRE_HZ  # the greeting
        loop = Loop(tone)
        if use_stock:
            pc.on("track", lambda track: readers.add(asyncio.ensure_future(stock(track, loop))))
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        pc.addTrack(tone)
        if not use_stock:
            decoder = OpusDecoder(EAR_HZ)
            rtc_patches.tap_audio(pc.getReceivers()[0], lambda packet: loop.feed(decoder.decode(packet.payload)))
        await pc.setLocalDescription(await pc.createAnswer())
        headers = {"Location": f"/whip/{len(peers) - 1}"}
        return web.Response(text=pc.localDescription.sdp, status=201, content_type="application/sdp", headers=headers)

    async def hang_up(request: web.Request) -> web.Response:
        await peers[int(request.match_info["peer"])].close()
        return web.Response()

    app = web.Application()
    app.router.add_post("/whip", whip)
    app.router.add_delete("/whip/{peer}", hang_up)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stock", action="store_true")
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port, options.stock))
