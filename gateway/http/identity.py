"""Coming in and going out: sign-in links, signed identities, guests."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from gateway.errors import BadInput
from gateway.http import auth
from gateway.http.ask import Ask, answer
from gateway.http.pages import home_of, sentence
from gateway.store import people
from signaling.protocol import Id, Language, Me


class Identity(BaseModel):
    """Either the shop's signed token, or `guest`."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=4_000)] | None = None
    guest: bool = False
    store: Id | None = None
    language: Language = "zh"


class Session(BaseModel):
    token: str
    person: Me
    conversation: str


async def start(ask: Ask) -> web.StreamResponse:
    """POST /api/v1/sessions. The token also comes as the cookie."""
    identity = await ask.read(Identity)
    if identity.token is not None:
        await ask.turnstile.pass_(ask.request, "identity", 6_000)
        found = await auth.by_identity(ask.gateway, identity.token)
    elif identity.guest:
        await ask.turnstile.pass_(ask.request, "guest", 120)
        found = await auth.as_guest(ask.gateway, identity.store, identity.language)
    else:
        raise BadInput(detail="give `token`, or `guest`: true")
    person, token, conversation = found
    response = answer(Session(token=token, person=person.me(), conversation=conversation.id), 201)
    auth.set_cookie(ask.gateway, response, token)
    return response


async def end(ask: Ask) -> web.StreamResponse:
    """DELETE /api/v1/sessions: sign out; the token is worth nothing from here on, and what it opened is closed."""
    found = auth.credentials(ask.request)
    assert found is not None
    await ask.gateway.store.write(lambda connection: people.end_session(connection, found.token))
    ask.gateway.switchboard.signed_out(found.token)
    response = web.Response(status=204)
    response.del_cookie(auth.COOKIE, path="/")
    return response


async def me(ask: Ask) -> web.StreamResponse:
    return answer(ask.person.me())


async def sign_in(ask: Ask) -> web.StreamResponse:
    """GET /sign-in?code=…: once."""
    await ask.turnstile.pass_(ask.request, "sign-in", 60)
    found = await auth.by_code(ask.gateway, ask.request.query.get("code", "")[:200])
    if found is None:
        return sentence(410, "这个登录链接已经用过或已过期。This sign-in link was used already, or is too old.")
    person, token = found
    if person.role == "customer" and person.store:
        await ask.gateway.chat.conversation_for(person, person.store)
    response = web.Response(status=303, headers={"Location": home_of(person)})
    auth.set_cookie(ask.gateway, response, token)
    return response
