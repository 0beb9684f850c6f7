"""PURE: text to tokens, readings and quantities.

A token is one CJK character, one stemmed Latin word or one number. Everything downstream (grams, coverage, concepts) is
counted over tokens, so that Chinese needs no word segmenter and mixed text needs no language guess.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Literal

from pypinyin import lazy_pinyin

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[\u3400-\u9fff]")
_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_COUNTED = r"(?=个|月|岁|周|天|斤|公斤|千克|段|点|块|元|折|次|片|度|号|件|层|米|分|小时|年|到|至)"
_NUMERAL = re.compile(rf"[零〇一二两三四五六七八九十百]+{_COUNTED}")
_WORDED = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}  # fmt: skip


def is_cjk(token: str) -> bool:
    """True for a one-character CJK token."""
    return "\u3400" <= token[0] <= "\u9fff"


def _numeral(match: re.Match[str]) -> str:
    total, digit = 0, 0
    for char in match.group():
        if char in ("十", "百"):
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = digit * 10 + _DIGITS[char]
    return str(total + digit)


_SALES = (
    (re.compile(r"双(?:十一|11)|\bdouble (?:11|eleven)\b|\bsingles'? day\b"), "doubleeleven"),
    (re.compile(r"双(?:十二|12)|\bdouble (?:12|twelve)\b"), "doubletwelve"),
)
"""Days of sales that differ by one character are words of their own: 双十一's question is not 双十二's."""


def normalise(text: str) -> str:
    """NFKC, lower case, Chinese numerals before a unit as digits, ages in halves as months."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    for pattern, name in _SALES:
        text = pattern.sub(f" {name} ", text)
    text = re.sub(r"(?:出生|初生)(?=到|至|-|~|–)|\bbirth(?= ?(?:to|-|–|until) ?\d)", "0", text)
    text = text.replace("半岁", "6个月").replace("周岁", "岁").replace("满月", "1个月 满月")
    text = re.sub(r"([一二两三四五六]|\d)岁半", lambda m: f"{int(_DIGITS.get(m[1], m[1])) * 12 + 6}个月", text)
    text = re.sub(r"([一二两三四五六七八九]|\d+)个半月", lambda m: f"{_DIGITS.get(m[1], m[1])}.5个月", text)
    return _NUMERAL.sub(_numeral, text)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """English inflection off: plural, -ing, -ed, 's. Short words stay."""
    word = word.removesuffix("'s").replace("'", "")
    if word in _WORDED:
        return _WORDED[word]
    for suffix, keep in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(suffix) and len(word) > len(suffix) + 1:
            return word.removesuffix(suffix) + keep
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for suffix in ("ing", "ed"):
        root = word.removesuffix(suffix)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            doubled = root[-1] == root[-2] and root[-1] not in "lsz"
            return root[:-1] if doubled else root.removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


@lru_cache(maxsize=50_000)
def tokens(text: str) -> tuple[str, ...]:
    """Tokens of `text`, in order; at most 200 (a longer question is no clearer)."""
    found = _TOKEN.findall(normalise(text))[:200]
    return tuple(t if is_cjk(t) or t[0].isdigit() else stem(t) for t in found)


