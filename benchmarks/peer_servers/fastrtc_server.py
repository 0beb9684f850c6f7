"""fastrtc 0.0.34: ReplyOnPause. MODE default (chunks of 0.6 s) or tuned (0.3 s).

Its own Silero is fetched from the hub; offline it is handed the copy of the faster-whisper wheel (path in SILERO),
and `server_rtc_configuration` keeps it from asking Google's STUN server.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request
from fastrtc import AlgoOptions, ReplyOnPause, SileroVadOptions, Stream
from fastrtc.pause_detection.silero import SileroVADModel

HZ = 48_000
GREETING, REPLIES = 500, (650, 800, 950, 1100, 1250)


class LocalSilero(SileroVADModel):
    """Silero v6: 64 samples of context before each 512 new ones."""

    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["SILERO"], providers=["CPUExecutionProvider"])

    def get_initial_state(self, batch_size: int) -> Any:
        return np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32), np.zeros(64, np.float32)

    def __call__(self, x: Any, state: Any, sr: int) -> Any:
        h, c, context = state
        window = np.concatenate((context, x))[None].astype(np.float32)
        out, h, c = self.session.run(None, {"input": window, "h": h, "c": c})
        return float(out.item()), (h, c, x[-64:])


def tone(hz: int, seconds: float) -> Iterator[tuple[int, Any]]:
    block = (0.3 * 32767 * np.sin(2 * np.pi * hz * np.arange(HZ // 10) / HZ)).astype(np.int16)
    for _ in range(round(seconds * 10)):
        yield HZ, block[None]


class Tones(ReplyOnPause):
    """A copy per call, so that replies are counted per call."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.count = 0
        self.fn = self.reply

    def reply(self, audio: Any) -> Iterator[tuple[int, Any]]:
        self.count += 1
        yield from tone(REPLIES[(self.count - 1) % len(REPLIES)], 8.0)

    def copy(self) -> "Tones":
        return make(self.algo_options, self.model)


def make(options: AlgoOptions, model: Any) -> Tones:
    return Tones(
        lambda audio: tone(REPLIES[0], 8.0),
        startup_fn=lambda: tone(GREETING, 1.0),
        algo_options=options,
        model_options=SileroVadOptions(window_size_samples=512),
        model=model,
        output_sample_rate=HZ,
    )


def main() -> None:
    port, mode = int(sys.argv[1]), sys.argv[2]
    options = AlgoOptions(audio_chunk_duration=0.3) if mode == "tuned" else AlgoOptions()
    model = LocalSilero()
    model.warmup()
    stream = Stream(
        make(options, model),
        modality="audio",
        mode="send-receive",
        server_rtc_configuration={"iceServers": []},
        concurrency_limit=20,
    )
    app = FastAPI()
    stream.mount(app)
    calls = iter(range(10**9))

    @app.post("/offer")
    async def offer(request: Request) -> Any:
        from fastrtc.stream import Body

        sdp = (await request.json())["sdp"]
        return await stream.offer(Body(sdp=sdp, type="offer", webrtc_id=f"call-{next(calls)}"))

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


main()
