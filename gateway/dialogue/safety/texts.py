"""The fixed, approved words of a fired sign: by action, with one line of first aid only where guidelines agree.

No dose, no diagnosis, no product, never "observe first".
A paediatrician has to sign `tables/texts.json` before real use.
"""

from gateway.dialogue.ports import RedFlag
from gateway.dialogue.safety.tables import table
from signaling.protocol import Language

_TEXTS = table("texts")


def red_flag_text(flag: RedFlag, language: Language) -> str:
    text: str = _TEXTS[flag.action.value][language]
    aid = _TEXTS["first_aid"].get(flag.sign)
    return f"{text}\n{aid[language]}" if aid else text


def tel_of(flag: RedFlag) -> str:
    """The number of the tap-to-call button."""
    tel: str = _TEXTS[flag.action.value]["tel"]
    return tel


def age_question(language: Language) -> str:
    text: str = _TEXTS["needs_age"][language]
    return text
