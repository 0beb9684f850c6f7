"""`check`: the customer's lines → the gravest red flag, or none. Deterministic, no I/O."""

from collections.abc import Iterator, Sequence
from typing import Literal

from gateway.dialogue.ports import Action, RedFlag
from gateway.dialogue.safety import facts, measured
from gateway.dialogue.safety.normal import counted, plain
from gateway.dialogue.safety.rules import ACTIONS, RULES, Talk, found

MAX_TURNS = 50
MAX_EARLIER_CHARS = 2_000
_GRAVITY = (Action.CALL_120, Action.HUMAN_NOW, Action.ER_NOW)


def _joined(turns: Sequence[str]) -> str:
    """The last line whole; earlier lines, already checked when they were new, as far as they may still join it."""
    lines = [plain(turn) for turn in turns[-MAX_TURNS:] if turn]
    earlier = "。".join(lines[:-1])[-MAX_EARLIER_CHARS:]
    return "。".join(part.strip("。") for part in (earlier, *lines[-1:]) if part)


def _flags(turns: Sequence[str], age_days: int | None) -> Iterator[RedFlag]:
    """Read twice: sentence by sentence, and as one breath, for a thought may be sent in pieces."""
    sentences = _joined(turns)
    for text in dict.fromkeys((sentences, sentences.replace("。", ","))):
        numbers = Talk(counted(text), age_days)
        for measure in measured.MEASURES:
            if reading := measure(numbers):
                yield RedFlag(reading.sign, ACTIONS[reading.sign], reading.why)
        said = facts.ages(numbers.text)
        talk = Talk(text, int(said[-1].value) if said else age_days)
        for rule in RULES:
            if found(rule, talk):
                yield RedFlag(rule.sign, ACTIONS[rule.sign], rule.why)


def check(turns: Sequence[str], age_days: int | None) -> RedFlag | None:
    """`turns`: the customer's lines since a person last cleared a flag, oldest first. `age_days`: from the card.

    Of several signs the one whose action is gravest, then the one whose table stands first.
    """
    flags = list(_flags(turns, age_days))
    return min(flags, key=lambda flag: _GRAVITY.index(flag.action)) if flags else None


def question(turns: Sequence[str], age_days: int | None) -> Literal["needs_age"] | None:
    """A fever whose meaning hangs on an age nobody gave: the dialogue asks once."""
    return "needs_age" if measured.needs_age(Talk(counted(_joined(turns)), age_days)) else None
