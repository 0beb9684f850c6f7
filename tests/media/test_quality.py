"""What a line is worth: the E-model's published points, and the laws any estimate must keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.quality import BEST_R, Count, Line, Meter, between, delay_impairment, mos

ratios = st.floats(0, 1)
seconds = st.floats(0, 2)
lines = st.builds(Line, ratios, st.floats(0, 0.5), st.none() | seconds)
counts = st.builds(Count, st.integers(0, 10_000), st.integers(0, 500), st.floats(0, 0.5), st.none() | seconds)


@pytest.mark.parametrize(
    ("r", "published"),
    [(50, 2.58), (60, 3.10), (70, 3.60), (80, 4.03), (90, 4.34), (BEST_R, 4.41), (100, 4.5), (-5, 1)],
)
def test_the_points_of_annex_b(r: float, published: float) -> None:
    assert mos(r) == pytest.approx(published, abs=0.01)


def test_delay_as_in_g_107() -> None:
    """The curve of G.107: nothing at 100 ms, about 3.5 at 200 and 22 at 400 without echo."""
    assert delay_impairment(0.1) == 0
    assert delay_impairment(0.2) == pytest.approx(3.05, abs=0.5)
    assert delay_impairment(0.4) == pytest.approx(24, abs=2)


def test_a_good_and_a_bad_line() -> None:
    assert Line(0, 0.002, 0.04).mos == pytest.approx(4.41, abs=0.01)
    assert Line(0.05, 0.02, 0.1).mos == pytest.approx(3.92, abs=0.01)  # Ie,eff 15.8, R 77.4, by hand
    assert Line(0.2, 0.03, 0.3).mos < 2.6


@given(lines)
def test_within_its_scale(line: Line) -> None:
    assert 1 <= line.mos <= 4.42


@given(lines, ratios, seconds, seconds)
def test_worse_is_never_better(line: Line, loss: float, jitter: float, trip: float) -> None:
    worse = Line(max(line.loss, loss), line.jitter + jitter, (line.round_trip or 0) + trip)
    assert worse.mos <= line.mos + 1e-9


@given(counts, counts)
def test_loss_is_of_what_was_due(before: Count, now: Count) -> None:
    line = between(before, now)
    if now.received < before.received:
        assert line is None
    if line is not None:
        assert 0 <= line.loss <= 1
        due = now.received - before.received + max(0, now.lost - before.lost)
        assert line.loss * due == pytest.approx(max(0, now.lost - before.lost))


@given(st.lists(counts, min_size=2, max_size=20))
def test_a_meter_is_the_mean_of_its_readings(read: list[Count]) -> None:
    meter, seen = Meter(), list[Line]()
    for count in read:
        meter = meter.read(count)
        if meter.last:
            seen.append(meter.last)
    assert meter.readings == len(seen)
    if seen:
        assert meter.mos == pytest.approx(sum(line.mos for line in seen) / len(seen))
        assert meter.loss == pytest.approx(sum(line.loss for line in seen) / len(seen))
        assert meter.worst_mos == pytest.approx(min(line.mos for line in seen))
    timed = [line.round_trip for line in seen if line.round_trip is not None]
    assert meter.round_trip == (pytest.approx(sum(timed) / len(timed), abs=1e-9) if timed else None)


def test_another_connection_counts_from_nothing() -> None:
    meter = Meter().read(Count(100, 0, 0)).read(Count(150, 0, 0)).moved()
    assert meter.read(Count(400, 300, 0)).readings == 1
