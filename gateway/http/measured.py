"""GET /api/v1/conversations/{conversation}/calls: the last calls, and how they went in numbers."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from gateway.http.ask import Ask, answer
from gateway.store import calls as rows
from signaling.protocol import LineQuality

CALLS = 5


class Turn(BaseModel):
    turn: int
    parts_ms: dict[str, float]
    response_ms: float


class OneCall(BaseModel):
    call: str
    started_at: str
    ended_at: str | None
    reason: str | None
    turns: list[Turn]
    waterfall: dict[str, dict[str, Any]] = Field(description="steps of the join by who measured them")
    lines: dict[str, dict[str, LineQuality]] = Field(
        description="means over the call, by party and end; once it is over"
    )


class Calls(BaseModel):
    calls: list[OneCall]


async def of(ask: Ask) -> web.StreamResponse:
    """For staff who may see the conversation; newest first."""
    state = await ask.gateway.chat.state(ask.person, ask.part("conversation"))
    async with ask.gateway.store.read() as connection:
        found = await rows.latest_of(connection, state.id, CALLS)
        turns = {row["id"]: await rows.turns_of(connection, row["id"]) for row in found}
    return answer(Calls(calls=[_shown(row, turns[row["id"]]) for row in found]))


def _shown(row: Any, turns: Any) -> OneCall:
    lines = {
        party: {
            end: LineQuality(**{name: numbers.get(name) for name in LineQuality.model_fields})
            for end, numbers in ends.items()
        }
        for party, ends in row["stats"].get("lines", {}).items()
    }
    return OneCall(
        call=row["id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        reason=row["reason"],
        turns=[Turn(turn=t["turn"], parts_ms=t["parts_ms"], response_ms=t["response_ms"]) for t in turns],
        waterfall=row["waterfall"],
        lines=lines,
    )
