"""Silero VAD v6 (MIT), from the copy in the faster-whisper wheel: the judge of what is speech.

Input of the network: [1, 576] float32 = 64 samples of context and 512 new ones at 16 kHz, and the LSTM's state
`h`, `c` [1, 1, 128]. One pass costs 0.1 ms, so it runs inline on the event loop: a thread hop would cost more.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from media.audio import AudioChunk

FRAME, CONTEXT = 512, 64


@cache
def _network() -> Any:
    """Loaded once for the whole process; sessions of onnxruntime are stateless and may be shared."""
    import faster_whisper
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    path = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SileroDetector:
    """State of one call; 32 ms a frame."""

    frame_samples = FRAME

    def __init__(self) -> None:
        self._run = _network().run
        self.reset()

    def reset(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._window = np.zeros((1, CONTEXT + FRAME), np.float32)

    def is_speech(self, chunk: AudioChunk) -> float:
        window = self._window
        window[0, :CONTEXT] = window[0, FRAME:]
        window[0, CONTEXT:] = chunk.samples
        window[0, CONTEXT:] /= 32768.0
        probability, self._h, self._c = self._run(None, {"input": window, "h": self._h, "c": self._c})
        return float(probability.item())
