"""The fixed, approved words of a fired sign: by action, with one line of first aid only where guidelines agree.

No dose, no diagnosis, no product, never "observe first".
A paediatrician has to sign `tables/texts.json` before real use.
"""

from gateway.dialogue.ports import RedFlag
from gateway.dialogue.safety.rules import ACTIONS
from gateway.dialogue.safety.tables import table
from signaling.protocol import Language

_TEXTS = table("texts")


def red_flag_text(flag: RedFlag, language: Language, *, staffed: bool = True) -> str:
    """`staffed`: somebody hears the alarm. A help that is not coming is not promised."""
    told = _TEXTS["advisor" if staffed else "nobody"][flag.action.value][language]
    text: str = _TEXTS[flag.action.value][language].replace("{advisor}", told)
    aid = _TEXTS["first_aid"].get(flag.sign)
    return f"{text}\n{aid[language]}" if aid else text


def held_text(sign: str, language: Language, *, staffed: bool = True) -> str:
    """What every further line is answered with until a person clears the flag."""
    action = ACTIONS[sign].value
    told = _TEXTS["advisor" if staffed else "nobody"][action][language]
    text: str = _TEXTS["held"][action][language]
    return text.replace("{advisor}", told)


def unheard_text(sign: str, language: Language) -> str:
    """Nobody has taken the alarm yet."""
    text: str = _TEXTS["unheard"][ACTIONS[sign].value][language]
    return text


def tel_for(sign: str) -> str:
    """The number of the tap-to-call button."""
    tel: str = _TEXTS[ACTIONS[sign].value]["tel"]
    return tel


def tel_of(flag: RedFlag) -> str:
    return tel_for(flag.sign)


def age_question(language: Language) -> str:
    text: str = _TEXTS["needs_age"][language]
    return text
