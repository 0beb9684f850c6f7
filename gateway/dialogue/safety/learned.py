"""The second layer: a linear model over letters and words that may only add an alarm the tables missed.

Trained offline by `python -m benchmarks.redflags_train` on labelled talks; its weights are `tables/learned.npz`:
`danger` (a logistic regression) and `signs` (one row per sign, which of them it is most like).
PURE: the weights are read once, at import; the same talk gives the same answer.
"""

import re
import zlib
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from gateway.dialogue.safety import context, tables

BUCKETS = 1 << 15
SIGN_BUCKETS = 1 << 12
READ_CHARS = 400
"""Of the talk's end; a danger told longer ago was judged when it was the end."""
_AGES = (30, 90, 365, 1_095)


def features(text: str, age_days: int | None) -> list[int]:
    """Buckets of the runs of 1–3 Chinese characters and 1–3 English words of a plain text, of its cues and the age."""
    text = re.sub(r"\d+(?:\.\d+)?", "0", text[-READ_CHARS:])
    grams = {f"<{number}>" for number, cue in enumerate(context.CUES) if cue.search(text)}
    grams.add(f"<age {age_days is not None and sum(age_days >= age for age in _AGES)}>")
    for run in re.findall(r"[一-鿿0]+", text):
        grams.update(run[i : i + n] for n in (1, 2, 3) for i in range(len(run) - n + 1))
    for run in re.findall(r"[a-z0][a-z0' ]*", text):
        words = run.replace("'", "").split()
        grams.update(" ".join(["", *words[i : i + n]]) for n in (1, 2, 3) for i in range(len(words) - n + 1))
    return sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams})


class Model:
    """`scale`: of each bucket, how rare and how telling it is. Scores are those of unit vectors."""

    def __init__(
        self, scale: NDArray[np.float32], danger: NDArray[np.float32], bias: float, signs: NDArray[np.float32]
    ) -> None:
        self.scale, self.danger, self.bias, self.signs = scale, danger, bias, signs

    def score(self, found: Sequence[int]) -> float:
        """Log odds of danger, shrunk; compared with `threshold`."""
        at = np.array(found, dtype=np.intp)
        vector = self.scale[at]
        return float(vector @ self.danger[at] / (np.linalg.norm(vector) + 1e-9) + self.bias)

    def sign(self, found: Sequence[int]) -> int:
        """The row of `signs` it is most like."""
        at = np.array(found, dtype=np.intp)
        return int(np.argmax(self.signs[:, at % SIGN_BUCKETS] @ self.scale[at]))


def _read() -> tuple[Model, tuple[str, ...], float]:
    with (files(tables) / "learned.npz").open("rb") as file, np.load(file) as kept:
        weights = kept["danger"].astype(np.float32) * kept["danger_step"]
        model = Model(kept["scale"].astype(np.float32), weights, float(kept["bias"]), kept["signs"].astype(np.float32))
        return model, tuple(str(sign) for sign in kept["names"]), float(kept["threshold"])


_MODEL, _SIGNS, _THRESHOLD = _read()


def hunch(text: str, age_days: int | None) -> str | None:
    """The sign a talk in plain text is most like, when it is dangerous enough."""
    found = features(text, age_days)
    return _SIGNS[_MODEL.sign(found)] if _MODEL.score(found) > _THRESHOLD else None
