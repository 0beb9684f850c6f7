"""Import and export: what goes out comes back, and a bad row is named without losing the good ones."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.knowledge import CATEGORIES, Entry
from gateway.dialogue.knowledge.exchange import Told, parse_csv, parse_json, to_csv, to_json
from gateway.store.knowledge import demo_entries

plain = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="|'"), min_size=1, max_size=20)


entry = st.builds(
    Entry,
    id=plain,
    question=plain,
    answer=plain,
    phrasings=st.lists(plain).map(tuple),
    category=st.sampled_from(CATEGORIES),
    sensitive=st.booleans(),
)


@given(st.lists(entry, unique_by=lambda e: e.id, max_size=5))
def test_both_formats_bring_back_what_they_took(entries: list[Entry]) -> None:
    assert parse_json(to_json(entries)) == (entries, [])
    assert parse_csv(to_csv(entries)) == (entries, [])


def test_the_demo_survives_a_spreadsheet() -> None:
    assert parse_csv(to_csv(demo_entries())) == (demo_entries(), [])


def test_bad_rows_are_named_and_good_ones_kept() -> None:
    lines = [
        "id,question,answer,category,valid_to",
        "a,几点开门,九点,appointment,",
        ",没有编号,x,shopping,",
        "c,日期错,x,shopping,2026-13-01",
        "a,重复,x,shopping,",
        "d,类别错,x,nonsense,",
    ]
    entries, faults = parse_csv("\n".join(lines))
    assert [e.id for e in entries] == ["a"]
    assert [(f.row, f.field) for f in faults] == [(2, "id"), (3, "valid_to"), (4, "id"), (5, "category")]


def test_what_customers_are_told_has_an_answer() -> None:
    text = "id,question,answer,answer_en\na,有储物柜吗,,\nb,有储物柜吗,,Yes\n"
    entries, faults = parse_csv(text, Told)
    assert [e.id for e in entries] == ["b"]
    assert [(f.row, f.code) for f in faults] == [(1, "no_answer")]
    assert len(parse_csv(text)[0]) == 2  # for scoring


def test_a_formula_leaves_as_text() -> None:
    csv = to_csv([Entry("a", "=1+1", "@cmd")])
    assert "'=1+1" in csv
    assert "'@cmd" in csv


def test_not_json_is_one_fault() -> None:
    assert [f.field for f in parse_json("{")[1]] == ["file"]
    assert [f.field for f in parse_json('{"a": 1}')[1]] == ["file"]
