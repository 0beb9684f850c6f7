"""PURE: which language a message is written in. The page's language is only the default."""

import re

from signaling.protocol import Language

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")
PLAIN = frozenset({"hello", "hi", "hey", "thanks", "human", "advisor", "agent", "help", "bye", "price", "person"})


def written(text: str, default: Language) -> Language:
    """A lone foreign word (a brand, "ok") changes nothing; a Chinese word is about two characters."""
    chinese = (len(_HAN.findall(text)) + 1) // 2
    english = _WORD.findall(text)
    if chinese:
        return "zh" if chinese >= len(english) / 2 else "en"
    return "en" if len(english) > 1 or (english and english[0].lower() in PLAIN) else default
