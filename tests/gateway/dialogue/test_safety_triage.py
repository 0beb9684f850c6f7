"""`nestcall triage`: one answer per line, in order; a bad line is answered and passed."""

import json

from typer.testing import CliRunner

from gateway.cli import build
from gateway.commands.triage import Trouble, Verdict, triage


def test_each_line_is_answered_in_order_and_a_bad_one_does_not_stop_the_rest() -> None:
    lines = [
        '{"turns": ["宝宝没呼吸了"]}'.encode(),
        b"not json",
        b"",
        b'{"turns": []}',
        b'{"turns": ["hi"], "age_days": 3}',
    ]
    first, second, third, last = triage(lines)
    assert isinstance(first, Verdict)
    assert (first.sign, first.action) == ("S05", "CALL_120")
    assert isinstance(second, Trouble)
    assert second.line == 2
    assert isinstance(third, Trouble)
    assert third.line == 4
    assert last == Verdict(sign=None, action=None, why=None)


def test_the_command_streams_and_tells_by_its_exit_code() -> None:
    good = CliRunner().invoke(build(), ["triage"], input='{"turns": ["宝宝二十天", "三十八度二"]}\n')
    assert good.exit_code == 0
    assert json.loads(good.stdout)["sign"] == "S01"
    bad = CliRunner().invoke(build(), ["triage"], input='{"turns": "x"}\n{"turns": ["不想活了"]}\n')
    assert bad.exit_code == 2
    assert json.loads(bad.stdout.splitlines()[1])["action"] == "HUMAN_NOW"


def test_a_byte_order_mark_alone_is_an_empty_line_and_a_whole_number_may_have_a_point() -> None:
    (only,) = triage([b"\xef\xbb\xbf\n", '{"turns": ["发烧三十八度二"], "age_days": 20.0}'.encode()])
    assert only.sign == "S01"


def test_a_line_that_was_not_judged_has_every_field() -> None:
    (only,) = triage([b'{"turns": ["hi"], "age_days": 1.5}'])
    assert only.model_dump().keys() == {"sign", "action", "why", "error", "line"}
