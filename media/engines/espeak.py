"""espeak-ng 1.52 in a process of its own: the synthesizer that is always there.

The process is asked one sentence at a time (5 s of speech take 4 ms), so one serves all calls. When it dies or hangs
it is started again and the sentence asked once more; a second death is EngineFailed.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from media.audio import WIRE_HZ, AudioChunk, Samples
from media.engines.pcm import resampled
from media.engines.workers import Workers
from media.errors import EngineFailed
from media.ports import Language, Speech, Voice
from media.speech_text import spoken

VOICES: dict[Language, str] = {"zh": "cmn", "en": "en-us"}
ITS_VOICE = re.compile(r"(cmn|yue|en|en-[a-z-]{2,8})(\+[a-z][a-zA-Z0-9]{0,9})?")
WORDS_A_MINUTE = 175
RATES = (80, 450)
DEADLINE_S = 5.0
Word = tuple[int, int]
"""Character position, milliseconds."""


def command() -> tuple[str, ...]:
    """How the worker is started: by path and isolated, so that nothing of ours is imported into it."""
    return (sys.executable, "-I", str(Path(__file__).with_name("espeak_worker.py")))


class EspeakProcess:
    """Blocking; used by one worker thread only."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, text: str, voice: str, rate: int) -> tuple[Samples, list[Word]]:
        line = json.dumps({"text": text, "voice": voice, "rate": rate}).encode() + b"\n"
        try:
            return self._exchange(line)
        except (OSError, EOFError):
            self.stop()
        try:
            return self._exchange(line)
        except (OSError, EOFError) as error:
            self.stop()
            raise EngineFailed("espeak", f"process died twice: {error}") from error

    def _exchange(self, line: bytes) -> tuple[Samples, list[Word]]:
        process = self._running()
        assert process.stdin
        assert process.stdout
        watchdog = threading.Timer(DEADLINE_S, process.kill)
        watchdog.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return self._answer(process.stdout)
        finally:
            watchdog.cancel()

    @staticmethod
    def _answer(pipe: IO[bytes]) -> tuple[Samples, list[Word]]:
        head = pipe.readline()
        if not head:
            raise EOFError("no answer")
        answer: dict[str, Any] = json.loads(head)
        if "error" in answer:
            raise EngineFailed("espeak", answer["error"], retryable=False)
        raw = pipe.read(answer["bytes"])
        if len(raw) < answer["bytes"]:
            raise EOFError("half an answer")
        return resampled(np.frombuffer(raw, np.int16), answer["hz"], WIRE_HZ), [(p, ms) for p, ms in answer["words"]]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):  # what was not yet sent to the dead
                    pipe.close()


class EspeakSynthesizer:
    name = "espeak"

    def __init__(self, start: tuple[str, ...] = ()) -> None:
        self._process = EspeakProcess(start or command())
        self._workers = Workers("espeak", threads=1, waiting=64)

    async def speak(self, text: str, voice: Voice) -> AsyncGenerator[Speech, None]:
        say = spoken(text, voice.language)
        if not say.audible:
            return
        rate = min(max(round(WORDS_A_MINUTE * voice.speed), RATES[0]), RATES[1])
        name = voice.name if ITS_VOICE.fullmatch(voice.name) else VOICES[voice.language]
        samples, words = await self._workers.run(self._process.ask, say.text, name, rate)
        for start, end, piece in _pieces(samples, words, len(say.text)):
            yield Speech(piece, *say.given(start, end))

    async def close(self) -> None:
        """Ends the process even while a job is waiting for it."""
        self._process.stop()
        self._workers.close()


def _pieces(samples: Samples, words: list[Word], length: int) -> Iterator[tuple[int, int, AudioChunk]]:
    """Audio cut at the word starts; punctuation belongs to the word before it, what precedes the first word to it."""
    starts = [(0, 0), *((p, ms * WIRE_HZ // 1000) for p, ms in words[1:]), (length, len(samples))]
    for (here, at), (there, until) in zip(starts, starts[1:], strict=False):
        if until > at:
            yield here, max(here, there), AudioChunk(samples[at:until], WIRE_HZ)
