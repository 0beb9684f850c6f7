"""Around every request: coded errors, security headers, rate, a line in the log without personal text."""

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.errors import NestcallError, TooMuch
from gateway.settings import Settings
from gateway.telemetry import REQUESTS
from signaling.protocol import ErrorCode

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

logger = structlog.get_logger()


STATUSES = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.BAD_TICKET: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.FILE_TOO_LARGE: 413,
    ErrorCode.IMAGE_TOO_BIG: 413,
    ErrorCode.FILE_TYPE: 415,
    ErrorCode.FILE_BROKEN: 422,
    ErrorCode.STORAGE_FULL: 507,
}
"""Where the code says more than the kind of error."""


def error_response(error: NestcallError) -> web.Response:
    status = STATUSES.get(error.code, error.status)
    content = {"code": str(error.code), "detail": error.detail, "retry_after_ms": error.retry_after_ms}
    response = web.json_response(content, status=status)
    if error.retryable:
        response.headers["Retry-After"] = str(max(1, (error.retry_after_ms or 1000) // 1000))
    return response


CODES = {401: ErrorCode.UNAUTHENTICATED, 403: ErrorCode.FORBIDDEN, 404: ErrorCode.NOT_FOUND, 413: ErrorCode.TOO_LARGE}


@web.middleware
async def errors(request: web.Request, handler: Next) -> web.StreamResponse:
    """Every failure leaves as JSON {code, detail, retry_after_ms}."""
    try:
        return await handler(request)
    except NestcallError as error:
        return error_response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = CODES.get(error.status, ErrorCode.BAD_MESSAGE)
        made = web.json_response(
            {"code": str(code), "detail": error.reason, "retry_after_ms": None}, status=error.status
        )
        if "Allow" in error.headers:
            made.headers["Allow"] = error.headers["Allow"]
        return made
    except Exception:
        logger.exception("request failed", method=request.method, route=route_of(request))
        return error_response(NestcallError())


@web.middleware
async def headers(request: web.Request, handler: Next) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as redirect:
        redirect.headers.update(HEADERS)
        raise
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.status >= 400 or not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
    return response


@web.middleware
async def measured(request: web.Request, handler: Next) -> web.StreamResponse:
    start = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        REQUESTS.labels(request.method, route_of(request), status).observe(time.perf_counter() - start)


def route_of(request: web.Request) -> str:
    """The pattern, never the path: ids and codes stay out of logs and metrics."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


class Turnstile:
    """How often one address may do what costs us rows."""

    def __init__(self, settings: Settings) -> None:
        self._proxies = frozenset(settings.trusted_proxies)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def address(self, request: web.Request) -> str:
        """A forwarded address is believed only from our own proxies."""
        direct = request.remote or "unknown"
        forwarded = request.headers.get("X-Forwarded-For", "")
        return forwarded.rsplit(",", 1)[-1].strip() if direct in self._proxies and forwarded else direct

    async def pass_(self, request: web.Request, what: str, per_minute: int) -> None:
        if not await self._limiter.hit(RateLimitItemPerMinute(per_minute), what, self.address(request)):
            raise TooMuch(ErrorCode.TOO_FAST, f"at most {per_minute} a minute from one address", retry_after_ms=10_000)
