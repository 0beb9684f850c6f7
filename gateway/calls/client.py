"""A customer without a browser: signs in as a guest, calls over the gateway's own wire, speaks, listens, measures.

What she hears is judged as packets arrive, before any jitter buffer, so that no buffering of this side is in the
numbers. Times are seconds on the loop's clock; `steps` are milliseconds since the tap.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any
from uuid import uuid4

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket
from av import AudioFrame

from media import rtc_patches
from media.audio import WIRE_HZ, Samples, dbfs
from media.errors import LegLost
from media.opus import FRAME_SAMPLES, OpusDecoder
from signaling.protocol import PROTOCOL_VERSION

AUDIBLE_DBFS = -50.0
QUIET_FRAMES = 15
"""Silence this long (0.3 s) ends a sentence of the assistant's."""
GREETED_S = 40.0
"""A greeting is over by then, also one that says that the store is closed."""
OVER_FRAMES = 50
"""And this long (1 s) what it has to say."""


class Microphone(MediaStreamTrack):
    """Silence, and what is queued, 20 ms at a time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: deque[Samples] = deque()
        self._n = 0
        self._began: float | None = None
        self._said = asyncio.Event()

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        await asyncio.sleep(max(0.0, self._began + self._n * 0.02 - loop.time()))
        self._n += 1
        pcm = self._frames.popleft() if self._frames else np.zeros(FRAME_SAMPLES, np.int16)
        if not self._frames:
            self._said.set()
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = WIRE_HZ, self._n * FRAME_SAMPLES, Fraction(1, WIRE_HZ)
        return frame

    async def say(self, pcm: Samples) -> float:
        """48 kHz mono. Returns, once the last frame is on its way, when that was."""
        whole = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES))
        self._said.clear()
        self._frames.extend(whole.reshape(-1, FRAME_SAMPLES))
        await self._said.wait()
        return asyncio.get_running_loop().time()


class Hearing:
    """When something audible arrived, and when it ended."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder(WIRE_HZ)
        self._loop = asyncio.get_running_loop()
        self._fresh = asyncio.Event()
        self.packets = 0
        self.first_packet: float | None = None
        self.sounds: list[float] = []
        """When each audible packet arrived."""
        self._quiet = QUIET_FRAMES

    def packet(self, packet: RtpPacket) -> None:
        self.packets += 1
        now = self._loop.time()
        self.first_packet = self.first_packet or now
        if dbfs(self._decoder.decode(packet.payload)) > AUDIBLE_DBFS:
            self.sounds.append(now)
            self._quiet = 0
        else:
            self._quiet += 1
        self._fresh.set()

    async def sound(self, after: float) -> float:
        """When the first audible packet after `after` came."""
        return await self._until(lambda: next((at for at in self.sounds if at > after), None))

    async def silence(self, frames: int = QUIET_FRAMES) -> float:
        """Now, once it has been quiet for so long."""
        return await self._until(lambda: self._loop.time() if self._quiet >= frames else None)

    async def _until(self, look: Callable[[], float | None]) -> float:
        while (found := look()) is None:
            self._fresh.clear()
            await self._fresh.wait()
        return found


