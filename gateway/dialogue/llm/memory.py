"""PURE: a conversation in a few lines: for the model's context, and for the advisor who takes over."""

import re
from collections.abc import Sequence
from math import inf

from gateway.dialogue.intents import intent
from gateway.dialogue.knowledge.text import quantities
from gateway.dialogue.ports import Said
from signaling.protocol import Language

QUESTIONS = 6
GIST = 60
"""Letters of one of her messages; the whole stands in the conversation beside it."""
ANSWER = 120

_SENTENCE = re.compile(r"[^。！？!?；;\n]+?(?:[。！？!?；;\n]+|\.(?=\s)|$)")
_ASKS = re.compile(
    r"[？?]|吗|怎么|怎样|如何|什么|多少|几|哪|为何|是不是|能不能|可不可以|要不要|有没有|该不该|呢"
    r"|\b(?:how|what|when|where|which|why|who|can|could|should|may|do|does|is|are)\b",
    re.IGNORECASE,
)


def summary(history: Sequence[Said], language: Language) -> str:
    """Her questions (small talk left out), ages and weights she named, and what was last answered. No model needed."""
    hers = [said.text for said in history if said.role == "customer" and intent(said.text) is None]
    if not hers:
        return ""
    zh = language == "zh"
    asked = list(dict.fromkeys(gist(text) for text in hers))
    lines = [("她问过：" if zh else "She asked: ") + " / ".join(asked[-QUESTIONS:])]
    if facts := _named(hers, zh=zh):
        lines.append(("提到：" if zh else "Named: ") + facts)
    if told := next((said for said in reversed(history) if said.role != "customer"), None):
        lines.append(("最近回答：" if zh else "Last answer: ") + _cut(told.text.replace("\n", " "), ANSWER))
    return "\n".join(lines)


def gist(text: str) -> str:
    """A short message as it is; of a long one the sentences that ask, or, where none does, how it begins."""
    whole = " ".join(text.split())
    if len(whole) <= GIST:
        return whole
    asking = [sentence.strip() for sentence in _SENTENCE.findall(text) if _ASKS.search(sentence)]
    return _cut(" ".join(" ".join(asking).split()) or whole, GIST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _named(texts: Sequence[str], *, zh: bool) -> str:
    units = (
        {"age": "个月", "weight": "公斤", "stage": "段"}
        if zh
        else {"age": " months", "weight": " kg", "stage": " (stage)"}
    )
    upto = "{}{}以内" if zh else "up to {}{}"
    found = {
        ("{}{}" if quantity.low else upto).format(f"{quantity.low or quantity.high:g}", units[quantity.kind])
        for text in texts
        for quantity in quantities(text)
        if quantity.low or quantity.high < inf
    }
    return "、".join(sorted(found)) if zh else ", ".join(sorted(found))
