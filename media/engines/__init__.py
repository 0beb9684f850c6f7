"""The engines of a gateway: which rungs of the two ladders stand here, loaded once and shared by all calls.

One module per engine; heavy imports happen inside `load`. Engines that speak HTTP are built by the gateway and handed
in (`EngineChoice.remote_*`), because media knows no HTTP.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from media.audio import EAR_HZ, silence
from media.errors import EngineFailed
from media.ports import Recognizer, Synthesizer, Voice, VoiceDetector

RecognizerRung = Literal["auto", "instant", "whisper", "sherpa", "openai", "phrasebook", "none"]
SynthesizerRung = Literal["auto", "tone", "edge", "openai", "espeak", "none"]


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What the gateway's settings want. `auto` takes the best rung that stands."""

    recognizer: RecognizerRung = "auto"
    synthesizer: SynthesizerRung = "auto"
    models_dir: Path = Path("var/models")
    whisper_model: str = ""
    """Directory or name; empty: the best pulled."""
    sherpa_model: str = ""
    """Directory; empty: one under models_dir whose name begins with `sherpa`."""
    edge_tts: bool = True
    phrases: tuple[str, ...] = ()
    """What the phrasebook can recognise: sentences customers say, in either language."""
    instant_text: str = "instant"
    remote_recognizer: Recognizer | None = None
    remote_synthesizer: Synthesizer | None = None


@dataclass(frozen=True, slots=True)
class Engines:
    """`detector` judges what is speech (Silero), `onset` is quicker and easily fooled (webrtcvad); both make one per
    call. `missing`: in plain words, what is not there and how to get it."""

    recognizer: Recognizer | None
    synthesizer: Synthesizer | None
    detector: Callable[[], VoiceDetector]
    onset: Callable[[], VoiceDetector]
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        return {
            "recognizer": self.recognizer.name if self.recognizer else "none",
            "synthesizer": self.synthesizer.name if self.synthesizer else "none",
        }

    async def warm(self, lines: Iterable[tuple[str, Voice]]) -> None:
        """Render fixed lines (notice, greeting, fillers) now, so that they sound at once later."""
        from media.engines.prerendered import Prerendered

        if isinstance(self.synthesizer, Prerendered):
            await self.synthesizer.warm(lines)

    async def close(self) -> None:
        for engine in (self.recognizer, self.synthesizer):
            if engine:
                await engine.close()


def load(choice: EngineChoice) -> Engines:
    """Blocks for as long as loading takes (Whisper: seconds): call it before serving, or in a thread.

    A rung that was asked for by name and does not stand raises EngineFailed; `auto` steps down and says so.
    """
    from media.engines.ladder import recognizer, synthesizer
    from media.engines.silero import FRAME, SileroDetector
    from media.engines.webrtc import WebRtcDetector

    missing: list[str] = []
    SileroDetector().is_speech(silence(FRAME / EAR_HZ, EAR_HZ))  # the network is loaded now, not in the first call
    return Engines(
        recognizer=recognizer(choice, missing),
        synthesizer=synthesizer(choice, missing),
        detector=SileroDetector,
        onset=WebRtcDetector,
        missing=tuple(missing),
    )


__all__ = ["EngineChoice", "EngineFailed", "Engines", "load"]
