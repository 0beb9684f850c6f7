"""The espeak-ng process (GPL-3, global state): run by path, on its own, never imported by Nestcall.

stdin, a line each: {"text": str, "voice": "cmn", "rate": words a minute}
stdout: a JSON line {"hz", "bytes", "words": [[character position from 0, milliseconds], …]} or {"error": str},
then that many bytes of s16 mono.
"""

import ctypes as c
import json
import sys

import espeakng_loader

SYNCHRONOUS, UTF8, RATE = 2, 1, 1
WORD, LIST_END = 1, 0


class Event(c.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", c.c_int),
        ("unique_identifier", c.c_uint),
        ("text_position", c.c_int),
        ("length", c.c_int),
        ("audio_position", c.c_int),
        ("sample", c.c_int),
        ("user_data", c.c_void_p),
        ("id", c.c_char * 8),
    )


Callback = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(Event))


class Espeak:
    def __init__(self) -> None:
        self._lib = c.CDLL(espeakng_loader.get_library_path())
        self.hz = self._lib.espeak_Initialize(SYNCHRONOUS, 20, espeakng_loader.get_data_path().encode(), 0)
        if self.hz <= 0:
            raise OSError(f"espeak_Initialize: {self.hz}")
        self._callback = Callback(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)

    def _collect(self, wav: "c._Pointer[c.c_short]", count: int, events: "c._Pointer[Event]") -> int:
        i = 0
        while events[i].type != LIST_END:
            if events[i].type == WORD:
                self._words.append((events[i].text_position - 1, events[i].audio_position))
            i += 1
        if count > 0:  # NULL audio comes with count 0
            self._audio += c.string_at(wav, count * 2)
        return 0

    def speak(self, text: str, voice: str, rate: int) -> tuple[bytes, list[tuple[int, int]]]:
        self._audio, self._words = bytearray(), list[tuple[int, int]]()
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"no voice {voice!r}")
        self._lib.espeak_SetParameter(RATE, rate, 0)
        raw = text.encode()
        if self._lib.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, UTF8, None, None):
            raise OSError("espeak_Synth failed")
        return bytes(self._audio), self._words


def main() -> None:
    espeak, out = Espeak(), sys.stdout.buffer
    for line in sys.stdin.buffer:
        audio = b""
        try:
            ask = json.loads(line)
            audio, words = espeak.speak(ask["text"], ask["voice"], ask["rate"])
            answer = {"hz": espeak.hz, "bytes": len(audio), "words": words}
        except (OSError, ValueError, KeyError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer).encode() + b"\n" + audio)
        out.flush()


if __name__ == "__main__":
    main()
