"""A call on virtual time: a scripted customer, scripted engines, a track that pulls, and a record of what was heard.

Speech is a value in the samples: the first sample of each chunk carries an index into `Customer.lines`, the detector
sees whether there is one, the recognizer sees which. So texts come from audio, as in life, and may be cut by it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from media.audio import EAR_HZ, WIRE_HZ, AudioChunk
from media.engines import Engines
from media.errors import EngineFailed
from media.pipeline import Voice
from media.playout import FRAME, Playout
from media.ports import CaptionNote, Heard, Language, Note, Speech, Transcript
from media.ports import Voice as Timbre
from media.profile import Profile

N = TypeVar("N", bound=Note)
CHUNK_S = 0.02
_CHUNK = round(EAR_HZ * CHUNK_S)


@dataclass
class Spoken:
    """`text` is said evenly from `start` to `end` (seconds of the call)."""

    start: float
    end: float
    text: str


class ScriptedEar:
    """20 ms chunks at their pace until `seconds` or `hang_up`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.script: list[Spoken] = []
        self._gone = False

    def says(self, start: float, end: float, text: str) -> None:
        self.script.append(Spoken(start, end, text))

    def hang_up(self) -> None:
        self._gone = True

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        loop = asyncio.get_running_loop()
        began, chunks = loop.time(), 0
        while not self._gone and chunks * CHUNK_S < self.seconds:
            chunks += 1
            await asyncio.sleep(max(0.0, began + chunks * CHUNK_S - loop.time()))
            yield AudioChunk(self._samples((chunks - 1) * CHUNK_S), EAR_HZ)

    def _samples(self, at: float) -> np.ndarray:
        """Line number and progress through it (per mille), in turn; zeros while she is silent."""
        samples = np.zeros(_CHUNK, np.int16)
        for number, line in enumerate(self.script, 1):
            if line.start <= at + 1e-9 < line.end:
                samples[0::2] = number
                samples[1::2] = min(1000, round(1000 * (at + CHUNK_S - line.start) / (line.end - line.start)))
        return samples


class MarkDetector:
    """Speech is where a line number is."""

    frame_samples = 320

    def is_speech(self, chunk: AudioChunk) -> float:
        return float(chunk.samples[0] > 0)

    def reset(self) -> None:
        pass


class Never(MarkDetector):
    """The quick detector hears nothing: what is tested without it must not need it."""

    def is_speech(self, chunk: AudioChunk) -> float:
        return 0.0


class MarkStream:
    def __init__(self, engine: "MarkRecognizer", language: Language) -> None:
        self._engine, self._language = engine, language
        self._heard: dict[int, tuple[int, int]] = {}

    def feed(self, chunk: AudioChunk) -> None:
        number, until = int(chunk.samples[0]), int(chunk.samples[1])
        if number:
            self._heard[number] = (self._heard.get(number, (until, 0))[0], until)

    def _text(self) -> str:
        script = self._engine.ear.script
        return "".join(self._part(script[number - 1].text, *span) for number, span in sorted(self._heard.items()))

    @staticmethod
    def _part(text: str, first: int, until: int) -> str:
        return text[: round(len(text) * until / 1000)]

    async def partial(self) -> Transcript | None:
        await asyncio.sleep(self._engine.delay)
        if self._engine.crashing:
            raise EngineFailed("marks", "told to fail in mid-speech")
        if not self._engine.partials:
            return None
        return Transcript(self._text(), final=False, language=self._language)

    async def final(self) -> Transcript:
        await asyncio.sleep(self._engine.delay)
        if self._engine.broken:
            raise EngineFailed("marks", "told to fail")
        return Transcript(self._text(), final=True, language=self._language)

    def close(self) -> None:
        pass


class MarkRecognizer:
    name = "marks"

    def __init__(self, ear: ScriptedEar, delay: float = 0.0) -> None:
        self.ear, self.delay = ear, delay
        self.partials, self.broken, self.crashing = True, False, False

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> MarkStream:
        return MarkStream(self, language)

    async def close(self) -> None:
        pass


