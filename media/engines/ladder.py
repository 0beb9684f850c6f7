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
    """Whatever is chosen, espeak-ng stands below it: a call never falls silent because a service did."""
    from media.engines.prerendered import Prerendered

    match choice.synthesizer:
        case "none":
            return None
        case "tone":
            from media.engines.tone import ToneSynthesizer

            return ToneSynthesizer()
        case "edge":
            return Prerendered(_above_espeak(_edge()))
        case "openai":
            return Prerendered(_above_espeak(_configured(choice.remote_synthesizer, "synthesizer")))
        case "espeak":
            return Prerendered(_above_espeak())
        case "auto":
            return Prerendered(_above_espeak(*_reachable(choice, missing)))


def _reachable(choice: EngineChoice, missing: list[str]) -> list[Synthesizer]:
    rungs = [_edge()] if choice.edge_tts else []
    if choice.remote_synthesizer:
        rungs.append(choice.remote_synthesizer)
    if not rungs:
        missing.append("only the plain voice espeak-ng: allow edge_tts, or set openai_speech_url")
    return rungs


def _above_espeak(*better: Synthesizer) -> Synthesizer:
    from media.engines.espeak import EspeakSynthesizer
    from media.engines.fallback import SynthesizerLadder

    espeak = EspeakSynthesizer()
    return SynthesizerLadder([*better, espeak]) if better else espeak


def _edge() -> Synthesizer:
    from media.engines.edge import EdgeSynthesizer

    return EdgeSynthesizer()


def _configured(engine: T | None, part: str) -> T:
    if engine is None:
        raise EngineFailed(part, "openai chosen, but openai_speech_url is not set", retryable=False)
    return engine
