"""GET /api/v1/search: what this person may see, newest first, each result with the place to open."""

from functools import partial

from aiohttp import web
from pydantic import BaseModel

from gateway.errors import BadInput
from gateway.http.ask import Ask, answer
from gateway.search_terms import MAX_QUERY_CHARS, snippet, wanted
from gateway.store import search
from gateway.store.search import Cursor, Found

PAGE = 20
PER_MINUTE = 240


class Hit(BaseModel):
    conversation: str
    seq: int
    kind: str
    role: str
    sender: str
    at: str
    customer_name: str
    snippet: str


class Hits(BaseModel):
    """`next`: what to give as `cursor` for the following page."""

    items: tuple[Hit, ...]
    next: str | None = None


async def find(ask: Ask) -> web.StreamResponse:
    """?q=…&conversation=…&cursor=…&limit=…"""
    await ask.turnstile.pass_(ask.request, "search", PER_MINUTE)
    query = ask.request.query.get("q", "")[:MAX_QUERY_CHARS]
    limit = ask.number("limit", low=1, high=100) or PAGE
    want = wanted(query)
    if not want:
        return answer(Hits(items=()))
    found = await ask.gateway.store.look(
        partial(
            search.find,
            person=ask.person,
            want=want,
            conversation=ask.request.query.get("conversation", "").replace("\0", "") or None,
            after=cursor_of(ask.request.query.get("cursor")),
            limit=limit,
        )
    )
    following = cursor_text(found[-1]) if len(found) == limit else None
    return answer(Hits(items=tuple(hit(one, query) for one in found), next=following))


def hit(found: Found, query: str) -> Hit:
    names = ("conversation", "seq", "kind", "role", "sender", "at", "customer_name")
    return Hit(snippet=snippet(found.text, query), **{name: getattr(found, name) for name in names})


def cursor_text(found: Found) -> str:
    return f"{found.at}~{found.conversation}~{found.seq}"


def cursor_of(text: str | None) -> Cursor | None:
    if not text:
        return None
    at, _, rest = text.partition("~")
    conversation, _, seq = rest.partition("~")
    if not seq.isascii() or not seq.isdecimal() or len(seq) > 16:
        raise BadInput(detail="cursor: as given in `next`")
    return at, conversation, int(seq)
