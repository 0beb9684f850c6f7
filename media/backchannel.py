"""PURE: is it a wish to speak, or a sign of listening ("嗯", "对对对", "mm-hm")? Judged by words alone."""

import re

_WORD = re.compile(r"[a-z']+|[\u3400-\u9fff]|\d+")
_SIGNS_EN = frozenset(
    ("mm", "mhm", "mmhm", "hm", "hmm", "uh", "huh", "uhhuh", "um", "yeah", "yep", "yes", "ok", "okay", "right", "sure")
    + ("oh", "ah", "aha", "i", "see", "good", "great", "fine", "really", "wow")
)
_SIGNS_ZH = frozenset("嗯恩唔哦噢喔啊呃额诶哎对好是行的呀哈了嘛吧")
_STOPS_ZH = frozenset("停等不别喂")
"""One of these alone is a wish to speak."""
_ENOUGH_ZH = 2


def words(text: str) -> list[str]:
    """Latin words, numbers, single Chinese characters; lower case, no punctuation."""
    return _WORD.findall(text.lower().replace("-", ""))


def is_backchannel(text: str) -> bool:
    """Words there are, and all of them only say "I am listening"."""
    said = words(text)
    return bool(said) and all(word in _SIGNS_ZH or word in _SIGNS_EN for word in said)


def is_substantial(text: str) -> bool:
    """Enough words to believe that she wants the floor: one Latin word, two characters, or 停 / 等 / 不."""
    if is_backchannel(text):
        return False
    said = [word for word in words(text) if word not in _SIGNS_EN]
    chinese = [word for word in said if "\u3400" <= word <= "\u9fff"]
    return len(chinese) >= _ENOUGH_ZH or len(chinese) < len(said) or not _STOPS_ZH.isdisjoint(chinese)
