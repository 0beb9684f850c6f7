"""`check`: the customer's lines → the gravest red flag, or none. Deterministic, no I/O."""

from collections.abc import Iterator, Sequence
from typing import Literal

from gateway.dialogue.ports import Action, RedFlag
from gateway.dialogue.safety import facts, learned, measured
from gateway.dialogue.safety.normal import counted, plain
from gateway.dialogue.safety.rules import ACTIONS, RULES, Talk, found

MAX_TURNS = 50
MAX_EARLIER_CHARS = 2_000
_OF_THE_YOUNG = ("S01", "S02")
_GRAVITY = (Action.CALL_120, Action.HUMAN_NOW, Action.ER_NOW)


def joined(turns: Sequence[str]) -> str:
    """The last line whole; earlier lines, already checked when they were new, as far as they may still join it."""
    lines = [plain(turn) for turn in turns[-MAX_TURNS:] if turn]
    earlier = "。".join(lines[:-1])[-MAX_EARLIER_CHARS:]
    return "。".join(part.strip("。") for part in (earlier, *lines[-1:]) if part)


def _flags(turns: Sequence[str], age_days: int | None) -> Iterator[RedFlag]:
    """Read twice: sentence by sentence, and as one breath, for a thought may be sent in pieces."""
    sentences = joined(turns)
    for text in dict.fromkeys((sentences, sentences.replace("。", ","))):
        numbers = Talk(counted(text), age_days)
        for measure in measured.MEASURES:
            if reading := measure(numbers):
                yield RedFlag(reading.sign, ACTIONS[reading.sign], reading.why)
        talk = Talk(text, facts.age(numbers.text, age_days))
        for rule in RULES:
            if found(rule, talk):
                yield RedFlag(rule.sign, ACTIONS[rule.sign], rule.why)


def check(turns: Sequence[str], age_days: int | None) -> RedFlag | None:
    """`turns`: the customer's lines since a person last cleared a flag, oldest first. `age_days`: from the card.

    Of several signs the one whose action is gravest, then the one whose table stands first.
    """
    return flagged(turns, age_days) or _hunch(turns, age_days)


def flagged(turns: Sequence[str], age_days: int | None) -> RedFlag | None:
    """What the tables say."""
    flags = list(_flags(turns, age_days))
    return min(flags, key=lambda flag: _GRAVITY.index(flag.action)) if flags else None


def _hunch(turns: Sequence[str], age_days: int | None) -> RedFlag | None:
    text = joined(turns)
    age = facts.age(counted(text), age_days)
    sign = learned.hunch(text, age) if text else None
    if sign is None or (sign in _OF_THE_YOUNG and (age is None or age >= facts.YOUNG)):
        return None
    return RedFlag(sign, ACTIONS[sign], "like talks of this sign")


def question(turns: Sequence[str], age_days: int | None) -> Literal["needs_age"] | None:
    """A fever whose meaning hangs on an age nobody gave: the dialogue asks once."""
    return "needs_age" if measured.needs_age(Talk(counted(joined(turns)), age_days)) else None
