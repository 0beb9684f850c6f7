"""sherpa-onnx (optional: `pip install sherpa-onnx`): SenseVoice, Paraformer or a zipformer from a directory.

Much better in Mandarin than Whisper (FunASR's own test: CER 7.8 % SenseVoice-Small, 20.0 % Whisper large-v3). The
kind is told from the files: encoder, decoder and joiner are a transducer, a directory named paraformer is one, any
other single model is SenseVoice. An int8 model is preferred where both lie there.
"""

import importlib.util
from pathlib import Path
from typing import Any

from media.audio import EAR_HZ, AudioChunk, Samples
from media.engines.hearing import Utterance
from media.engines.workers import Workers
from media.errors import EngineFailed
from media.ports import Language, Transcript

THREADS = 2


def installed() -> bool:
    return importlib.util.find_spec("sherpa_onnx") is not None


def _one(directory: Path, pattern: str) -> str:
    """The file of this pattern, int8 first."""
    found = sorted(directory.glob(pattern), key=lambda path: ("int8" not in path.name, path.name))
    return str(found[0]) if found else ""


def _load(directory: Path) -> Any:
    import sherpa_onnx

    tokens, joiner = str(directory / "tokens.txt"), _one(directory, "*joiner*.onnx")
    make = sherpa_onnx.OfflineRecognizer
    if joiner:
        encoder, decoder = _one(directory, "*encoder*.onnx"), _one(directory, "*decoder*.onnx")
        return make.from_transducer(encoder=encoder, decoder=decoder, joiner=joiner, tokens=tokens, num_threads=1)
    model = _one(directory, "*.onnx")
    if "paraformer" in directory.name.lower():
        return make.from_paraformer(paraformer=model, tokens=tokens, num_threads=1)
    return make.from_sense_voice(model=model, tokens=tokens, num_threads=1, use_itn=True)


class SherpaStream:
    def __init__(self, engine: "SherpaRecognizer", language: Language) -> None:
        self._engine, self._language, self._heard = engine, language, Utterance()
        self._seen_s = 0.0

    def feed(self, chunk: AudioChunk) -> None:
        self._heard.feed(chunk)

    async def partial(self) -> Transcript | None:
        if self._heard.seconds - self._seen_s < 0.5 or not self._engine.workers.idle:
            return None
        self._seen_s = self._heard.seconds
        return Transcript(await self._text(), False, self._language)

    async def final(self) -> Transcript:
        return Transcript(await self._text() if self._heard.seconds else "", True, self._language)

    async def _text(self) -> str:
        return await self._engine.workers.run(self._engine.transcribe, self._heard.samples())

    def close(self) -> None:
        self._heard.close()


class SherpaRecognizer:
    """Hotwords are not passed on: SenseVoice and Paraformer have none."""

    def __init__(self, directory: Path) -> None:
        self.name = f"sherpa {directory.name}"
        try:
            self._recognizer = _load(directory)
        except (ImportError, RuntimeError, ValueError) as error:
            raise EngineFailed("sherpa", f"{directory}: {error}", retryable=False) from error
        self.workers = Workers("sherpa", threads=THREADS)

    def transcribe(self, samples: Samples) -> str:
        """Blocking."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(EAR_HZ, samples.astype("float32") / 32768.0)
        self._recognizer.decode_stream(stream)
        return str(stream.result.text).strip()

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> SherpaStream:
        return SherpaStream(self, language)

    async def close(self) -> None:
        self.workers.close()
