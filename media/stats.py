"""PURE: the waterfall of one turn: where the time went between the end of her speech and our first sound."""

from collections.abc import Mapping

from media.ports import TurnNote

PARTS = ("endpointing", "transcription", "first_token", "first_audio", "playout")
"""Each ends where the next begins: turn taken as over, final words there, first text of the reply, first audio of it,
first audible sample left."""


def waterfall(turn: int, ended: float, marks: Mapping[str, float]) -> TurnNote:
    """`ended`: end of her speech; `marks`: when each part was over; both seconds on the one clock of the call.

    A step done speculatively was over before its turn came: it then takes no time. `response_ms` runs to the last
    mark, and the parts add up to it.
    """
    parts, at = dict[str, float](), ended
    for part in PARTS:
        then = max(at, marks.get(part, at))
        parts[part] = (then - at) * 1000
        at = then
    return TurnNote(turn, parts, sum(parts.values()))
