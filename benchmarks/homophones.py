"""What a recognizer makes of a question: some characters replaced by others of the same sound (tones aside).

    .venv/bin/python -m benchmarks.homophones < questions.txt > heard.txt

Deterministic: the same line always comes out the same. The replacements are the most frequent characters of the same
toneless reading, by the word frequencies of jieba (a development dependency).
"""

import random
import sys
from collections import Counter, defaultdict
from functools import cache

import jieba
from pypinyin import lazy_pinyin

SHARE = 0.3
"""Of the Chinese characters, this many are misheard."""


@cache
def alike() -> dict[str, list[str]]:
    """Toneless reading -> its eight most frequent characters."""
    jieba.initialize()
    counts: Counter[str] = Counter()
    for word, frequency in jieba.dt.FREQ.items():
        for char in word:
            counts[char] += frequency
    groups: dict[str, list[str]] = defaultdict(list)
    for char, _ in counts.most_common(3_000):
        if "\u4e00" <= char <= "\u9fff" and len(groups[lazy_pinyin(char)[0]]) < 8:
            groups[lazy_pinyin(char)[0]].append(char)
    return groups


def misheard(text: str, share: float = SHARE) -> str:
    """`text` with `share` of its characters replaced by homophones."""
    dice = random.Random(text)
    chars = list(text)
    spots = [i for i, char in enumerate(chars) if "\u4e00" <= char <= "\u9fff"]
    for i in dice.sample(spots, max(1, round(len(spots) * share)) if spots else 0):
        others = [char for char in alike().get(lazy_pinyin(chars[i])[0], []) if char != chars[i]]
        if others:
            chars[i] = dice.choice(others)
    return "".join(chars)


if __name__ == "__main__":
    for line in sys.stdin:
        print(misheard(line.rstrip("\n")))
