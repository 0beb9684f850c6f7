"""What each engine costs on this machine, and how good the weightless ones are.

    python -m benchmarks.engines [--sizes tiny,base] [--repeat 5]

Whisper runs on random weights of the true sizes (the time is that of real ones, the words are scripted), beside stock
`transcribe()` as the floor to beat; espeak-ng beside the bare process; detectors beside each other, over the noises.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import noises, results
from gateway.engines import MENU
from gateway.store.knowledge import demo_entries
from media.audio import EAR_HZ, AudioChunk, Samples
from media.engines.espeak import EspeakProcess, EspeakSynthesizer, command
from media.engines.fast_whisper import WhisperModel
from media.engines.phrasebook import CJK, PhrasebookRecognizer
from media.engines.silero import SileroDetector
from media.engines.webrtc import WebRtcDetector
from media.ports import Language, Voice, VoiceDetector
from media.speech_text import spoken
from tests.fakes.toy_whisper import write_toy_whisper

SENTENCE = "请问宝宝几个月大了"
SHOWN = "3段奶粉 800g 现价 ¥298，满2罐减50，请拨打 13800138000。"
VOICES: dict[Language, tuple[str, ...]] = {"zh": ("cmn", "cmn+f2", "cmn+f4"), "en": ("en-us", "en-us+f2", "en-gb-x-rp")}


def timed(job: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    job()
    return 1000 * (time.perf_counter() - began)


def line(name: str, figure: dict[str, float], unit: str = "ms") -> None:
    print(
        f"{name:44}{figure['p50']:10.2f}{figure['p95']:10.2f}{figure['p99']:10.2f}{figure['max']:10.2f} {unit}"
        f"  n {figure['n']:.0f}"
    )


# ---------------------------------------------------------------- detectors


def detectors() -> dict[str, Any]:
    made: dict[str, Callable[[], VoiceDetector]] = {"silero": SileroDetector, "webrtcvad": WebRtcDetector}
    found: dict[str, Any] = {}
    speech = np.concatenate([noises.said(text, voice) for text, voice in ((SENTENCE, "cmn"), ("hello there", "en-us"))])
    sounds = {"speech": speech} | {name: make(20.0, 1) for name, make in noises.NOISES.items()}
    for name, make in made.items():
        cost, flagged = list[float](), dict[str, float]()
        for sound, samples in sounds.items():
            detector = make()
            frames = samples[: len(samples) // detector.frame_samples * detector.frame_samples]
            verdicts = []
            for frame in frames.reshape(-1, detector.frame_samples):
                chunk = AudioChunk(frame, EAR_HZ)
                began = time.perf_counter()
                verdicts.append(detector.is_speech(chunk) > 0.5)
                cost.append(1000 * (time.perf_counter() - began))
            flagged[sound] = float(np.mean(verdicts))
        found[name] = {"frame_ms": results.spread(cost), "flagged": flagged}
        line(f"{name}, a frame", found[name]["frame_ms"])
    print(f"\n{'frames taken for speech':28}" + "".join(f"{name:>12}" for name in made))
    for sound in sounds:
        print(f"{sound:28}" + "".join(f"{found[name]['flagged'][sound]:12.0%}" for name in made))
    return found


# ---------------------------------------------------------------- synthesizers and text


async def voice(repeat: int) -> dict[str, Any]:
    bare, engine = EspeakProcess(command()), EspeakSynthesizer()
    said = spoken(SHOWN, "zh").text
    bare.ask(said, "cmn", 175)
    floor = [timed(lambda: bare.ask(said, "cmn", 175)) for _ in range(20 * repeat)]
    bare.stop()
    first = []
    for _ in range(20 * repeat):
        began = time.perf_counter()
        pieces = engine.speak(SHOWN, Voice())
        await anext(pieces)
        first.append(1000 * (time.perf_counter() - began))
        await pieces.aclose()
    await engine.close()
    text = [timed(lambda: spoken(SHOWN, "zh")) for _ in range(200)]
    found = {"espeak process (floor)": floor, "espeak, first sound": first, "text made sayable": text}
    spreads = {name: results.spread(values) for name, values in found.items()}
    for name, figure in spreads.items():
        line(name, figure)
    return spreads


# ---------------------------------------------------------------- Whisper


def whisper(sizes: list[str], repeat: int, place: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in sizes:
        model = WhisperModel(write_toy_whisper(place / size, SENTENCE, size))
        for seconds in (2.0, 4.0, 8.0):
            audio = noises.white(seconds).astype(np.float32) / 32768
            ours = lambda m=model, a=audio: m.transcribe(a, "zh", ())  # noqa: E731
            stock = lambda m=model, a=audio: list(  # noqa: E731
                m._whisper.transcribe(a, language="zh", beam_size=1, temperature=0, without_timestamps=True)[0]
            )
            if ours().text != SENTENCE:
                raise SystemExit(f"{size} did not say its sentence")
            stock()
            for name, job in (("real length", ours), ("transcribe() (floor)", stock)):
                figure = results.spread([timed(job) for _ in range(repeat)])
                found[f"{size} {seconds:.0f} s, {name}"] = figure
                line(f"whisper {size}, {seconds:.0f} s, {name}", figure)
    return found


# ---------------------------------------------------------------- phrasebook


def knowledge_phrases() -> tuple[str, ...]:
    from gateway.engines import phrases_of

    return phrases_of(demo_entries())


async def phrasebook() -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = knowledge_phrases()
    for extra in (0, 20, 40, 100):
        more = tuple(p for pick in (True, False) for p in [k for k in known if bool(CJK.search(k)) is pick][:extra])
        book = PhrasebookRecognizer((*MENU, *more))
        for language, names in VOICES.items():
            right, cost = list[bool](), list[float]()
            menu = [phrase for phrase in MENU if bool(CJK.search(phrase)) is (language == "zh")]
            for name in names:
                for phrase in menu:
                    text, ms = await _heard(book, language, noises.said(phrase, name, 150))
                    right.append(text == phrase)
                    cost.append(ms)
            key = f"{language}, {len(menu)} commands among {len(book.grammars[language].phrases)} phrases"
            found[key] = {"right": float(np.mean(right)), "ms": results.spread(cost)}
            print(f"phrasebook {key:44}{np.mean(right):6.0%}   {np.median(cost):.0f} ms")
        await book.close()
    return found


async def _heard(book: PhrasebookRecognizer, language: Language, samples: Samples) -> tuple[str, float]:
    stream = book.stream(language)
    stream.feed(AudioChunk(samples, EAR_HZ))
    began = time.perf_counter()
    text = (await stream.final()).text
    return text, 1000 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="tiny,base")
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    print(results.machine())
    print(f"{'':44}{'p50':>10}{'p95':>10}{'p99':>10}{'max':>10}")
    numbers: dict[str, Any] = {"voice": asyncio.run(voice(asked.repeat)), "detectors": detectors()}
    with tempfile.TemporaryDirectory() as place:
        numbers["whisper"] = whisper(asked.sizes.split(","), asked.repeat, Path(place))
    numbers["phrasebook"] = asyncio.run(phrasebook())
    bars = {name: figure["p50"] for name, figure in numbers["whisper"].items()}
    results.save("engines", numbers, bars, "ms from the end of speech to the words, p50")


if __name__ == "__main__":
    main()
