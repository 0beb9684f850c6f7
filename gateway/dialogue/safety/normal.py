"""One writing for what customers type and recognizers hear, so that the tables need only one.

`plain(text)`: NFKC, lower case, simplified characters, homophones of key terms mended, punctuation reduced to `,`
(clause) and `。` (sentence), a space between scripts.
`counted(text)`: the same with written numbers as digits (`三十八度五` → `38.5度`).
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from pypinyin import Style, pinyin

from gateway.dialogue.safety.anchors import Sieve
from gateway.dialogue.safety.tables import table

MAX_CHARS = 4_000
_LETTERS = table("letters")
_SIMPLIFIED = str.maketrans(_LETTERS["traditional"], _LETTERS["simplified"])


class Spellings:
    """Patterns and what to write instead, one after the other; those that cannot match are passed over."""

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        self._rows = [(re.compile(pattern), right) for pattern, right in rows]
        self._sieve = Sieve([pattern for pattern, _ in self._rows])

    def mend(self, text: str) -> str:
        may = self._sieve.candidates(text)
        for number, (pattern, right) in enumerate(self._rows):
            if may >> number & 1 and (mended := pattern.sub(right, text)) != text:
                text, may = mended, self._sieve.candidates(mended)
        return text


_CONTRACTIONS, _SPELLINGS = Spellings(_LETTERS["contractions"]), Spellings(_LETTERS["spellings"])
_ODD = re.compile(r"[^\w ,.。!?:;'\"\n+<>|~$℃°%=^-]")
_UNIT = (
    "度|个|天|日|周|星期|礼拜|岁|小时|钟头|钟|次|下|分|秒|米|层|级|楼|点|月|年|斤|颗|粒|片|毫升|遍|口|几|多|来|半|晚|宿"
)
_TERMS: dict[str, str] = {}
_REAL_WORDS = frozenset(_LETTERS["real_words"])


@lru_cache(maxsize=8_192)
def _sound(char: str) -> str:
    """Toneless pinyin of one character without the distinctions southern speakers and recognizers lose."""
    sound = pinyin(char, style=Style.NORMAL)[0][0]
    return re.sub(r"^([zcs])h", r"\1", re.sub(r"(?<=[aei])ng$", "n", sound))


def _key(term: str) -> str:
    return " ".join(map(_sound, term))


_TERMS.update({_key(term): term for term in _LETTERS["terms"]})
_LENGTHS = {
    first: sorted({len(term) for term in _LETTERS["terms"] if _sound(term[0]) == first}, reverse=True)
    for first in {_sound(term[0]) for term in _LETTERS["terms"]}
}
"""Of the terms that begin with a sound: how long they are."""


def _misspelt(run: str, term: str, from_before: str, to_behind: str) -> bool:
    """Of two characters one must be right: 最近觉得 (recently think) holds the sound of 惊厥 (convulsion), too."""
    if not _REAL_WORDS.isdisjoint((run, from_before, to_behind)):
        return False
    return len(term) > 2 or any(map(str.__eq__, run, term))


def _mend_homophones(text: str) -> str:
    """`扭扣电池` → `纽扣电池`: a run of characters that sounds like a key term and is no word of its own."""
    sounds = [_sound(char) if "一" <= char <= "鿿" else "" for char in text]
    out, at = [], 0
    while at < len(text):
        for length in _LENGTHS.get(sounds[at], ()):
            run = text[at : at + length]
            term = _TERMS.get(" ".join(sounds[at : at + length]))
            if term and _misspelt(run, term, text[max(0, at - 1) : at + length], text[at : at + length + 1]):
                out.append(term)
                at += length
                break
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def _punctuate(text: str) -> str:
    text = re.sub(r"(?<=\d)\s*[。](?=\d)", ".", text)
    text = re.sub(r"[\n\r!?;…~。]+|\.(?!\d)", "。", text)
    text = re.sub(r"[,:()\[\]{}<>\"“”|—–*#_=+]+|(?<= )-(?= )", ",", text)
    return re.sub(r"\s*([,。])[\s,。]*", lambda m: "。" if "。" in m.group(0) else ",", text)


def _space(text: str) -> str:
    """Blanks: one between scripts and between English words, none inside Chinese (a long pause there is a comma)."""
    pieces = re.findall(r"[一-鿿]+", text)
    spelled = len(pieces) > 3 and sum(map(len, pieces)) < 2 * len(pieces)
    text = re.sub(r"(?<=[一-鿿])\s+(?=[一-鿿])", "" if spelled else ",", text)
    text = re.sub(rf"(?<=[0-9])\s+(?=[一-鿿])(?!{_UNIT}|时|左右|以|左|到|才|就|米|公)", ",", text)
    text = re.sub(r"(?<=[一-鿿])(?=[a-z])|(?<=[a-z])(?=[一-鿿])", " ", text)
    return re.sub(r"\s+", " ", text)


@lru_cache(maxsize=2_048)
def plain(text: str) -> str:
    """≤ 4,000 characters are read: the wire carries no more."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().translate(_SIMPLIFIED)
    text = re.sub(r"[’‘`´]", "'", text)
    text = re.sub(r"(.{1,6}?)\1{5,}", r"\1\1", text)  # "嘴嘴嘴嘴…" says no more than "嘴嘴", and costs more
    text = _ODD.sub(lambda m: " " if unicodedata.category(m[0])[0] in "CS" else m[0], text)
    text = _CONTRACTIONS.mend(text)
    text = _punctuate(_space(_punctuate(text)).strip())
    text = _mend_homophones(text)
    return _SPELLINGS.mend(text)


