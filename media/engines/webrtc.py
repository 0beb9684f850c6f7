"""WebRTC's Gaussian-mixture VAD (webrtcvad-wheels): quick at onset, easily fooled. It may duck, never cut."""

import webrtcvad

from media.audio import EAR_HZ, AudioChunk

STRICTEST = 3


class WebRtcDetector:
    """20 ms a frame; the answer is 0.0 or 1.0."""

    frame_samples = 320

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._vad = webrtcvad.Vad(STRICTEST)

    def is_speech(self, chunk: AudioChunk) -> float:
        return float(self._vad.is_speech(chunk.samples.tobytes(), EAR_HZ))
