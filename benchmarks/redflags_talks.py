"""The labelled talks the red flags' learned layer is trained on and measured by, each with its author."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.redflags import ROOT, SET
from gateway.dialogue.knowledge.concepts import lines
from gateway.dialogue.knowledge.topics import TABLES

STRANGERS = SET.with_name("redflags_strangers.jsonl")
WRITTEN = ROOT / "benchmarks/redflags_written.jsonl"
"""Talks and near misses by the hand that trains: English for its words, short cries for help."""
SHOP = ROOT / "gateway/demo"
BASES = ROOT / "benchmarks/bases"
EVERYDAY = ROOT / "benchmarks/redflags_everyday.txt"
OF_HEALTH = frozenset(
    {"engorged", "lowsupply", "fever", "cold", "vaccine", "spit_up", "constipation", "diarrhoea", "poo_colour"}
    | {"colic", "jaundice", "ears_nose", "cord", "allergens", "crying", "postpartum", "pregnancy", "carseat_crash"}
    | {"premature", "bottle_refusal", "special_formula", "nappy_rash", "heat_rash", "bump_head", "swallowed"}
    | {"rash_illness", "blw", "sticky_eye", "illness", "childproof", "firstaid_class", "milestones", "stairgate"}
    | {"teat_flow", "vitamins", "dummy", "dressing_safe", "mood", "safe", "daynight", "latch", "tummy_time"}
    | {"sleep_safe", "swaddle", "teething", "calcium", "fall", "eyes", "separation", "sibling", "warmer"}
    | {"sleep_night", "hospital_bag"}
)
"""Topics of the shop whose wordings may be dangers."""
CARDS = (None, 10, 60, None, 200, 600, 20)
"""Ages in days on the cards of those who ask: that a baby is young makes no question dangerous."""
ANSWER_CHARS = 4
"""A short answer ("yes", "2") is learned with each of them: it says so little that an age would weigh too much."""


@dataclass(frozen=True, slots=True)
class Case:
    author: str
    turns: tuple[str, ...]
    age_days: int | None
    sign: str | None


def talks(path: Path, author: str = "") -> list[Case]:
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Case(author or f"{row['round']}", tuple(row["turns"]), row.get("age_days"), row.get("sign")) for row in read
    ]


def _questions() -> list[Case]:
    """Everyday questions of the shop: none is a danger."""
    golden = [json.loads(line)["question"] for line in (SHOP / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    known = [entry for path in sorted(SHOP.glob("knowledge_*.json")) for entry in json.loads(path.read_text("utf-8"))]
    asked = [text for entry in known for text in (entry["question"], entry["question_en"], *entry["phrasings"])]
    every = [Case("shop", (text,), None, None) for text in [*golden, *asked]] + _foreign() + _everyday() + _wordings()
    return [
        replace(case, age_days=card)
        for at, case in enumerate(every)
        for card in (set(CARDS) if len(case.turns[0]) <= ANSWER_CHARS else (CARDS[at % len(CARDS)],))
    ]


def _wordings() -> list[Case]:
    """How customers put what retrieval knows as topics of a shop: situations more than questions."""
    told = [line.split(":", 1) for table in TABLES for line in lines(table)]
    return [
        Case("topics", (text.strip(),), None, None)
        for key, said in told
        if key not in OF_HEALTH
        for text in said.split("|")
    ]


def _foreign() -> list[Case]:
    """What customers of other shops ask."""
    shops = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(BASES.glob("*.json"))]
    entries = [
        text
        for shop in shops
        for row in shop.get("entries", ())
        for text in (row["question"], *row.get("phrasings", ()))
    ]
    asked = [row["question"] for shop in shops for row in shop["questions"]]
    return [Case("bases", (text,), None, None) for text in [*entries, *asked]]


def _everyday() -> list[Case]:
    """Appointments, orders, thanks, names, anger: what chat is made of."""
    return [Case("every", (text,), None, None) for text in EVERYDAY.read_text(encoding="utf-8").splitlines()]


def everything() -> list[Case]:
    return [*talks(SET), *talks(STRANGERS), *talks(WRITTEN), *_questions()]
