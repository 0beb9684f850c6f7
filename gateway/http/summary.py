"""GET /api/v1/conversations/{conversation}/summary: what an advisor who takes over should know, in a few lines."""

from aiohttp import web
from pydantic import BaseModel

from gateway.dialogue.llm.memory import summary
from gateway.http.ask import Ask, answer
from gateway.reading import said

LINES = 100


class Summary(BaseModel):
    summary: str


async def of(ask: Ask) -> web.StreamResponse:
    """For staff who may see the conversation; the text is hers, put together without a model."""
    page = await ask.gateway.chat.history(ask.person, ask.part("conversation"), before=2**53 - 1, limit=LINES)
    return answer(Summary(summary=summary(tuple(said(list(page.events))), ask.person.language)))
