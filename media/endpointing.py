"""PURE: how long to wait in silence before her turn counts as over, chosen anew with every partial.

`completeness(text)` judges the words; `Habits` know the pauses this speaker makes in the middle of her turns. `delay`
weighs one against the other: waiting out a pause as long as hers may be costs that much wherever she was done, and
saves a cut-in wherever she was not. It waits where that is worth it, and otherwise hardly at all: a wait in between
pays for nothing. There is no long fixed fallback: a recognizer that has no words yet is waited for a little, one that
never has any is not waited for at all, because the grace period reopens a turn that was not over and nothing unheard
is lost.
"""

import re
from dataclasses import dataclass

UNKNOWN = 0.5
SHORTEST, LONGEST = 0.19, 1.3
STRANGER = 1.2
"""How long a pause may be of somebody who has not made two yet."""
WORTH = 3.0
"""Seconds of waiting (over all turns that were done) that one cut-in saved is worth."""
BLIND, BLIND_MOST = 0.19, 0.35
"""Without any words. The closure of a stop (t, k, p) can be 0.2 s of silence in the middle of a word: it is not over
while the quick detector hears her begin again; what her own pauses take is waited for up to the second."""
WORDS = 0.4
"""A recognizer is given this long to say what it has."""

_PUNCTUATION = " \t\n。！？，、；：.!?,;:…“”\"'"
_QUESTION = re.compile(r"[?？]\s*$")
_ENDS_ZH = re.compile(
    r"(吗|呢|吧|啊|呀|嘛|了|谢谢|怎么办|多少钱|多少|什么|怎么样|几个月|几岁|哪里|哪儿|可以|不行|没有了?|好的?|对的?|是的"
    r"|再见|不要|不用|知道了|明白|人工)$"
)
_DANGLES_ZH = re.compile(
    r"(然后|但是|因为|所以|就是|就是说|那个|这个|的话|和|跟|还有|如果|要是|假如|嗯|呃|额|那|在|把|被|给|比如|比如说|我想|我要"
    r"|我想问|想问一下|请问|他|她|它|我|我们|宝宝|的|地|得|不过|而且|或者|以及|从|到|对于|关于|大概|可能|应该|每天|一个|有点)$"
)
_DANGLES_EN = re.compile(
    r"\b(and|but|so|because|if|the|an?|to|of|with|my|um+|uh+|er|i mean|like|or|for|in|on|at|is|are|was|he|she|it|we"
    r"|they|i|then|that|which|who|when|about|some|any|very|can|could|would|will|do|does|have|has|had|from|your|our|his"
    r"|her|wait|well)$"
)
_ENDS_EN = re.compile(
    r"\b(please|thanks|thank you|ok|okay|yes|no|bye|goodbye|today|now|there|much|sure|right|that's all|help me)$"
)
_ASKS_EN = re.compile(r"^(what|where|when|why|who|how|which|is|are|can|could|do|does|did|will|would|should|may)\b")
_DIGITS = re.compile(r"[0-9零一二三四五六七八九幺两]")
_DICTATED = re.compile(r"(?:[0-9零一二三四五六七八九幺两][\s\-,，]*){3,}$")
_PHONE = 11
_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Habits:
    """This speaker's pauses inside a turn: moving means in seconds of the pause and of how far one is from it, and how
    many were seen. What TCP knows of round trips (RFC 6298)."""

    pause: float = 0.0
    seen: int = 0
    spread: float = 0.0

    def paused(self, seconds: float) -> "Habits":
        weight = max(0.2, 1 / (self.seen + 1))
        off = abs(seconds - self.pause) if self.seen else seconds / 4
        return Habits(
            self.pause + weight * (seconds - self.pause), self.seen + 1, self.spread + weight * (off - self.spread)
        )

    @property
    def longest(self) -> float:
        """A pause of hers is seldom longer."""
        return self.pause + 2.5 * self.spread if self.seen >= 2 else STRANGER


def completeness(text: str) -> float:
    """0: she will certainly go on; 1: certainly done."""
    said = text.strip(_PUNCTUATION).lower()
    if not said:
        return UNKNOWN
    if _DICTATED.search(said):
        return _dictation(said)
    if text.rstrip().endswith((",", "，", "、", "…", "...")):
        return 0.15
    if _DANGLES_ZH.search(said) or _DANGLES_EN.search(said):
        return 0.05
    if _QUESTION.search(text) or _ENDS_ZH.search(said) or _ENDS_EN.search(said):
        return 1.0
    return _by_length(said)


def _dictation(said: str) -> float:
    """Numbers come in groups with pauses between them; eleven digits are a Chinese mobile number."""
    return 0.95 if len(_DIGITS.findall(said)) >= _PHONE else 0.1


def _by_length(said: str) -> float:
    """A long clause is likelier whole than a fragment of two words."""
    if _ASKS_EN.match(said) and len(said.split()) >= 4:
        return 0.9
    size = len(_CJK.findall(said)) + 2 * len(re.findall(r"[a-z']+", said))
    return min(0.8, 0.35 + 0.05 * size)


def delay(text: str, habits: Habits, *, words_coming: bool) -> float:
    """Seconds of silence after which `text` is her whole turn. `words_coming`: a partial was asked for and is not
    here yet; without it and without words we are blind, and quick."""
    if words_coming:
        return max(WORDS, _wait(completeness(text), habits)) if text else WORDS
    return _wait(completeness(text), habits) if text else _blind(habits)


def _blind(habits: Habits) -> float:
    return max(BLIND, habits.longest) if habits.longest <= BLIND_MOST else BLIND


def _wait(whole: float, habits: Habits) -> float:
    """`whole`: how probably she is done."""
    pause = min(LONGEST, max(SHORTEST, habits.longest))
    return pause if pause * whole <= WORTH * (1 - whole) else SHORTEST
