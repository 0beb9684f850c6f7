"""Which rung stands. A ladder is tried from the top; a missing rung leaves a line in `missing`."""

from typing import TypeVar

from media.engines import EngineChoice
from media.errors import EngineFailed
from media.ports import Recognizer, Synthesizer

T = TypeVar("T")


def recognizer(choice: EngineChoice, missing: list[str]) -> Recognizer | None:
    match choice.recognizer:
        case "instant":
            from media.engines.instant import InstantRecognizer

            return InstantRecognizer(choice.instant_text)
        case "openai":
            return _configured(choice.remote_recognizer, "recognizer")
        case "auto" if choice.remote_recognizer:
            return choice.remote_recognizer
        case "none":
            return None
        case _:
            missing.append("no speech recognizer: run `nestcall models pull base`")
            return None


def synthesizer(choice: EngineChoice, missing: list[str]) -> Synthesizer | None:
    match choice.synthesizer:
        case "tone":
            from media.engines.tone import ToneSynthesizer

            return ToneSynthesizer()
        case "openai":
            return _configured(choice.remote_synthesizer, "synthesizer")
        case "none":
            return None
        case _:
            if choice.edge_tts:
                missing.append("edge-tts: not wired in yet")
            from media.engines.espeak import EspeakSynthesizer

            return EspeakSynthesizer()


def _configured(engine: T | None, part: str) -> T:
    if engine is None:
        raise EngineFailed(part, "openai chosen, but openai_speech_url is not set", retryable=False)
    return engine
