"""Beside the tables: a linear model over words, letters and senses. It adds the alarms the tables missed, and takes
back those of the tables it is sure are none.

Trained offline by `python -m benchmarks.redflags_train` on labelled talks; its weights are `tables/learned.npz`:
`danger` (a logistic regression) and `signs` (one row per sign, which of them it is most like).
PURE: the weights are read once, at import; the same talk gives the same answer.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.safety import context, facts, tables
from gateway.dialogue.safety.anchors import Sieve
from gateway.dialogue.safety.normal import counted

Keys = NDArray[np.uint32]
SIGN_BUCKETS = 1 << 13
READ_CHARS = 400
"""Of the talk's end; a danger told longer ago was judged when it was the end."""
_STRETCH, _SHORT = {True: 30, False: 100}, {True: 12, False: 40}
"""Characters, of a Chinese talk and of another."""
_DOUBTFUL = -0.3
"""Score of a stretch that stands alone: 0 let an `also he is unconscious` after five questions go."""
_CRYING = 0.3
"""Score of a clause that cries by itself. As low as the stretch's, it cost English a point of false alarms for 0.1 of
recall, authors left out."""
_UNTOLD = 0.8
"""Above `alarm`, with and without the age, of a talk without a word of the tables: of 3,400 everyday wordings nobody
had trained on, five are above it. "Licked the rat bait" is, too."""
_DESPITE_THE_SIGN = 3.3
"""Above `alarm`, of a talk like a fever of the young that is none: it may be of another sign ("37 weeks pregnant")."""
_AGES = (30, 90, 365, 1_095)
_NEAR_CHARS = {True: 12, False: 45}
_MAX_HITS = 8
_WARMTHS, _RATES, _HOURS = (34, 35.6, 37.5, 38), (40, 50, 60), (6, 8, 12, 24)
_WRITTEN = {True: tables.table("senses_zh"), False: tables.table("senses")}
_EDGES = {True: ("", ""), False: ("(?<![a-z0-9])", "(?![a-z])")}
_SENSES = {
    zh: [(name, re.compile(f"{_EDGES[zh][0]}(?:{words}){_EDGES[zh][1]}")) for name, words in written.items()]
    for zh, written in _WRITTEN.items()
}
_SIEVES = {zh: Sieve([pattern for _, pattern in senses]) for zh, senses in _SENSES.items()}
_DENIAL = {
    True: re.compile("[没不无未别][^,。]{0,3}$"),
    False: re.compile(r"(?<![a-z])(?:no|not|never|without|none|nothing)(?![a-z])[^,。]{0,12}$"),
}
_SHORT_FORMS = tuple(
    (re.compile(rf"\b{words}\b"), short)
    for words, short in (("can not", "cant"), ("will not", "wont"), ("(is|was|do|does|did|has|have|are) not", r"\1nt"))
)


def _stem(word: str) -> str:
    """Without its ending: `twitching` → `twitch`, `stopped` → `stop`."""
    if len(word) <= 4:
        return word
    stem = re.sub("(?:ing|ed|es|s|ly|y|e|er)$", "", word)
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem


def _runs(items: list[str], most: int) -> Iterator[list[str]]:
    return (items[at : at + length] for length in range(1, most + 1) for at in range(len(items) - length + 1))


def _english(text: str) -> Iterator[str]:
    """Runs of 1-3 words as written and without endings, and each word's runs of 4 and 5 letters: typos keep some."""
    for run in re.findall(r"[a-z0][a-z0' ]*", text):
        words = run.replace("'", "").split()
        yield from (f" {word}" for word in words)
        yield from (" ".join(["", *stems]) for stems in _runs([_stem(word) for word in words], 3))
        for word in words:
            edged = f"^{word}$"
            yield from (f"#{edged[at : at + n]}" for n in (4, 5) for at in range(len(edged) - n + 1))


def _senses(text: str) -> Iterator[str]:
    """Which senses are told, which are denied, which follow one another closely."""
    chinese = is_chinese(text)
    mark, denial = "Z" if chinese else "", _DENIAL[chinese]
    if not chinese:
        text = text.replace("'", "")
        for pattern, short in _SHORT_FORMS:
            text = pattern.sub(short, text)
    may = _SIEVES[chinese].candidates(text)
    hits = sorted(
        (match.start(), match.end(), name)
        for number, (name, pattern) in enumerate(_SENSES[chinese])
        if may >> number & 1
        for match in islice(pattern.finditer(text), _MAX_HITS)
    )
    for number, (start, end, name) in enumerate(hits):
        yield f"{mark}S:{name}"
        if denial.search(text, max(0, start - 14), start):
            yield f"{mark}N:{name}"
        for later, _, other in hits[number + 1 :]:
            if later - end > _NEAR_CHARS[chinese]:
                break
            if other != name:
                yield f"{mark}P:{name}|{other}"


