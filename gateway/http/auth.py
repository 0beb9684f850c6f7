"""Who is asking: a session token in the cookie or as bearer. Sign-in codes, signed identities and guests make one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from aiohttp import hdrs, web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.app import Gateway
from gateway.domain.conversation import Conversation
from gateway.domain.people import Person
from gateway.errors import BadInput, NotYours
from gateway.store import people
from gateway.store.schema import people as everybody
from gateway.store.schema import stores
from signaling.protocol import ErrorCode

COOKIE = "nestcall_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OUR_HEADER = "X-Nestcall"
"""Any value: a page of another origin cannot send it without asking us first (CORS), and we never agree."""
ADVISORS = select(func.count()).where(everybody.c.store == stores.c.id, everybody.c.role == "advisor").scalar_subquery()
"""Of a store."""


@dataclass(frozen=True, slots=True)
class Credentials:
    token: str
    cookie: bool


def credentials(request: web.Request) -> Credentials | None:
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return Credentials(bearer.strip(), cookie=False)
    cookie = request.cookies.get(COOKIE)
    return Credentials(cookie, cookie=True) if cookie else None


async def signed_in(gateway: Gateway, request: web.Request) -> Person | None:
    found = credentials(request)
    if found is None:
        return None
    if found.cookie and request.method not in SAFE_METHODS and not from_our_page(gateway, request):
        raise NotYours(ErrorCode.FORBIDDEN, f"a write with a cookie needs our own origin or the {OUR_HEADER} header")
    async with gateway.store.read() as connection:
        return await people.by_token(connection, found.token, clock.now())


def from_our_page(gateway: Gateway, request: web.Request) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        return allowed_origin(gateway, request, origin)
    return OUR_HEADER in request.headers


def allowed_origin(gateway: Gateway, request: web.Request, origin: str) -> bool:
    """Ours is the host the browser itself named; others only from the settings. Compared whole, never by prefix."""
    named = {*gateway.settings.allowed_origins, gateway.settings.public_url.rstrip("/")} - {""}
    if origin in named:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == request.host.lower()


def set_cookie(gateway: Gateway, response: web.StreamResponse, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(people.SESSION_S),
        httponly=True,
        samesite="Lax",
        secure=gateway.settings.public_url.startswith("https:"),
        path="/",
    )


# ---------------------------------------------------------------- ways in


async def by_code(gateway: Gateway, code: str) -> tuple[Person, str] | None:
    """(person, new token); None for a code that is used, old or made up."""

    async def job(connection: AsyncConnection) -> tuple[Person, str] | None:
        at = clock.now()
        person = await people.use_code(connection, code, at)
        return (person, await people.start_session(connection, person.id, at)) if person else None

    return await gateway.store.write(job)


async def as_guest(gateway: Gateway, store: str | None, language: str) -> tuple[Person, str, Conversation]:
    """A stranger: chats and calls, has no orders and no babies until a person adds them."""
    if not gateway.settings.guests:
        raise NotYours(ErrorCode.FORBIDDEN, "guests are not welcome here: a signed identity is needed")

    async def job(connection: AsyncConnection) -> tuple[Person, str]:
        chain, shop = await place(connection, store)
        name = "Guest" if language == "en" else "访客"
        at = clock.now()
        person = await people.add(
            connection, chain=chain, role="customer", name=name, store=shop, at=at, guest=True, language=language
        )
        return person, await people.start_session(connection, person.id, at)

    return await begun(gateway, *await gateway.store.write(job))


async def by_identity(gateway: Gateway, token: str) -> tuple[Person, str, Conversation]:
    """The shop's own signed word for who she is: HS256 with sub, name, store, exp."""
    claims = verified(gateway, token)

    async def job(connection: AsyncConnection) -> tuple[Person, str]:
        chain, shop = await place(connection, claims.get("store"))
        at = clock.now()
        person = await people.by_external(connection, chain, claims["sub"])
        if person is None:
            person = await people.add(
                connection,
                chain=chain,
                role="customer",
                name=claims["name"],
                store=shop,
                at=at,
                external_id=claims["sub"],
                language=claims["language"],
            )
        return person, await people.start_session(connection, person.id, at)

    return await begun(gateway, *await gateway.store.write(job))


def verified(gateway: Gateway, token: str) -> dict[str, Any]:
    secret = gateway.settings.identity_secret.get_secret_value()
    if not secret:
        raise NotYours(ErrorCode.UNAUTHENTICATED, "signed identities are not set up (NESTCALL_IDENTITY_SECRET)")
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], options={"require": ["sub", "exp"]})
    except jwt.PyJWTError as error:
        raise NotYours(ErrorCode.UNAUTHENTICATED, f"identity refused: {type(error).__name__}") from None
    name, store = claims.get("name", ""), claims.get("store")
    if not isinstance(name, str) or not (store is None or isinstance(store, str)) or len(claims["sub"]) > 200:
        raise BadInput(detail="identity: sub, name and store are short texts")
    language = "en" if claims.get("language") == "en" else "zh"
    return {"sub": claims["sub"], "name": name[:200] or claims["sub"], "store": store, "language": language}


async def begun(gateway: Gateway, person: Person, token: str) -> tuple[Person, str, Conversation]:
    assert person.store is not None
    return person, token, await gateway.chat.conversation_for(person, person.store)


async def place(connection: AsyncConnection, store: str | None) -> tuple[str, str]:
    """(chain, store): the one named, else the one with most advisors: who names none meets somebody."""
    query = select(stores.c.chain, stores.c.id).order_by(ADVISORS.desc(), stores.c.id).limit(1)
    row = (await connection.execute(query.where(stores.c.id == store) if store else query)).first()
    if row is None:
        raise BadInput(ErrorCode.NOT_FOUND, "no such store")
    return row.chain, row.id
