"""PURE: asking back before acting on what may have been misheard.

A recognizer without rejection (the phrasebook) marks every transcript `confirm`: what it heard is repeated to her as a
question, and only her yes makes it hers. What she types, taps or presses is never doubted.

    heard(confirm) ─► ask "您是说…吗?" ─ yes ─► answer it
                            ├─ no ────────► "请再说一遍"
                            └─ other words ► ask about those
"""

from dataclasses import dataclass

from gateway.dialogue.ports import Closing
from media.ports import Heard
from signaling.protocol import Choice, Language

YES = frozenset({"是的", "是", "对", "对的", "好的", "嗯", "yes", "yes please", "yeah", "right"})
NO = frozenset({"不是", "不对", "不", "no", "no thanks", "nope"})

ASK: dict[Language, str] = {
    "zh": "您是说“{text}”吗？请说“是的”或者“不是”，也可以点一下。",
    "en": "Did you say “{text}”? Please say “yes please” or “no thanks”, or tap.",
}
AGAIN: dict[Language, str] = {
    "zh": "好的，请再说一遍，也可以直接打字告诉我。",
    "en": "All right, please say it again, or type it.",
}
NO_CHOICE: dict[Language, str] = {"zh": "不是", "en": "No thanks"}


@dataclass(frozen=True, slots=True)
class Doubted:
    """`question` is what to say instead of an answer; `text` what to answer. Exactly one is set.
    `pending` is what a later yes would mean."""

    question: Closing | None = None
    text: str = ""
    pending: str | None = None


def weigh(heard: Heard, pending: str | None) -> Doubted:
    """What to do with these words, given what was asked back before."""
    words = heard.text.strip().strip("。，.!?！？").lower()
    if pending is not None and words in YES:
        return Doubted(text=pending)
    if pending is not None and words in NO:
        return Doubted(question=_again(heard.language))
    if heard.confirm and heard.source == "speech":
        return Doubted(question=_ask(heard), pending=heard.text)
    return Doubted(text=heard.text)


def _ask(heard: Heard) -> Closing:
    text = heard.text[:200]
    choices = (Choice(id="yes", text=text), Choice(id="no", text=NO_CHOICE[heard.language]))
    return Closing(ASK[heard.language].format(text=text), "chat", choices=choices)


def _again(language: Language) -> Closing:
    return Closing(AGAIN[language], "chat")
