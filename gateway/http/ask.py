"""One request, and what a handler needs to answer it."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.app import Gateway
from gateway.domain.people import Person
from gateway.errors import BadInput, NotYours
from gateway.http.middleware import Turnstile
from signaling.protocol import ErrorCode

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Ask:
    gateway: Gateway
    request: web.Request
    visitor: Person | None
    turnstile: Turnstile

    @property
    def person(self) -> Person:
        """Whoever is signed in; only for routes that ask for it."""
        assert self.visitor is not None
        return self.visitor

    def part(self, name: str) -> str:
        """A piece of the path. A NUL is in no name of ours, and PostgreSQL would choke on it."""
        part = self.request.match_info[name]
        if "\0" in part:
            raise NotYours(ErrorCode.NOT_FOUND)
        return part

    def number(self, name: str, *, low: int = 0, high: int = 2**53 - 1) -> int | None:
        """A whole number of the query. Raises `BadInput`."""
        text = self.request.query.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdecimal() or len(text) > 16 or not low <= int(text) <= high:
            raise BadInput(detail=f"{name}: a whole number from {low} to {high}")
        return int(text)

    async def content(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `BadInput`."""
        try:
            content = json.loads(await self.request.text())
        except (ValueError, RecursionError):
            raise BadInput(ErrorCode.BAD_FRAME, "the body is one JSON object") from None
        if not isinstance(content, dict):
            raise BadInput(ErrorCode.BAD_FRAME, "the body is one JSON object")
        return content

    async def read(self, model: type[M]) -> M:
        """The body as `model`. Raises `BadInput`."""
        return checked(model, await self.content())


def checked(model: type[M], content: object) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise BadInput(detail=first_fault(error)) from None


def first_fault(error: ValidationError) -> str:
    """Field and rule; the value may be personal."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"[:500]


def answer(model: BaseModel, status: int = 200) -> web.Response:
    return web.Response(text=model.model_dump_json(exclude_none=True), content_type="application/json", status=status)