class CharacterSynthesizer:
    """0.2 s of sound a character, the first after `delay`; `broken`: fails."""

    name = "characters"

    def __init__(self, delay: float = 0.0, per_character: float = 0.2) -> None:
        self.delay, self.broken = delay, False
        self.spoken: list[str] = []
        noise = np.random.default_rng(0).integers(-6000, 6000, round(per_character * WIRE_HZ))
        self._chunk = AudioChunk(noise.astype(np.int16), WIRE_HZ)  # unlike any sign of hers: no echo

    async def speak(self, text: str, voice: Timbre) -> AsyncIterator[Speech]:
        self.spoken.append(text)
        await asyncio.sleep(self.delay)
        if self.broken:
            raise EngineFailed(self.name, "told to fail")
        for i in range(len(text)):
            yield Speech(self._chunk, i, i + 1)

    async def close(self) -> None:
        pass


@dataclass
class ScriptedResponder:
    """Answers `replies[text]`, else "答：" and the text. `first` seconds before the first piece."""

    first: float = 0.0
    pause: float = 0.0
    """Before the last piece."""
    fail_after: int | None = None
    """Pieces before it breaks."""
    replies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[Heard] = field(default_factory=list)
    commits: list[Heard] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    closed: int = 0

    async def reply(self, heard: Heard) -> AsyncIterator[str]:
        self.asked.append(heard)
        try:
            await asyncio.sleep(self.first)
            pieces = self.replies.get(heard.text, (f"答：{heard.text}。",))
            for i, piece in enumerate(pieces):
                if self.fail_after is not None and i >= self.fail_after:
                    raise EngineFailed("llm", "told to fail")
                if i and i == len(pieces) - 1:
                    await asyncio.sleep(self.pause)
                yield piece
        finally:
            self.closed += 1

    async def committed(self, heard: Heard) -> None:
        self.commits.append(heard)


class ScriptedCall:
    """`sound[i]` is True where frame i of what she heard had sound."""

    def __init__(self, seconds: float = 20.0, profile: Profile | None = None, *, greet: bool = False) -> None:
        self.ear = ScriptedEar(seconds)
        self.recognizer: MarkRecognizer | None = MarkRecognizer(self.ear)
        self.synthesizer = CharacterSynthesizer()
        self.responder = ScriptedResponder()
        self.profile = profile or Profile(greet=greet, idle_prompts=0)
        self.mouth = Playout()
        self.notes: list[tuple[float, Note]] = []
        self.sound: list[bool] = []
        self.loudest: list[int] = []
        self._at: list[tuple[float, Callable[[Voice], None]]] = []
        self.most_tasks = 0

    def at(self, seconds: float, act: Callable[[Voice], None]) -> None:
        self._at.append((seconds, act))

    async def run(self) -> "ScriptedCall":
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        engines = Engines(self.recognizer, self.synthesizer, MarkDetector, Never)
        self.voice = Voice(self.ear, self.mouth, engines, self.responder, self._note, self.profile)
        timers = [loop.call_later(seconds, act, self.voice) for seconds, act in self._at]
        track = asyncio.create_task(self._pull())
        try:
            await self.voice.run()
        finally:
            track.cancel()
            await asyncio.gather(track, return_exceptions=True)
            for timer in timers:
                timer.cancel()
        return self

    async def _pull(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            frame = self.mouth.next_frame()
            assert frame.shape == (FRAME,)
            self.sound.append(bool(frame.any()))
            self.loudest.append(int(frame.max()))
            self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))
            await asyncio.sleep(max(0.0, self._began + len(self.sound) * CHUNK_S - loop.time()))

    def _note(self, note: Note) -> None:
        self.notes.append((asyncio.get_running_loop().time() - self._began, note))

    # ------------------------------------------------------------ what was heard

    def audible(self, start: float, end: float) -> float:
        """Seconds of sound she heard in between."""
        return sum(self.sound[round(start / CHUNK_S) : round(end / CHUNK_S)]) * CHUNK_S

    def first_sound(self, after: float) -> float:
        first = round(after / CHUNK_S)
        return next(i * CHUNK_S for i in range(first, len(self.sound)) if self.sound[i])

    def silent_from(self, after: float) -> float:
        first = round(after / CHUNK_S)
        return next(i * CHUNK_S for i in range(first, len(self.sound)) if not self.sound[i])

    def said(self, who: str) -> list[str]:
        """What the conversation keeps, in order."""
        return [note.text for note in self.of(CaptionNote) if note.who == who and note.done]

    def of(self, kind: type[N]) -> list[N]:
        return [note for _, note in self.notes if isinstance(note, kind)]