def _numbers(text: str, age_days: int | None) -> Iterator[str]:
    """What the numbers say that `0` hides: how warm, how fast, how long, how high."""
    counts = counted(text)
    age = "?" if age_days is None else "young" if age_days < facts.YOUNG else "old"
    for warm in facts.temperatures(counts):
        yield f"<C {sum(warm.value >= limit for limit in _WARMTHS)} {age}>"
    for rate in facts.rates(counts):
        yield f"<rate {sum(rate.value >= limit for limit in _RATES)}>"
    for span in facts.spans(counts):
        yield f"<hours {sum(span.value >= limit for limit in _HOURS)}>"
    if any(1 < height.value < 30 for height in facts.heights(counts)):
        yield "<high>"


def grams(text: str, age_days: int | None) -> set[str]:
    """What a talk in plain text consists of: runs of 1-3 Chinese characters, of English words and letters, senses,
    cues and the age."""
    text = text[-READ_CHARS:]
    found = set(_numbers(text, age_days))
    text = re.sub(r"\d+(?:\.\d+)?", "0", text)
    found.update(f"<{number}>" for number, cue in enumerate(context.CUES) if cue.search(text))
    found.add(f"<age {age_days is not None and sum(age_days >= age for age in _AGES)}>")
    for run in re.findall(r"[一-鿿0]+", text):
        found.update("".join(chars) for chars in _runs(list(run), 3))
    found.update(_english(text))
    found.update(_senses(text))
    return found


@lru_cache(maxsize=64)
def keys(text: str, age_days: int | None) -> Keys:
    return np.unique(np.array([zlib.crc32(gram.encode()) for gram in grams(text, age_days)], np.uint32))


class Model:
    """`keys`: the grams it knows, sorted; `scale`: how rare and how telling each is. Scores are of unit vectors."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.bias = keys, 0.0
        self.scale = np.zeros(len(keys), np.float32)
        self.danger = np.zeros(len(keys), np.float32)
        self.signs = np.zeros((0, SIGN_BUCKETS), np.float32)

    def at(self, keys: Keys) -> NDArray[np.intp]:
        """Where the known ones of `keys` stand."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known: NDArray[np.intp] = at[self.keys[at] == keys]
        return known

    def score(self, keys: Keys) -> float:
        """Log odds of danger."""
        at = self.at(keys)
        vector = self.scale[at]
        return float(vector @ self.danger[at] / (np.linalg.norm(vector) + 1e-9) + self.bias)

    def signs_of(self, keys: Keys) -> NDArray[np.intp]:
        """The rows of `signs`, those it is most like first."""
        at = self.at(keys)
        return np.argsort(-(self.signs[:, at % SIGN_BUCKETS] @ self.scale[at]))


def _read() -> tuple[Model, tuple[str, ...], float, float]:
    with (files(tables) / "learned.npz").open("rb") as file, np.load(file) as kept:
        model = Model(np.cumsum(kept["gaps"], dtype=np.uint32))
        model.scale, model.bias = kept["scale"].astype(np.float32), float(kept["bias"])
        model.danger = kept["danger"].astype(np.float32) * kept["danger_step"]
        model.signs = kept["signs"].astype(np.float32)
        return model, tuple(map(str, kept["names"])), float(kept["alarm"]), float(kept["harmless"])


_MODEL, _SIGNS, _ALARM, _HARMLESS = _read()


def hunch(text: str, age_days: int | None, *, surely_none_of: Sequence[str] = (), told: bool = True) -> str | None:
    """The sign a talk in plain text is most like, when it is dangerous enough; more so when it is most like a sign
    that it cannot be, and where no word of the tables was `told`."""
    found = keys(text, age_days)
    score = _MODEL.score(found)
    if score <= _ALARM or (not told and min(score, _MODEL.score(keys(text, None))) <= _ALARM + _UNTOLD):
        return None
    likely: list[str] = [_SIGNS[row] for row in _MODEL.signs_of(found)]
    if likely[0] in surely_none_of and score <= _ALARM + _DESPITE_THE_SIGN:
        return None
    best: str = next(sign for sign in likely if sign not in surely_none_of)
    return best


def is_chinese(text: str) -> bool:
    return len(re.findall("[一-鿿]", text)) > 0.3 * len(text)


def _stretches(text: str) -> Iterator[str]:
    """Pieces that overlap by half."""
    length = _STRETCH[is_chinese(text)]
    return (text[at : at + length] for at in range(0, max(1, len(text) - length // 2), length // 2))


def harmless(text: str, age_days: int | None) -> bool:
    """Sure enough that it is no danger to take an alarm of the tables back.

    Never of a cry too short to be explained away, never of a talk too long to be read, and never when a stretch of it
    sounds dangerous: many harmless words around a danger make it no smaller.
    """
    return (
        _SHORT[is_chinese(text)] <= len(text) <= READ_CHARS
        and _MODEL.score(keys(text, age_days)) < _HARMLESS
        and not any(doubtful(stretch, age_days) for stretch in _stretches(text))
    )


def doubtful(piece: str, age_days: int | None) -> bool:
    """Not clearly harmless when it is all that was said."""
    return _MODEL.score(keys(piece, age_days)) >= _DOUBTFUL


def crying(clause: str, age_days: int | None) -> bool:
    """Danger by itself, whatever stands around it."""
    return _MODEL.score(keys(clause, age_days)) >= _CRYING
