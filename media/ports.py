"""What the pipeline needs from engines, from the transport and from the gateway: Protocols and the values they pass.

Rules every engine keeps (one conformance suite, tests/media/test_engine_conformance.py, runs them all):
an engine is loaded once and shared; a stream belongs to one call; `close()` may come at any time; heavy work runs in
threads or a process, never on the event loop; a failure raises `media.errors.EngineFailed`, nothing else.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from media.audio import AudioChunk

Language = Literal["zh", "en"]


# ---------------------------------------------------------------- hearing


class VoiceDetector(Protocol):
    """Speech or not, frame by frame; carries state, one per call."""

    frame_samples: int
    """Samples of 16 kHz audio a call of `is_speech` takes (Silero 512, webrtcvad 320)."""

    def is_speech(self, chunk: AudioChunk) -> float:
        """Probability 0..1 that this frame is speech."""
        ...

    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """`confidence` 0..1, or None where the engine has none. `confirm`: ask before acting on it (phrasebook)."""

    text: str
    final: bool
    language: Language = "zh"
    confidence: float | None = None
    confirm: bool = False


class RecognizerStream(Protocol):
    """One utterance: feed, maybe look at partials, then `final()` once; or `close()` to forget it."""

    def feed(self, chunk: AudioChunk) -> None:
        """16 kHz mono. Never blocks."""
        ...

    async def partial(self) -> Transcript | None:
        """The best guess so far, or None when there is nothing new. Costs compute: the pipeline paces it."""
        ...

    async def final(self) -> Transcript:
        """The utterance is over. An empty text is an answer (nothing was said)."""
        ...

    def close(self) -> None: ...


class Recognizer(Protocol):
    @property
    def name(self) -> str: ...

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> RecognizerStream: ...

    async def close(self) -> None: ...


# ---------------------------------------------------------------- speaking


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of synthesised audio, always at WIRE_HZ, and the characters of the *given* text it says:
    text[start:end]. Spans of one text never go backwards."""

    chunk: AudioChunk
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Voice:
    """`speed` 1.0 is the engine's normal. `name` empty: the engine's choice for the language.
    `reply`: which reply of this call is being said, 0 for the greeting, 1 for the first answer (the benchmark engine
    `tone` tells replies apart by it; others ignore it)."""

    language: Language = "zh"
    name: str = ""
    speed: float = 1.0
    reply: int = 0


class Synthesizer(Protocol):
    @property
    def name(self) -> str: ...

    def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        """Text is one sentence or clause as shown; normalising it for speech is the engine adapter's job.
        Whoever stops listening early closes the generator (`contextlib.aclosing`)."""
        ...

    async def close(self) -> None: ...


# ---------------------------------------------------------------- answering


@dataclass(frozen=True, slots=True)
class Heard:
    """What she said in one turn. `speculative`: a guess from a partial, the reply may be thrown away unheard.
    `source`: how it came in."""

    text: str
    turn: int
    revision: int
    language: Language
    speculative: bool = False
    confirm: bool = False
    source: Literal["speech", "typed", "key"] = "speech"


class Responder(Protocol):
    """Gives the assistant's answer as text pieces; sentences are cut by the pipeline.

    Side effects of an answer (choices shown, handoff, red flag) are the gateway's and happen only once the pipeline
    has *committed* the turn (`committed`), never for a speculative reply that is thrown away.
    """

    def reply(self, heard: Heard) -> AsyncIterator[str]: ...

    async def committed(self, heard: Heard) -> None:
        """This (turn, revision) is the one she will hear."""
        ...


# ---------------------------------------------------------------- the transport's two ends


class Ear(Protocol):
    """Her microphone after jitter buffer and decoding."""

    def __aiter__(self) -> AsyncIterator[AudioChunk]:
        """20 ms chunks of 16 kHz mono, at the pace they arrive, concealed where lost. Ends when the leg is gone."""
        ...


class Mouth(Protocol):
    """Paced playout to her; `media.playout.Playout` is the only implementation. All calls are immediate."""

    def play(self, chunk: AudioChunk, text: str, *, turn: int, revision: int) -> None:
        """Queue 48 kHz audio and the words it says (their place in the reply follows from the order)."""
        ...

    def finish(self, *, turn: int, revision: int) -> None:
        """No more audio will come for this reply."""
        ...

    def flush(self) -> None:
        """Silence within the next 20 ms frame; what was not played is forgotten."""
        ...

    def duck(self, on: bool) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None:
        """Go on from the exact sample."""
        ...

    def spoken_text(self, turn: int) -> str:
        """What of this turn's reply has been heard."""
        ...


# ---------------------------------------------------------------- what the pipeline tells the gateway


@dataclass(frozen=True, slots=True)
class CaptionNote:
    """Words of either side; a later note of the same (who, turn) replaces it. `lit`: characters heard so far
    (assistant). `done`: no later note for this turn; `text` is then what she said, or what she *heard* of the
    assistant (`cut`: the rest was never said). What she typed has no note: the gateway knows it."""

    who: Literal["customer", "assistant"]
    turn: int
    text: str
    final: bool
    lit: int = 0
    done: bool = False
    cut: bool = False
    language: Language = "zh"


@dataclass(frozen=True, slots=True)
class TurnNote:
    """`parts_ms` (endpointing, transcription, first_token, first_audio, playout) add up to `response_ms`."""

    turn: int
    parts_ms: dict[str, float]
    response_ms: float


@dataclass(frozen=True, slots=True)
class BargeInNote:
    """`latency_ms`: onset of her speech -> our silence. `false`: it was none, the reply went on."""

    turn: int
    latency_ms: float
    false: bool


Part = Literal["recognizer", "synthesizer", "responder"]


@dataclass(frozen=True, slots=True)
class TroubleNote:
    """An engine failed; the pipeline went on without it."""

    part: Part
    code: str


@dataclass(frozen=True, slots=True)
class IdleNote:
    """Nobody has spoken for `seconds` since the last audible sample."""

    seconds: float
    times: int = field(default=1)


Note = CaptionNote | TurnNote | BargeInNote | TroubleNote | IdleNote


class Journal(Protocol):
    """Receives every note, in order, on the event loop. Must not block; the gateway queues."""

    def __call__(self, note: Note) -> None: ...