_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn|pn)", "n"), (r"^wr", "r"), (r"^wh", "w"), (r"mb$", "m"), (r"ph", "f"), (r"t(?:io|ia|ea)n", "shn"),
        (r"igh|eigh|augh", "a"), (r"gh", ""), (r"d?g(?=[eiy])", "j"), (r"dg", "j"), (r"t?ch", "q"),
        (r"c(?=[eiy])", "s"),
        (r"sh|sch", "x"), (r"ck|c", "k"), (r"q", "k"), (r"z", "s"), (r"th", "t"), (r"(?<=[a-z]{2})es?$", ""),
        (r"(?<=.)[hw]", ""), (r"[aeiouy]+", "a"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip


@lru_cache(maxsize=30_000)
def sound(word: str) -> str:
    """A coarse key of how an English word sounds: weight and wait, flour and flower have the same."""
    if not word.isalpha():
        return word
    for pattern, sound_ in _SOUNDS:
        word = pattern.sub(sound_, word)
    return word


@lru_cache(maxsize=30_000)
def reading(token: str) -> str:
    """How a token sounds: toneless pinyin, folded over the pairs that speakers and recognizers confuse, or `sound`."""
    if not is_cjk(token):
        return sound(token)
    syllable = lazy_pinyin(token)[0]
    for long, short in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(long):
            syllable = short + syllable[2:]
    if syllable.startswith("n") and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    return re.sub(r"(?<=[aei])ng$", "n", syllable)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured range. Ages are in months, weights in kilograms, stages are formula or diaper stages."""

    kind: Literal["age", "weight", "stage"]
    low: float
    high: float

    def meets(self, other: "Quantity") -> bool:
        return self.kind == other.kind and self.low <= other.high and other.low <= self.high


_NUMBER = r"(\d+(?:\.\d+)?)"
_RANGE = rf"{_NUMBER}\s*(?:(?:-|~|—|–|到|至|to)\s*{_NUMBER})?\s*"
_UNITS: tuple[tuple[re.Pattern[str], Literal["age", "weight", "stage"], float], ...] = (
    (re.compile(rf"{_RANGE}(?:个月|月龄|months?|mo\b|-month)"), "age", 1.0),
    (re.compile(rf"{_RANGE}(?:岁|years?|-year|yrs?\b)"), "age", 12.0),
    (re.compile(rf"{_RANGE}(?:周(?!年)|weeks?)"), "age", 1 / 4.345),
    (re.compile(rf"{_RANGE}(?:公斤|千克|kg|kilos?)"), "weight", 1.0),
    (re.compile(rf"{_RANGE}斤"), "weight", 0.5),
    (re.compile(rf"{_RANGE}段"), "stage", 1.0),
    (re.compile(rf"stage\s*{_NUMBER}"), "stage", 1.0),
)


_UPWARDS = re.compile(r"以上|以后|之后|起|\+|\s*(?:and|or) (?:over|up|older|more|above)|\s*onwards")
_DOWNWARDS = re.compile(r"以下|以内|以前|之前|内|前|\s*(?:and|or) (?:under|younger|less|below)")
_FROM = re.compile(r"(?:超过|大于|满|\bover|\bfrom|\babove|\bafter|\bpast)\s*$")
_UP_TO = re.compile(r"(?:不到|不满|小于|未满|\bunder|\bup to|\bbelow|\bbefore|\buntil)\s*$")
_AGES = (
    (re.compile(r"新生儿|刚出生|刚生(?:下|的)|\bnewborns?\b"), 0.0, 3.0),
    (re.compile(r"\bfrom birth\b"), 0.0, inf),
    (re.compile(r"\btoddlers?\b"), 12.0, 36.0),
)


def _beside(after: re.Pattern[str], before: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    """`after` follows the match, or `before` ends just ahead of it."""
    return bool(after.match(text, match.end()) or before.search(text[max(0, match.start() - 9) : match.start()]))


@lru_cache(maxsize=20_000)
def quantities(text: str) -> frozenset[Quantity]:
    """Ages, weights and stages named in `text`."""
    found = set()
    plain = normalise(text)
    for word, digit in _WORDED.items():
        plain = re.sub(rf"\b{word}\b", digit, plain)
    for pattern, kind, unit in _UNITS:
        for match in pattern.finditer(plain):
            low, *rest = (float(group) for group in match.groups() if group)
            high = rest[0] if rest else low
            if not rest and _beside(_UPWARDS, _FROM, plain, match):
                high = inf
            elif not rest and _beside(_DOWNWARDS, _UP_TO, plain, match):
                low = 0.0
            found.add(Quantity(kind, low * unit, high * unit))
    found |= {Quantity("age", low, high) for pattern, low, high in _AGES if pattern.search(plain)}
    return frozenset(found)
