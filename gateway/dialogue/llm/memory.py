"""PURE: a conversation in a few lines: for the model's context, and for the advisor who takes over."""

from collections.abc import Sequence

from gateway.dialogue.intents import intent
from gateway.dialogue.knowledge.text import quantities
from gateway.dialogue.ports import Said
from signaling.protocol import Language

QUESTIONS = 6
LINE = 120


def summary(history: Sequence[Said], language: Language) -> str:
    """Her questions (small talk left out), ages and weights she named, and what was last answered. No model needed."""
    asked = [said.text for said in history if said.role == "customer" and intent(said.text) is None]
    if not asked:
        return ""
    zh = language == "zh"
    lines = [("她问过：" if zh else "She asked: ") + " / ".join(text[:LINE] for text in asked[-QUESTIONS:])]
    if facts := _named(asked, zh=zh):
        lines.append(("提到：" if zh else "Named: ") + facts)
    if told := next((said for said in reversed(history) if said.role != "customer"), None):
        lines.append(("最近回答：" if zh else "Last answer: ") + told.text.replace("\n", " ")[:LINE])
    return "\n".join(lines)


def _named(texts: Sequence[str], *, zh: bool) -> str:
    units = (
        {"age": "个月", "weight": "公斤", "stage": "段"}
        if zh
        else {"age": " months", "weight": " kg", "stage": " (stage)"}
    )
    found = {f"{quantity.low:g}{units[quantity.kind]}" for text in texts for quantity in quantities(text)}
    return "、".join(sorted(found)) if zh else ", ".join(sorted(found))
