"""Which rung stands. A ladder is tried from the top; a missing rung leaves a line in `missing`."""

from typing import TypeVar

from media.engines import EngineChoice, models
from media.errors import EngineFailed
from media.ports import Recognizer, Synthesizer

T = TypeVar("T")
NO_URL = "openai_speech_url is not set"


def recognizer(choice: EngineChoice, missing: list[str]) -> Recognizer | None:
    match choice.recognizer:
        case "instant":
            from media.engines.instant import InstantRecognizer

            return InstantRecognizer(choice.instant_text)
        case "whisper":
            return _standing(_whisper(choice), "whisper", "no model: run `nestcall models pull base`")
        case "sherpa":
            return _standing(_sherpa(choice, missing), "sherpa", "package or model directory missing")
        case "openai":
            return _standing(choice.remote_recognizer, "openai", NO_URL)
        case "phrasebook":
            return _phrasebook(choice)
        case "none":
            return None
        case "auto":
            return _best_recognizer(choice, missing)


def _best_recognizer(choice: EngineChoice, missing: list[str]) -> Recognizer | None:
    """A pulled Whisper, sherpa-onnx from a directory, a configured service, the phrasebook, none."""
    for rung in (_whisper(choice), _sherpa(choice, missing), choice.remote_recognizer):
        if rung:
            return rung
    missing.append("no free speech recognition: run `nestcall models pull base`, or set openai_speech_url")
    if choice.phrases:
        return _phrasebook(choice)
    return None


def _whisper(choice: EngineChoice) -> Recognizer | None:
    directory = models.find_whisper(choice.whisper_model, choice.models_dir)
    if directory is None:
        return None
    from media.engines.fast_whisper import WhisperRecognizer

    return WhisperRecognizer(directory)


def _sherpa(choice: EngineChoice, missing: list[str]) -> Recognizer | None:
    directory = models.find_sherpa(choice.sherpa_model, choice.models_dir)
    if directory is None:
        return None
    from media.engines import sherpa

    if not sherpa.installed():
        missing.append(f"{directory.name} is there, but not its engine: pip install sherpa-onnx")
        return None
    return sherpa.SherpaRecognizer(directory)


def _phrasebook(choice: EngineChoice) -> Recognizer:
    from media.engines.phrasebook import PhrasebookRecognizer

    return PhrasebookRecognizer(choice.phrases)


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
            return Prerendered(_above_espeak(_standing(choice.remote_synthesizer, "openai", NO_URL)))
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


def _standing(engine: T | None, rung: str, why: str) -> T:
    if engine is None:
        raise EngineFailed(rung, f"chosen, but {why}", retryable=False)
    return engine
