"""`check`: the customer's lines → the gravest red flag, or none. Deterministic, no I/O."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Literal

from gateway.dialogue.ports import Action, RedFlag
from gateway.dialogue.safety import context, facts, learned, measured
from gateway.dialogue.safety.normal import counted, plain
from gateway.dialogue.safety.rules import ACTIONS, RULES, Talk, found, touched

MAX_TURNS = 50
MAX_EARLIER_CHARS = 2_000
BREATH_CHARS = 500
_CLAUSE_END = re.compile(r"[,。;:!?…~\s]*[,。;:!?…~]\s*|(?<=[一-鿿])\s+|\s(?:and|but|also|so|then|anyway|btw|while)\s")
_OF_THE_YOUNG = ("S01", "S02")
_ORDER = tuple(ACTIONS)
_GRAVITY = (Action.CALL_120, Action.HUMAN_NOW, Action.ER_NOW)


def _lines(turns: Sequence[str]) -> list[str]:
    """The last line whole; earlier lines, already checked when they were new, as far as they may still join it."""
    lines = [line for line in [plain(turns[-1]).strip("。") if turns else ""] if line]
    room = MAX_EARLIER_CHARS
    for turn in turns[-2 : -MAX_TURNS - 1 : -1]:
        line = plain(turn).strip("。")[-room:]
        lines += [line] if line else []
        room -= len(line) + 1
        if room <= 0:
            break
    return lines[::-1]


def joined(turns: Sequence[str]) -> str:
    return "。".join(_lines(turns))


def _breath(sentences: list[str]) -> int:
    """How many of the last sentences are read as one."""
    lengths = accumulate(len(sentence) + 1 for sentence in reversed(sentences))
    return max(1, sum(length <= BREATH_CHARS for length in lengths))


def _talks(turns: Sequence[str], age_days: int | None) -> Iterator[tuple[Talk, Talk]]:
    """Read twice, each time plain and counted: by sentences, and the end as one breath, for a thought may be sent in
    pieces."""
    lines = _lines(turns)
    plainly, numbers = "。".join(lines), "。".join(map(counted, lines))
    age = facts.age(numbers, age_days)
    yield Talk(plainly, age), Talk(numbers, age_days)
    sentences = plainly.split("。")
    last = _breath(sentences)
    if last > 1:
        yield Talk(",".join(sentences[-last:]), age), Talk(",".join(numbers.split("。")[-last:]), age)


def _rank(sign: str) -> tuple[int, int]:
    return _GRAVITY.index(ACTIONS[sign]), _ORDER.index(sign)


_GRAVEST_FIRST = sorted(RULES, key=lambda rule: _rank(rule.sign))


def _flags(turns: Sequence[str], age_days: int | None, past: str) -> Iterator[RedFlag]:
    """Of each reading, what the numbers say and the gravest that the words say."""
    for talk, numbers in _talks(turns, age_days):
        for measure in measured.MEASURES:
            if (reading := measure(numbers)) and not _is_of(past, reading.sign):
                yield RedFlag(reading.sign, ACTIONS[reading.sign], reading.why)
        told = next((rule for rule in _GRAVEST_FIRST if not _is_of(past, rule.sign) and found(rule, talk)), None)
        if told:
            yield RedFlag(told.sign, ACTIONS[told.sign], told.why)


def _is_of(past: str, sign: str) -> bool:
    return bool(past) and sign.startswith(past)


def check(turns: Sequence[str], age_days: int | None, past: str = "") -> RedFlag | None:
    """`turns`: the customer's lines since a person last cleared a flag, oldest first. `age_days`: from the card.
    `past`: whose signs are looked past, "S" a baby's, "M" a mother's.

    Of several signs the one whose action is gravest; of those the cause before what it does (the order of
    actions.json): a choking child turns blue.
    """
    flag = flagged(turns, age_days, past)
    if past:
        return flag
    text = joined(turns)
    numbers = counted(text)
    age = facts.age(numbers, age_days)
    if flag:
        return None if learned.harmless(text, age) and _may_be_taken_back(turns, age_days) else flag
    return _beside_errands(turns[-1] if turns else "", age_days) or _hunch(text, numbers, age)


def _beside_errands(line: str, age_days: int | None) -> RedFlag | None:
    """A cry in a breath with a price asked for: things named next to it make it none of a thing."""
    clauses = _clauses(plain(line))
    cry = [clause for clause in clauses if not context.is_errand(clause)]
    if not cry or len(cry) == len(clauses) or not learned.doubtful(",".join(cry), age_days):
        return None
    return flagged([",".join(cry)], age_days)


def _may_be_taken_back(turns: Sequence[str], age_days: int | None) -> bool:
    """Not where a number says it or she tells two signs, and not where a piece of what she says alarms by itself and
    sounds like danger by itself: no question before or after a cry makes it smaller."""
    if any(
        (reading := measure(numbers)) and reading.exact
        for _, numbers in _talks(turns, age_days)
        for measure in measured.MEASURES
    ):
        return False
    if len({rule.sign for talk, _ in _talks(turns, age_days) for rule in RULES if found(rule, talk)}) > 1:
        return False
    return not any(learned.crying(piece, age_days) and flagged([piece], age_days) for piece in _pieces(joined(turns)))


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE_END.split(text) if clause]


def _pieces(text: str) -> list[str]:
    """Clauses, and each with the next."""
    clauses = _clauses(text)
    return clauses + [",".join(pair) for pair in pairwise(clauses)]


def flagged(turns: Sequence[str], age_days: int | None, past: str = "") -> RedFlag | None:
    """What the tables say."""
    return min(_flags(turns, age_days, past), key=lambda flag: _rank(flag.sign), default=None)


def _hunch(text: str, numbers: str, age: int | None) -> RedFlag | None:
    none_of = () if measured.may_be_young_and_ill(numbers, age) else _OF_THE_YOUNG
    sign = learned.hunch(text, age, surely_none_of=none_of, told=touched(text))
    return RedFlag(sign, ACTIONS[sign], "like talks of this sign") if sign else None


def question(turns: Sequence[str], age_days: int | None) -> Literal["needs_age"] | None:
    """A fever whose meaning hangs on an age nobody gave: the dialogue asks once."""
    return "needs_age" if measured.needs_age(Talk(counted(joined(turns)), age_days)) else None
