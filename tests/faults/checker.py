"""PURE: what must be true of every run, whatever was broken in it. Knows nothing of the gateway's inside."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Sent:
    """A message one sender (a device, one in flight) invoked. `seq`: what the ack said; None: not acknowledged."""

    conversation: str
    sender: str
    text: str
    seq: int | None = None


@dataclass(frozen=True)
class Seen:
    """An event as one reader got it. `digest` covers kind, sender and body."""

    seq: int
    text: str
    digest: str


@dataclass
class Run:
    """`history`: the log as read at the end. `received`: in arrival order, by (reader, conversation)."""

    sent: list[Sent] = field(default_factory=list)
    history: dict[str, list[Seen]] = field(default_factory=dict)
    received: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)


@dataclass(frozen=True)
class Violation:
    law: str
    conversation: str
    what: str


def check(run: Run) -> list[Violation]:
    found: list[Violation] = []
    for conversation, history in run.history.items():
        found += gapless(conversation, history)
        found += once([sent for sent in run.sent if sent.conversation == conversation], conversation, history)
    for (reader, conversation), seen in run.received.items():
        found += complete(reader, conversation, seen, run.history[conversation])
    return [*found, *ordered(run.sent)]


def gapless(conversation: str, history: list[Seen]) -> Iterable[Violation]:
    seqs = [seen.seq for seen in history]
    if seqs != list(range(1, len(seqs) + 1)):
        yield Violation("gapless", conversation, f"{len(seqs)} events, last seq {seqs[-1] if seqs else 0}")


def once(sent: list[Sent], conversation: str, history: list[Seen]) -> Iterable[Violation]:
    """Acknowledged: exactly once, at the seq of the ack. Not acknowledged: at most once."""
    count = Counter(seen.text for seen in history if seen.text)
    at = {seen.text: seen.seq for seen in history if seen.text}
    for one in sent:
        times = count[one.text]
        if times > 1:
            yield Violation("doubled", conversation, f"{one.text}: {times} times")
        elif one.seq is not None and times == 0:
            yield Violation("lost", conversation, f"{one.text}: acknowledged as {one.seq}")
        elif one.seq is not None and at[one.text] != one.seq:
            yield Violation("moved", conversation, f"{one.text}: acknowledged as {one.seq}, stored as {at[one.text]}")


def complete(reader: str, conversation: str, seen: list[Seen], history: list[Seen]) -> Iterable[Violation]:
    """Every seq, once, in order, and the same content everybody got."""
    seqs = [one.seq for one in seen]
    if seqs != [one.seq for one in history]:
        yield Violation("received", conversation, f"{reader}: {first_difference(seqs, len(history))}")
    stored: Mapping[int, str] = {one.seq: one.digest for one in history}
    for one in seen:
        if stored.get(one.seq) != one.digest:
            yield Violation("differs", conversation, f"{reader}: seq {one.seq}")


def first_difference(seqs: list[int], last: int) -> str:
    for expected, seq in enumerate(seqs, 1):
        if seq != expected:
            return f"expected seq {expected}, got {seq}"
    return f"stopped at {len(seqs)} of {last}"


def ordered(sent: list[Sent]) -> Iterable[Violation]:
    """One sender's messages lie in the log in the order she sent them."""
    last: dict[tuple[str, str], Sent] = {}
    for one in sent:
        if one.seq is None:
            continue
        before = last.get((one.conversation, one.sender))
        if before is not None and before.seq is not None and before.seq >= one.seq:
            yield Violation("order", one.conversation, f"{before.text} at {before.seq}, {one.text} at {one.seq}")
        last[one.conversation, one.sender] = one
