"""The door to the WebSocket: who may even shake hands."""

from aiohttp import hdrs, web

from gateway.errors import Broken, NotYours
from gateway.http import auth
from gateway.http.ask import Ask
from signaling.protocol import ErrorCode


async def connect(ask: Ask) -> web.StreamResponse:
    """A page of another origin is refused before the upgrade; a client without Origin needs a token, never a cookie."""
    if ask.gateway.sockets.draining:
        raise Broken(ErrorCode.DRAINING, "going down; try again in a second")
    if ask.request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise web.HTTPUpgradeRequired(reason="this address speaks WebSocket")
    origin = ask.request.headers.get(hdrs.ORIGIN)
    if origin is not None and not auth.allowed_origin(ask.gateway, ask.request, origin):
        raise NotYours(ErrorCode.FORBIDDEN, "this origin may not connect")
    found = auth.credentials(ask.request)
    usable = found is not None and (origin is not None or not found.cookie)
    address = ask.turnstile.address(ask.request)
    return await ask.gateway.sockets.serve(ask.request, found.token if found and usable else None, address)
