"""PURE: the terms a text is found by, and what a query asks for.

Chinese has no spaces and two-character queries are the rule (奶粉, 黄疸), so a run of Han characters is indexed as
overlapping pairs plus its last character: then each pair is an exact term and each single character a prefix.
Latin words are indexed whole and found by their beginning. The same index serves SQLite and PostgreSQL.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_TERM_CHARS = 40
MAX_QUERY_CHARS = 100
MAX_WANTED = 8
"""More terms narrow a query no further in practice."""
PREFIX_FROM_CHARS = 2
BEFORE_CHARS, SNIPPET_CHARS = 24, 120

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_FIELDS = ("text", "transcript", "name", "facts", "what", "store")


@dataclass(frozen=True, slots=True)
class Wanted:
    """All of `exact`, and for each of `beginnings` some term that begins so."""

    exact: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.exact or self.beginnings)


def normal(text: str) -> str:
    """Full-width and half-width, upper and lower case are the same."""
    return unicodedata.normalize("NFKC", text).casefold()


def terms(text: str) -> frozenset[str]:
    """What `text` is indexed under."""
    return frozenset(term for run in _RUN.findall(normal(text)) for term in _terms_of(run))


def _terms_of(run: str) -> Iterator[str]:
    if not _is_han(run):
        yield run[:MAX_TERM_CHARS]
        return
    yield from _pairs(run)
    yield run[-1]


def _is_han(run: str) -> bool:
    return re.match(f"[{_HAN}]", run) is not None


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def wanted(query: str) -> Wanted:
    """Nothing wanted (falsy) when the query holds neither a letter nor a digit."""
    exact: list[str] = []
    beginnings: list[str] = []
    for run in _RUN.findall(normal(query[:MAX_QUERY_CHARS])):
        if _is_han(run) and len(run) > 1:
            exact += _pairs(run)
        elif _is_han(run) or len(run) >= PREFIX_FROM_CHARS:
            beginnings.append(run[:MAX_TERM_CHARS])
        else:
            exact.append(run)
    kept = tuple(dict.fromkeys(exact))[:MAX_WANTED]
    return Wanted(kept, tuple(dict.fromkeys(beginnings))[: MAX_WANTED - len(kept)])


def words(body: Mapping[str, Any]) -> str:
    """What a message's body says in words: its text, a voice note's transcript, a file's name, a card's lines."""
    found = [body.get(name, "") for name in _FIELDS] + [dict(body.get("file") or {}).get("name", "")]
    return " ".join(part for part in found if isinstance(part, str) and part)


def snippet(text: str, query: str) -> str:
    """A stretch of `text` around the first place any run of the query is found at."""
    low = text.casefold()
    places = [low.find(run) for run in _RUN.findall(normal(query))]
    start = max(0, min((p for p in places if p >= 0), default=0) - BEFORE_CHARS)
    cut = " ".join(text[start : start + SNIPPET_CHARS].split())
    return ("…" if start else "") + cut + ("…" if start + SNIPPET_CHARS < len(text) else "")