class CallClient:
    """Use `dial`. `on_message` is told every frame of the wire."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, conversation: str) -> None:
        self._socket, self._conversation = socket, conversation
        self._loop = asyncio.get_running_loop()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.on_message: Callable[[dict[str, Any]], None] = lambda _message: None
        self.microphone, self.hearing = Microphone(), Hearing()
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connected = asyncio.Event()
        self.call = ""
        self.tapped = 0.0
        self.steps: dict[str, float] = {}

    # ------------------------------------------------------------ wire

    async def listen(self) -> None:
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            message = frame.json()
            waiting = self._answers.pop(message.get("nonce") or message.get("peer") or message["type"], None)
            if waiting and not waiting.done():
                waiting.set_result(message)
            self.on_message(message)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(LegLost("the gateway hung up"))

    async def ask(self, type_: str, key: str, **fields: Any) -> dict[str, Any]:
        """Send, and wait for the answer that carries `key`. Raises `LegLost` with the gateway's code."""
        answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._answers[key] = answer
        await self._socket.send_json({"type": type_, **fields})
        message: dict[str, Any] = await answer
        if message["type"] == "error":
            raise LegLost(f"{message['code']}: {message.get('detail', '')}")
        return message

    # ------------------------------------------------------------ call

    async def offer(self) -> None:
        """ICE and DTLS, no call yet: a standby. Returns with the answer applied."""
        await self._accept(await self._offered())

    async def _offered(self) -> "asyncio.Task[dict[str, Any]]":
        """The offer is on its way; the task gives its answer."""
        rtc_patches.install()
        self._pc.addTrack(self.microphone)
        self._pc.addTransceiver("video", "recvonly")
        self._pc.on("connectionstatechange", self._state)
        self._pc.on("track", self._track)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        self._mark("offer")
        asking = self.ask("peer.offer", "main", peer="main", sdp=self._pc.localDescription.sdp)
        return asyncio.create_task(asking)

    async def _accept(self, answering: "asyncio.Task[dict[str, Any]]") -> None:
        answer = await answering
        self._mark("answer")
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    def _state(self) -> None:
        if self._pc.connectionState == "connected":
            self._mark("connected")
            self._connected.set()

    def _track(self, track: MediaStreamTrack) -> None:
        for receiver in self._pc.getReceivers():
            if receiver.track is track and track.kind == "audio":
                rtc_patches.tap_audio(receiver, self.hearing.packet)
            elif receiver.track is track:
                rtc_patches.tap_video(receiver, lambda _frame, _at: self._mark("first_frame"))

    async def connected(self) -> None:
        await self._connected.wait()

    async def tap(self, *, standby: bool) -> None:
        """The tap; returns when the first sound has been heard. Without standby the offer is part of it."""
        self.tapped = self._loop.time()
        self.steps = {}
        async with asyncio.TaskGroup() as tasks:
            if not standby:  # two frames, one after the other, without waiting in between
                tasks.create_task(self._accept(await self._offered()))
                await asyncio.sleep(0)
            tasks.create_task(self._start())
            heard = await self.hearing.sound(self.tapped)
        self.steps["first_packet"] = self._ms(self.hearing.first_packet or heard)
        self.steps["first_sound"] = self._ms(heard)

    async def _start(self) -> None:
        nonce = uuid4().hex
        started = await self.ask(
            "call.start", nonce, nonce=nonce, conversation=self._conversation, media="voice", peer="main"
        )
        self.call = started["call"]
        self._mark("ack")

    async def say(self, pcm: Samples, within: float = 15.0) -> float:
        """Speak once the assistant has finished; seconds from the end of it to the first sound of the reply. What the
        assistant was still saying when she ended is no reply."""
        async with asyncio.timeout(GREETED_S):
            await self.hearing.silence(OVER_FRAMES)
        async with asyncio.timeout(within + len(pcm) / WIRE_HZ):
            ended = await self.microphone.say(pcm)
            return await self.hearing.sound(await self.hearing.silence()) - ended

    async def hang_up(self) -> None:
        nonce = uuid4().hex
        await self.ask("call.leave", nonce, nonce=nonce, call=self.call)

    async def close(self) -> None:
        self.microphone.stop()
        await self._pc.close()

    def _mark(self, step: str) -> None:
        self.steps.setdefault(step, self._ms(self._loop.time()))

    def _ms(self, at: float) -> float:
        return round((at - self.tapped) * 1000, 1)


@asynccontextmanager
async def dial(url: str, language: str = "zh") -> AsyncIterator[CallClient]:
    """Signed in as a guest, WebSocket open, nothing offered yet. Raises `LegLost` or aiohttp's errors."""
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}/api/v1/sessions", json={"guest": True, "language": language}) as response:
            session = await response.json()
            if response.status != 201:
                raise LegLost(f"{session.get('code')}: {session.get('detail')}")
        async with http.ws_connect(f"{url}/ws", max_msg_size=1 << 20) as socket:
            client = CallClient(socket, session["conversation"])
            listening = asyncio.create_task(client.listen())
            try:
                await client.ask("hello", "ready", protocol=PROTOCOL_VERSION, token=session["token"])
                yield client
            finally:
                await client.close()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
