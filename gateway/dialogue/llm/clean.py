"""PURE: a model's text made fit to show and to speak, sentence by sentence, and bounded."""

import re
from dataclasses import dataclass

MAX_CHARS = 600
MAX_SENTENCE = 200
_TAGS = re.compile(r"<(script|style)\b[^>]*>.*?</\1\s*>|<[^<>\n]{1,200}>", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\]\n]{0,100})\]\([^)\n]*\)|https?://\S+|www\.\S+")
_MARKS = re.compile(r"[*_`#>|~]+|^\s*[-•]\s+", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]")
_CITATION = re.compile(r"\s*[\[【]\s*\d{1,2}\s*[\]】]")
_END = re.compile(r"[。！？!?；;\n]+[”’\"')\]】]*|\.(?=\s|$)[”’\"')]*")


def clean(text: str) -> str:
    """Without mark-up, links, tags, citations and invisible characters; spaces collapsed."""
    text = _LINK.sub(lambda match: match[1] or "", _TAGS.sub("", _CONTROL.sub("", text)))
    text = _CITATION.sub("", _MARKS.sub("", text))
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def repetitive(text: str) -> bool:
    """The same few characters over and over."""
    return bool(re.search(r"(.{1,12}?)\1{5,}", text, re.DOTALL))


@dataclass(slots=True)
class Sentences:
    """Cuts a stream at sentence ends. `feed` gives the finished sentences; `rest` what never ended."""

    _buffer: str = ""

    def feed(self, text: str) -> list[str]:
        self._buffer += text
        done: list[str] = []
        while match := _END.search(self._buffer):
            if match.end() == len(self._buffer) and self._buffer[match.start()] == ".":
                break  # 3.5 may go on
            done.append(self._buffer[: match.end()])
            self._buffer = self._buffer[match.end() :]
        if len(self._buffer) > MAX_SENTENCE:  # no end in sight: not speech
            done.append(self._buffer)
            self._buffer = ""
        return done

    def rest(self) -> str:
        left, self._buffer = self._buffer, ""
        return left
