"""The laws of the audio jitter buffer, for any order the line delivers."""

from hypothesis import given
from hypothesis import strategies as st

from media.jitter import FIRST_PATIENCE, MAX_LOST, MAX_PATIENCE, MIN_PATIENCE, SURE, Arrived, JitterBuffer, Lost, Slot

lines = st.lists(st.integers(0, 300), min_size=1, max_size=400)
starts = st.integers(0, 0xFFFF)


def _play(sequence: list[int], start: int) -> list[list[Slot]]:
    buffer = JitterBuffer()
    return [buffer.push((start + n) & 0xFFFF, n.to_bytes(4, "big")) for n in sequence]


@given(lines, starts)
def test_slots_run_forwards_and_packets_come_out_once(sequence: list[int], start: int) -> None:
    out = [slot for batch in _play(sequence, start) for slot in batch]
    numbers = [slot.sequence for slot in out]
    assert all(a < b for a, b in zip(numbers, numbers[1:], strict=False))
    played = [slot.payload for slot in out if isinstance(slot, Arrived)]
    assert len(played) == len(set(played))


@given(lines, starts)
def test_nothing_waits_behind_more_than_the_greatest_patience(sequence: list[int], start: int) -> None:
    buffer = JitterBuffer()
    for n in sequence:
        buffer.push((start + n) & 0xFFFF, b"x")
        assert len(buffer._waiting) < MAX_PATIENCE
        assert MIN_PATIENCE <= buffer.patience <= MAX_PATIENCE


@given(st.integers(1, 500), starts)
def test_without_loss_every_packet_passes_at_once(length: int, start: int) -> None:
    for n, batch in enumerate(_play(list(range(length)), start)):
        assert [slot.payload for slot in batch if isinstance(slot, Arrived)] == [n.to_bytes(4, "big")]


@given(st.integers(5, 100), st.integers(1, 40), starts)
def test_one_hole_costs_patience_and_no_lasting_delay(before: int, hole: int, start: int) -> None:
    sequence = [*range(before), *range(before + hole, before + hole + 50)]
    batches = _play(sequence, start)
    late = batches[before + FIRST_PATIENCE :]
    assert all(len(batch) == 1 and isinstance(batch[0], Arrived) for batch in late)
    lost = [slot for batch in batches for slot in batch if isinstance(slot, Lost)]
    assert len(lost) == min(hole, MAX_LOST)
    assert lost[-1].following == (before + hole).to_bytes(4, "big")


def test_reordering_teaches_patience_and_calm_takes_it_back() -> None:
    buffer = JitterBuffer()
    for n in (0, 2, 3, 1):
        buffer.push(n, b"x")
    assert buffer.late == 1
    assert buffer.patience == FIRST_PATIENCE + 1
    for n in range(4, 1200):
        buffer.push(n, b"x")
    assert buffer.patience == FIRST_PATIENCE


@given(st.integers(1, 5), starts)
def test_a_line_that_only_loses_is_not_waited_for(run: int, start: int) -> None:
    buffer = JitterBuffer()
    sent = [n for n in range(4 * SURE * (run + 1)) if n % (run + 3) >= run]  # a hole of `run`, three packets, a hole …
    for n in sent:
        buffer.push((start + n) & 0xFFFF, b"x")
    assert buffer.patience == MIN_PATIENCE
    after = sent[-1] + 1 + run
    assert isinstance(buffer.push((start + after) & 0xFFFF, b"x")[-1], Arrived)


def test_a_packet_that_was_late_after_all_is_waited_for_again() -> None:
    buffer = JitterBuffer()
    for n in range(0, 4 * SURE * 2, 2):
        buffer.push(n, b"x")
    assert buffer.patience == MIN_PATIENCE
    buffer.push(4 * SURE * 2 - 3, b"x")
    assert buffer.patience == MIN_PATIENCE + 1


def test_a_new_stream_starts_afresh() -> None:
    buffer = JitterBuffer()
    buffer.push(10, b"old")
    assert buffer.push(20_000, b"new") == [Arrived(20_000, b"new")]
