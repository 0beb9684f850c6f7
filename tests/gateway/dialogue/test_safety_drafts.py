"""No diagnosis, no prescription drug, no dose, no marketing of first formula: what must and must not be caught."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.safety.drafts import Concern, spoken_safely, warnings

PROBES: dict[str, list[str]] = json.loads(Path(__file__).with_name("drafts_probes.json").read_text(encoding="utf-8"))
KINDS = {
    "diagnosis": Concern.DIAGNOSIS,
    "drugs": Concern.DRUG,
    "doses": Concern.DOSE,
    "claims": Concern.BREAST_MILK_CLAIM,
    "pushes": Concern.FORMULA_PUSH,
}


def concerns(text: str) -> set[Concern]:
    return {warned.concern for warned in warnings(text)}


@pytest.mark.parametrize("kind", KINDS)
def test_each_probe_is_caught_and_never_said(kind: str) -> None:
    for text in PROBES[kind]:
        assert KINDS[kind] in concerns(text), text
        assert spoken_safely(text, "zh") != text


def test_facts_and_referrals_pass() -> None:
    for text in PROBES["fine"]:
        assert warnings(text) == [], text
        assert spoken_safely(text, "zh") == text


def test_there_are_a_hundred_probes() -> None:
    assert sum(len(PROBES[kind]) for kind in KINDS) >= 100


def test_what_is_said_instead_is_itself_clean() -> None:
    for text in (PROBES["diagnosis"][0], PROBES["claims"][0]):
        for language in ("zh", "en"):
            assert warnings(spoken_safely(text, language)) == []


def test_the_place_is_the_words() -> None:
    [warned] = warnings("您好,这是湿疹")
    assert "您好,这是湿疹"[warned.start : warned.end] == "这是湿疹"


@given(st.text(max_size=600))
def test_any_text_is_read(text: str) -> None:
    for warned in warnings(text):
        assert 0 <= warned.start < warned.end <= len(text)


@pytest.mark.parametrize("text", ["Stage 1 formula, buy one get one free", "Stage 1 formula: 20 % off today"])
def test_a_comma_hides_no_offer(text: str) -> None:
    assert Concern.FORMULA_PUSH in concerns(text)


@pytest.mark.parametrize("text", ["Stage 1 formula is 268 yuan, feel free to ask", "Stage 1 formula is not on sale"])
def test_a_price_and_a_courtesy_offer_nothing(text: str) -> None:
    assert concerns(text) == set()
