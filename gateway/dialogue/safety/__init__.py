"""The first, deterministic layer against a normal answer to a baby in danger. PURE: no clock, no model.

    check(turns, age_days) -> RedFlag | None      on each text and each partial and final transcript
    question(turns, age_days) -> "needs_age" | None
    red_flag_text(flag, language), tel_of(flag)   fixed words

`learned` may take back a flag of the tables (check.py says when not); a layer behind a cloud may only add flags.
"""

from gateway.dialogue.safety.check import check, question
from gateway.dialogue.safety.texts import age_question, held_text, red_flag_text, tel_for, tel_of, unheard_text

__all__ = [
    "age_question",
    "check",
    "held_text",
    "question",
    "red_flag_text",
    "tel_for",
    "tel_of",
    "unheard_text",
]
