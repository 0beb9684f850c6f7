"""pipecat 1.14: SmallWebRTCTransport, Silero and smart-turn out of its wheel, instant stubs for the rest.

MODE default (smart-turn decides the end of a turn), timeout (0.6 s of silence), floor (0 s).
"""

import asyncio
import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    ClientConnectedFrame,
    Frame,
    LLMContextFrame,
    StartFrame,
    STTMetadataFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.request_handler import SmallWebRTCRequest, SmallWebRTCRequestHandler
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

HZ = 48_000
GREETING, REPLIES = 500, (650, 800, 950, 1100, 1250)


def tone(hz: int, seconds: float) -> list[TTSAudioRawFrame]:
    block = (0.3 * 32767 * np.sin(2 * np.pi * hz * np.arange(HZ // 25) / HZ)).astype(np.int16).tobytes()
    return [TTSAudioRawFrame(audio=block, sample_rate=HZ, num_channels=1) for _ in range(round(seconds * 25))]


class InstantWords(FrameProcessor):
    """Final text as soon as the detector says she stopped, and it says so (no wait for a late transcript)."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, StartFrame):
            await self.push_frame(STTMetadataFrame(service_name="instant", ttfs_p99_latency=0.0))
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self.push_frame(TranscriptionFrame(text="instant words", user_id="her", timestamp="", finalized=True))


class Tones(FrameProcessor):
    """Answer and voice in one: a tone for each turn, a greeting when the client is there."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            self._count += 1
            for block in tone(REPLIES[(self._count - 1) % len(REPLIES)], 8.0):
                await self.push_frame(block)
            return
        await self.push_frame(frame, direction)
        if isinstance(frame, ClientConnectedFrame):
            for block in tone(GREETING, 1.0):
                await self.push_frame(block)


def params(mode: str) -> LLMUserAggregatorParams:
    found = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    if mode != "default":
        wait = 0.6 if mode == "timeout" else 0.0
        found.user_turn_strategies = UserTurnStrategies(
            stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=wait)]
        )
    return found


async def call(connection: Any, mode: str) -> None:
    transport = SmallWebRTCTransport(
        webrtc_connection=connection, params=TransportParams(audio_in_enabled=True, audio_out_enabled=True)
    )
    pair = LLMContextAggregatorPair(LLMContext(), user_params=params(mode))
    chain = [transport.input(), InstantWords(), pair.user(), Tones(), transport.output(), pair.assistant()]
    worker = PipelineWorker(Pipeline(chain), params=PipelineParams(audio_out_sample_rate=HZ), idle_timeout_secs=None)

    @transport.event_handler("on_client_disconnected")
    async def gone(*_: Any) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def main() -> None:
    port, mode = int(sys.argv[1]), sys.argv[2]
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    app, handler, running = FastAPI(), SmallWebRTCRequestHandler(), set[Any]()

    @app.post("/offer")
    async def offer(request: Request) -> Any:
        async def begin(connection: Any) -> None:
            task = asyncio.create_task(call(connection, mode))
            running.add(task)
            task.add_done_callback(running.discard)

        sdp = (await request.json())["sdp"]
        return await handler.handle_web_request(SmallWebRTCRequest(sdp=sdp, type="offer"), begin)

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


main()