# ---------------------------------------------------------------- numbers

_DIGIT = {"零": 0, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_CHINESE_NUMBER = re.compile(
    r"[二三四五六七八九]十[一二三四五六七八九]?(?![一二三四五六七八九]度)"
    r"|(?:[零一二两三四五六七八九]?百零?)?(?:[一二两三四五六七八九]?十)?[零一二两俩三四五六七八九]{0,2}"
    rf"(?={_UNIT})"
)
_ENGLISH = {word: number for number, word in enumerate(_LETTERS["units"])}
_TENS = {word: 20 + 10 * number for number, word in enumerate(_LETTERS["tens"])}
_WORD = "|".join(sorted([*_ENGLISH, *_TENS], key=len, reverse=True))
_ENGLISH_NUMBER = re.compile(
    rf"(?<![a-z])(?=(?:(?:a|one) )?hundred|[ -]?(?:{_WORD}))"
    rf"(?:(?:(?:a|one) )?hundred(?: and)? ?)?(?:{_WORD})?(?:[ -](?:{_WORD}))?(?![a-z])"
)


def _chinese(match: re.Match[str]) -> str:
    word = match.group(0)
    if not word:
        return ""
    total, digit = 0, 0
    for char in word:
        if char == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif char == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif digit == 0:
            digit = _DIGIT[char]  # of "七八" the lower
    return str(total + digit)


def _english(match: re.Match[str]) -> str:
    words = re.split(r"[ -]", match.group(0).strip())
    if not any(words):
        return match.group(0)
    hundreds = words.index("hundred") + 1 if "hundred" in words else 0
    total = 100 if hundreds else 0
    tail = " " if match.group(0).endswith(" ") else ""
    return str(total + sum(_ENGLISH.get(w, _TENS.get(w, 0)) for w in words[hundreds:])) + tail


@lru_cache(maxsize=2_048)
def counted(text: str) -> str:
    """`plain` with numbers as digits. `text` must already be plain."""
    text = _CHINESE_NUMBER.sub(_chinese, text)
    text = _ENGLISH_NUMBER.sub(_english, text)
    text = re.sub(r"(\d+) point (\d)", r"\1.\2", text)
    text = re.sub(
        r"(?<![\d.])(3[4-9]|4[01]) (\d)(?![\d.]| ?(?:days?|weeks?|months?|years?|hours?|times?|minutes?))",
        r"\1.\2",
        text,
    )
    text = re.sub(r"(?<![\d.])(3[4-9]|4[01]) and (?:a )?half(?! (?:an? |)(?:hour|week|month|year))", r"\1.5", text)
    text = re.sub(
        r"(3\d|4[0-2])(?:度|点)(\d|[一二三四五六七八九])(?!\d|个|天|分)",
        lambda m: f"{m[1]}.{_DIGIT.get(m[2], m[2])}度",
        text,
    )
    text = re.sub(r"(3\d|4[0-2])度半", r"\1.5度", text)
    text = re.sub(r"(\d+)(个|岁)半(月|小时|钟头)?", r"\1.5\2\3", text)
    text = re.sub(r"半个?(月|小时|钟头)", r"0.5个\1", text)
    text = re.sub(r"(?<![a-z])half an hour", "0.5 hours", text)
    return re.sub(r"(?<![a-z])an? (?=(?:hour|day|week|month|year)(?:s|-| )?(?:old)?(?![a-z]))", "1 ", text)
