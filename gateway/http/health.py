"""Is it alive, can it serve, what does it measure."""

import asyncio
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from gateway.errors import Broken, NestcallError, NotYours
from gateway.http.ask import Ask
from signaling.protocol import ErrorCode


async def alive(_ask: Ask) -> web.StreamResponse:
    return web.json_response({"status": "ok"})


async def ready(ask: Ask) -> web.StreamResponse:
    """503 while draining, or when the database does not answer within a second."""
    if ask.gateway.sockets.draining:
        raise Broken(ErrorCode.DRAINING)
    try:
        async with asyncio.timeout(1.0), ask.gateway.store.read() as connection:
            await connection.execute(text("select 1"))
    except (NestcallError, TimeoutError):
        return web.json_response({"status": "not ready", "database": "down"}, status=503)
    return web.json_response({"status": "ready", "database": "up", "connections": len(ask.gateway.sockets)})


async def metrics(ask: Ask) -> web.StreamResponse:
    """On this machine only."""
    remote = ask.request.remote
    if remote is None or not ip_address(remote).is_loopback or "X-Forwarded-For" in ask.request.headers:
        raise NotYours(ErrorCode.NOT_FOUND)
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
