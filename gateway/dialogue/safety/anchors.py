"""Which of many patterns may match in a text: each needs certain letters, and most texts lack them. PURE.

A pattern's needs are clauses of grams (1–3 characters in a row): a text it matches holds at least one gram of each
clause. They are read from the parsed pattern, so nobody has to keep them; what cannot be read is always a candidate.
"""

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from re import _parser  # type: ignore[attr-defined]  # the only reader of patterns there is; see test_safety_anchors
from typing import Any

Clause = frozenset[str]
GRAM = 3
LAYERS = 3
"""Clauses of a pattern that are asked for: more cost more than they spare."""
_MANY = 300


def _strings(items: Iterable[tuple[Any, Any]]) -> set[str] | None:
    """All the strings the items match, where they are few and nothing else matters."""
    found = {""}
    for item in items:
        ends = _strings_of(*item)
        if ends is None or len(found) * len(ends) > _MANY:
            return None
        found = {start + end for start in found for end in ends}
    return found


def _strings_of(op: Any, value: Any) -> set[str] | None:
    match str(op), value:
        case "LITERAL", code:
            return {chr(code)}
        case "IN", members:
            codes = [code for kind, code in members if str(kind) == "LITERAL"]
            return {chr(code) for code in codes} if len(codes) == len(members) else None
        case "SUBPATTERN", [*_, inner]:
            return _strings(inner)
        case "BRANCH", [_, options]:
            each = [_strings(option) for option in options]
            known = [strings for strings in each if strings is not None]
            return set().union(*known) if len(known) == len(each) else None
        case (("MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT"), [0, 1, inner]):
            strings = _strings(inner)
            return None if strings is None else strings | {""}
        case (("AT" | "ASSERT" | "ASSERT_NOT"), _):
            return {""}
        case _:
            return None


def _cost(clause: Clause) -> float:
    """How often a text holds one of these by chance, roughly: Latin letters are fewer and each is commoner."""
    return sum((30.0 if gram[0] < "一" else 1.0) * 0.125 ** (len(gram) - 1) for gram in clause)


def _needs(items: Iterable[tuple[Any, Any]]) -> list[Clause]:
    """The rarest clause first."""
    clauses: list[Clause] = []
    run = {""}

    def close() -> None:
        nonlocal run
        if "" not in run:
            clauses.append(frozenset(string[:GRAM] for string in run))
        run = {""}

    for op, value in items:
        strings = _strings_of(op, value)
        if strings is not None and len(run) * len(strings) <= _MANY:
            run = {start + end for start in run for end in strings}
            continue
        close()
        if strings is not None:
            run = strings
        else:
            clauses += _needs_of(op, value)
    close()
    return sorted(clauses, key=_cost)


def _needs_of(op: Any, value: Any) -> list[Clause]:
    match str(op), value:
        case "SUBPATTERN", [*_, inner]:
            return _needs(inner)
        case "ATOMIC_GROUP", inner:
            return _needs(inner)
        case "BRANCH", [_, options]:
            return [frozenset[str]().union(*layer) for layer in zip(*map(_needs, options), strict=False)]
        case (("MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT"), [least, _, inner]) if least > 0:
            return _needs(inner)
    return []


def needs(pattern: re.Pattern[str]) -> list[Clause]:
    return _needs(_parser.parse(pattern.pattern, pattern.flags))[:LAYERS]


def grams(text: str) -> set[str]:
    return {text[at : at + length] for length in range(1, GRAM + 1) for at in range(len(text) - length + 1)}


class Sieve:
    """Bit `n` of a mask stands for pattern `n`."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        everything = (1 << len(patterns)) - 1
        self._layers = [(dict[str, int](), everything) for _ in range(LAYERS)]
        for number, pattern in enumerate(patterns):
            for layer, clause in enumerate(needs(pattern)):
                holders, rest = self._layers[layer]
                self._layers[layer] = holders, rest & ~(1 << number)
                for gram in clause:
                    holders[gram] = holders.get(gram, 0) | 1 << number

    def candidates(self, text: str) -> int:
        """The patterns that may match in `text`; the others cannot."""
        present, mask = grams(text), -1
        for holders, rest in self._layers:
            mask &= reduce(or_, map(holders.__getitem__, holders.keys() & present), rest)
        return mask
