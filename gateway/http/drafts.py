"""POST /api/v1/drafts/check: what an advisor is warned about. Nothing is blocked: the advisor decides."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from gateway.dialogue.safety.drafts import warnings
from gateway.http.ask import Ask, answer
from signaling.protocol import MAX_TEXT_CHARS


class Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)]


class Concern(BaseModel):
    """`words` of the draft, and why: diagnosis, drug, dose, breast_milk_claim or formula_push."""

    concern: str
    words: str


class Checked(BaseModel):
    concerns: tuple[Concern, ...]


async def check(ask: Ask) -> web.StreamResponse:
    text = (await ask.read(Draft)).text
    found = (Concern(concern=one.concern, words=text[one.start : one.end]) for one in warnings(text))
    return answer(Checked(concerns=tuple(found)))
