"""The one table of URLs. A handler takes what it needs: the gateway, the request, and who asks."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from gateway.app import Gateway
from gateway.domain.people import Person
from gateway.errors import NotYours
from gateway.http import (
    auth,
    chat,
    drafts,
    export,
    files,
    health,
    identity,
    knowledge,
    measured,
    middleware,
    pages,
    rules,
    search,
    socket,
    summary,
    uploads,
    voices,
    whip,
)
from gateway.http.ask import Ask
from signaling.protocol import ErrorCode

Who = Literal["anyone", "person", "staff", "manager"]
Act = Callable[[Ask], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    act: Act
    who: Who = "person"


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", pages.customer, "anyone"),
    Route("GET", "/phone", pages.phone, "anyone"),
    Route("GET", "/console", pages.console, "anyone"),
    Route("GET", "/manager", pages.manager, "anyone"),
    Route("GET", "/sign-in", identity.sign_in, "anyone"),
    Route("GET", "/static/{path:.+}", pages.static, "anyone"),
    Route("GET", "/healthz", health.alive, "anyone"),
    Route("GET", "/readyz", health.ready, "anyone"),
    Route("GET", "/metrics", health.metrics, "anyone"),
    Route("GET", "/ws", socket.connect, "anyone"),
    Route("POST", "/api/v1/sessions", identity.start, "anyone"),
    Route("DELETE", "/api/v1/sessions", identity.end),
    Route("GET", "/api/v1/me", identity.me),
    Route("GET", "/api/v1/inbox", chat.inbox),
    Route("GET", "/api/v1/conversations/{conversation}", chat.conversation),
    Route("GET", "/api/v1/conversations/{conversation}/events", chat.events),
    Route("POST", "/api/v1/conversations/{conversation}/events", chat.write),
    Route("POST", "/api/v1/conversations/{conversation}/acts", chat.act),
    Route("POST", "/api/v1/conversations/{conversation}/receipts", chat.mark),
    Route("GET", "/api/v1/conversations/{conversation}/summary", summary.of, "staff"),
    Route("GET", "/api/v1/conversations/{conversation}/calls", measured.of, "staff"),
    Route("GET", "/api/v1/conversations/{conversation}/export", export.take),
    Route("GET", "/api/v1/search", search.find),
    Route("OPTIONS", "/api/v1/uploads", uploads.options, "anyone"),
    Route("POST", "/api/v1/uploads", uploads.create),
    Route("HEAD", "/api/v1/uploads/{file}", uploads.offset),
    Route("PATCH", "/api/v1/uploads/{file}", uploads.append),
    Route("DELETE", "/api/v1/uploads/{file}", uploads.drop),
    Route("POST", "/api/v1/uploads/{file}/finish", uploads.finish),
    Route("GET", "/api/v1/files/{file}", files.fetch),
    Route("POST", "/api/v1/tickets", whip.ticket),
    Route("POST", "/api/v1/whip", whip.start, "anyone"),
    Route("PATCH", "/api/v1/whip/{call}", whip.trickle, "anyone"),
    Route("DELETE", "/api/v1/whip/{call}", whip.end, "anyone"),
    Route("GET", "/api/v1/knowledge", knowledge.entries, "manager"),
    Route("POST", "/api/v1/knowledge/try", knowledge.try_out, "manager"),
    Route("POST", "/api/v1/knowledge/preview", knowledge.preview, "manager"),
    Route("POST", "/api/v1/knowledge/import", knowledge.bring_in, "manager"),
    Route("GET", "/api/v1/knowledge/export", knowledge.take_out, "manager"),
    Route("GET", "/api/v1/knowledge/{entry}", knowledge.entry, "manager"),
    Route("PUT", "/api/v1/knowledge/{entry}", knowledge.publish, "manager"),
    Route("DELETE", "/api/v1/knowledge/{entry}", knowledge.withdraw, "manager"),
    Route("GET", "/api/v1/knowledge/{entry}/versions", knowledge.versions, "manager"),
    Route("POST", "/api/v1/knowledge/{entry}/rollback", knowledge.roll_back, "manager"),
    Route("GET", "/api/v1/unanswered", knowledge.unanswered, "manager"),
    Route("POST", "/api/v1/unanswered/{cluster}/answer", knowledge.answer_cluster, "manager"),
    Route("POST", "/api/v1/unanswered/{cluster}/dismiss", knowledge.dismiss_cluster, "manager"),
    Route("GET", "/api/v1/golden", knowledge.golden, "manager"),
    Route("POST", "/api/v1/golden", knowledge.new_golden, "manager"),
    Route("PUT", "/api/v1/golden/{question}", knowledge.keep_golden, "manager"),
    Route("DELETE", "/api/v1/golden/{question}", knowledge.drop_golden, "manager"),
    Route("GET", "/api/v1/scores", knowledge.scores, "manager"),
    Route("POST", "/api/v1/scores", knowledge.measure, "manager"),
    Route("GET", "/api/v1/stores", rules.stores, "manager"),
    Route("GET", "/api/v1/stores/{store}/rules", rules.read, "manager"),
    Route("PUT", "/api/v1/stores/{store}/rules", rules.write, "manager"),
    Route("GET", "/api/v1/stores/{store}/voice", voices.read, "manager"),
    Route("PUT", "/api/v1/stores/{store}/voice", voices.write, "manager"),
    Route("POST", "/api/v1/drafts/check", drafts.check, "staff"),
    Route("POST", "/api/v1/alarms/{alarm}/acknowledge", chat.acknowledge, "staff"),
)


def allowed(person: Person | None, who: Who) -> None:
    if who == "anyone":
        return
    if person is None:
        raise NotYours(ErrorCode.UNAUTHENTICATED, "sign in first")
    if (who == "staff" and not person.staff) or (who == "manager" and person.role != "manager"):
        raise NotYours(ErrorCode.FORBIDDEN, f"{who} only")


def application(gateway: Gateway, more: Iterable[Route] = ()) -> web.Application:
    """`more`: routes of areas that bring their own (files, calls, knowledge)."""
    app = web.Application(
        middlewares=[middleware.measured, middleware.headers, middleware.errors], client_max_size=1024 * 1024
    )
    turnstile = middleware.Turnstile(gateway.settings)

    def bound(route: Route) -> Any:
        async def handler(request: web.Request) -> web.StreamResponse:
            person = await auth.signed_in(gateway, request)
            allowed(person, route.who)
            return await route.act(Ask(gateway, request, person, turnstile))

        return handler

    for route in (*ROUTES, *more):
        app.router.add_route(route.method, route.path, bound(route))
    return app
