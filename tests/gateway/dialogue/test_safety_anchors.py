"""A sieve may let too much through, never too little."""

import json
import re
from pathlib import Path

import pytest

from gateway.dialogue.safety.anchors import Sieve, needs
from gateway.dialogue.safety.check import joined
from gateway.dialogue.safety.normal import counted
from gateway.dialogue.safety.rules import RULES

SETS = [Path(__file__).with_name(f"redflags_{name}.jsonl") for name in ("dev", "strangers")]
TEXTS = [
    joined(json.loads(line)["turns"]) for path in SETS for line in path.read_text(encoding="utf-8").splitlines()[::7]
]
PATTERNS = list(
    {pattern for rule in RULES for group in (rule.find, *rule.also, *rule.about) for _, pattern in group.patterns}
)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("电池|磁铁", "吞了磁铁"),
        ("(?:没|不)(?:了)?呼吸", "不呼吸"),
        ("(?:ab)?c", "c"),
        ("(?:ab){2,}", "abab"),
        ("(?=x)[a-z]+", "xyz"),
        ("a(?:|b)c", "ac"),
        ("[^a]b", "cb"),
        ("(?:ab|c)?+d", "d"),
        (".*", ""),
    ],
)
def test_what_a_pattern_matches_is_let_through(pattern: str, text: str) -> None:
    assert Sieve([re.compile("nowhere"), re.compile(pattern)]).candidates(text) == 2


def test_needs_are_read_from_the_pattern() -> None:
    assert needs(re.compile("(?:没|不)了?呼吸[^。]{0,9}紫|停")) == [{"没呼吸", "不呼吸", "没了呼", "不了呼", "停"}]
    assert needs(re.compile("x?")) == []


def test_no_finding_of_the_tables_is_lost() -> None:
    sieve = Sieve(PATTERNS)
    for text in TEXTS:
        for read in (text, counted(text)):
            may = sieve.candidates(read)
            lost = [p.pattern for n, p in enumerate(PATTERNS) if not may >> n & 1 and p.search(read)]
            assert lost == [], read


def test_most_patterns_are_spared() -> None:
    sieve = Sieve(PATTERNS)
    asked = [sieve.candidates(text).bit_count() for text in TEXTS]
    assert sum(asked) / len(asked) < len(PATTERNS) / 10
