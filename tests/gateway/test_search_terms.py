"""What is indexed can be asked for."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.search_terms import Wanted, snippet, terms, wanted, words

chinese = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12)
latin = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
mixed = st.lists(chinese | latin, min_size=1, max_size=6).map(" ".join)


def holds(text: str, want: Wanted) -> bool:
    """What the database's query does."""
    index = terms(text)
    return all(t in index for t in want.exact) and all(any(t.startswith(b) for t in index) for b in want.beginnings)


@given(mixed, st.data())
def test_every_run_of_a_text_finds_it(text: str, data: st.DataObject) -> None:
    run = data.draw(st.sampled_from(text.split()))
    start = data.draw(st.integers(0, len(run) - 1))
    piece = run[start : data.draw(st.integers(start + 1, len(run)))] if not run.isascii() else run[: start + 2]
    assert holds(text, wanted(piece))


@given(mixed, chinese)
def test_a_pair_that_is_not_there_finds_nothing(text: str, query: str) -> None:
    if len(query) == 2 and query not in text:
        assert not holds(text, wanted(query))


def test_two_characters_and_one() -> None:
    text = "宝宝对奶粉过敏，ＡＰＴＡＭＩＬ 段数2怎么选"
    assert [holds(text, wanted(q)) for q in ("奶粉", "过敏", "敏", "aptamil", "Apt", "奶粉过敏", "段数2")] == [True] * 7
    assert [holds(text, wanted(q)) for q in ("奶瓶", "粉奶", "tamil", "宝粉")] == [False] * 4


def test_nothing_but_signs_is_no_query() -> None:
    assert not wanted("  ，。!?_ ")
    assert len(wanted("一二三四五六七八九十百千万").exact) == 8


def test_words_of_each_body() -> None:
    assert words({"kind": "voice", "transcript": "她哭了", "file": {"name": "note.m4a"}}) == "她哭了 note.m4a"
    assert words({"kind": "product", "name": "纸尿裤", "facts": "NB 码"}) == "纸尿裤 NB 码"


@given(st.text(max_size=300), st.text(min_size=1, max_size=20))
def test_snippets_are_short(text: str, query: str) -> None:
    assert len(snippet(text, query)) <= 122


def test_a_snippet_shows_the_place() -> None:
    assert "黄疸" in snippet("早" * 200 + "黄疸" + "晚" * 200, "黄疸")
