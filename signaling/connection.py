"""PURE: one connection, hello to closed; and one conversation's feed over it. Time comes in with each event.

::

    OPENING --hello--> GREETING --welcomed--> READY --+
       |                  |                     |     | close, silence, overflow, drain
       +--5 s, no hello---+---refused-----------+-----+--> CLOSED

The shell (`signaling.socket`) carries out the effects. A frame that cannot be read costs its sender one coded error,
never the connection: a client must be able to find out what it did wrong.
"""

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal

from pydantic import ValidationError

from signaling.protocol import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    ClientMessage,
    Error,
    ErrorCode,
    Hello,
    Ping,
    Pong,
    ServerMessage,
    client_message,
)

HELLO_DEADLINE_S = 5.0
PROBE_AFTER_S = 10.0
SILENCE_S = 22.0
"""A peer not heard for so long is gone (half-open): below the 25 s promised."""

RATE_PER_S = 40.0
BURST = 160.0


class Phase(Enum):
    OPENING = "opening"
    GREETING = "greeting"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Connection:
    """`tokens` is the rate bucket as of `filled_at`."""

    opened_at: float
    heard_at: float
    phase: Phase = Phase.OPENING
    probed: bool = False
    tokens: float = BURST
    filled_at: float = 0.0


def opened(now: float) -> Connection:
    return Connection(opened_at=now, heard_at=now, filled_at=now)


# ---------------------------------------------------------------- what happens to it


@dataclass(frozen=True, slots=True)
class Received:
    """A text frame (`str`), a binary frame (`bytes`), or None for a WebSocket ping or pong."""

    frame: str | bytes | None
    now: float


@dataclass(frozen=True, slots=True)
class Ticked:
    now: float


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The gateway knows who this is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The other side is gone, or we hang up."""


Happening = Received | Ticked | Welcomed | Ended

# ---------------------------------------------------------------- what is to be done


@dataclass(frozen=True, slots=True)
class Greet:
    hello: Hello


@dataclass(frozen=True, slots=True)
class Deliver:
    message: ClientMessage


@dataclass(frozen=True, slots=True)
class Reply:
    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Probe:
    """Send a WebSocket ping: is anybody there?"""


@dataclass(frozen=True, slots=True)
class Hangup:
    """WebSocket close code (RFC 6455 §7.4) and reason."""

    code: int
    reason: str


Effect = Greet | Deliver | Reply | Probe | Hangup
Step = tuple[Connection, tuple[Effect, ...]]


def advance(state: Connection, event: Happening) -> Step:
    if state.phase is Phase.CLOSED:
        return state, ()
    match event:
        case Received(frame, now):
            heard = replace(state, heard_at=now, probed=False)
            return (heard, ()) if frame is None else received(heard, frame, now)
        case Ticked(now):
            return ticked(state, now)
        case Welcomed():
            return replace(state, phase=Phase.READY), ()
        case Ended():
            return replace(state, phase=Phase.CLOSED), ()


def ticked(state: Connection, now: float) -> Step:
    silent = now - state.heard_at
    # Only until she has spoken: how long we take to greet is our affair; giving up half-way makes a storm worse.
    if state.phase is Phase.OPENING and now - state.opened_at >= HELLO_DEADLINE_S:
        late = Reply(Error(code=ErrorCode.HELLO_FIRST, detail=f"no hello within {HELLO_DEADLINE_S:.0f} s"))
        return replace(state, phase=Phase.CLOSED), (late, Hangup(4401, "hello"))
    if silent >= SILENCE_S:
        return replace(state, phase=Phase.CLOSED), (Hangup(4408, "silent"),)
    if silent >= PROBE_AFTER_S and not state.probed:
        return replace(state, probed=True), (Probe(),)
    return state, ()


def received(state: Connection, frame: str | bytes, now: float) -> Step:
    state, wait_s = spend(state, now)
    if wait_s > 0:
        nonce, kind = labels(frame)
        return state, (refuse(ErrorCode.TOO_FAST, nonce=nonce, re=kind, retry_after_ms=int(wait_s * 1000) + 1),)
    message = parse(frame)
    match message:
        case Error():
            return state, (Reply(message),)
        case Ping(t=t):
            return state, (Reply(Pong(t=t)),)
        case Hello() if state.phase is Phase.OPENING:
            return greeted(state, message)
        case Hello():
            return state, (refuse(ErrorCode.BAD_MESSAGE, "hello was said already", re="hello"),)
        case _ if state.phase is not Phase.READY:
            return state, (refuse(ErrorCode.HELLO_FIRST, re=message.type, nonce=getattr(message, "nonce", None)),)
        case _:
            return state, (Deliver(message),)


def greeted(state: Connection, hello: Hello) -> Step:
    if hello.protocol != PROTOCOL_VERSION:
        wrong = refuse(ErrorCode.UNSUPPORTED_PROTOCOL, f"this gateway speaks {PROTOCOL_VERSION}", re="hello")
        return replace(state, phase=Phase.CLOSED), (wrong, Hangup(4400, "protocol"))
    return replace(state, phase=Phase.GREETING), (Greet(hello),)


def spend(state: Connection, now: float) -> tuple[Connection, float]:
    """Take one token; gives the seconds to wait, 0 when there was one. A clock that steps back gives nothing away."""
    earned = max(0.0, now - state.filled_at) * RATE_PER_S
    tokens = min(BURST, state.tokens + earned)
    if tokens < 1:
        return replace(state, tokens=tokens, filled_at=now), (1 - tokens) / RATE_PER_S
    return replace(state, tokens=tokens - 1, filled_at=now), 0.0


# ---------------------------------------------------------------- reading a frame


def refuse(code: ErrorCode, detail: str = "", **labels: Any) -> Reply:
    return Reply(Error(code=code, detail=detail[:500], **labels))


def parse(frame: str | bytes) -> ClientMessage | Error:
    """The message, or the coded error its sender gets."""
    size = len(frame) if isinstance(frame, bytes) else len(frame.encode("utf-8", "surrogatepass"))
    if size > MAX_FRAME_BYTES:
        return Error(code=ErrorCode.TOO_LARGE, detail=f"{size} bytes; at most {MAX_FRAME_BYTES}")
    content = decoded(frame)
    if content is None:
        return Error(code=ErrorCode.BAD_FRAME, detail="a frame is one JSON object, as UTF-8 text")
    try:
        return client_message.validate_python(content)
    except ValidationError as error:
        return unreadable(content, error)
    except RecursionError:
        return Error(code=ErrorCode.BAD_FRAME, detail="nested too deep")


def decoded(frame: str | bytes) -> dict[str, Any] | None:
    if isinstance(frame, bytes):
        return None
    try:
        content = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def unreadable(content: dict[str, Any], error: ValidationError) -> Error:
    """Field names and rules only: the values may be personal."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    unknown = first["type"] in ("union_tag_invalid", "union_tag_not_found") and not first["loc"]
    where = ".".join(str(part) for part in first["loc"])
    nonce, kind = labels_of(content)
    code = ErrorCode.UNKNOWN_TYPE if unknown else ErrorCode.BAD_MESSAGE
    detail = "no such message type" if unknown else f"{where}: {first['msg']}"
    return Error(code=code, nonce=nonce, re=kind, detail=detail[:500])


def labels_of(content: dict[str, Any]) -> tuple[str | None, str | None]:
    nonce, kind = content.get("nonce"), content.get("type")
    known = isinstance(nonce, str) and 0 < len(nonce) <= 64 and nonce.isascii() and nonce.isprintable()
    return (nonce if known else None), (kind[:64] if isinstance(kind, str) and kind.isprintable() else None)


def labels(frame: str | bytes) -> tuple[str | None, str | None]:
    """Nonce and type of a frame that is refused unread."""
    content = decoded(frame) if len(frame) <= MAX_FRAME_BYTES else None
    return labels_of(content) if content is not None else (None, None)


# ---------------------------------------------------------------- a feed: no gap, no double, between log and live


@dataclass(frozen=True, slots=True)
class Feed:
    """One conversation on one connection. `cursor`: last seq sent; `head`: last seq known; `pulling`: the log is
    being read. Subscribed first, then read: an event that comes live meanwhile only moves the head."""

    cursor: int
    head: int
    pulling: bool = False


Verdict = Literal["send", "drop", "pull", "wait"]


def offered(feed: Feed, seq: int) -> tuple[Feed, Verdict]:
    """An event came live."""
    if seq <= feed.cursor:
        return feed, "drop"
    if feed.pulling:
        return replace(feed, head=max(feed.head, seq)), "wait"
    if seq == feed.cursor + 1:
        return replace(feed, cursor=seq, head=max(feed.head, seq)), "send"
    return replace(feed, head=max(feed.head, seq), pulling=True), "pull"


def pulled(feed: Feed, seq: int) -> tuple[Feed, Verdict]:
    """An event came from the log."""
    if seq != feed.cursor + 1:
        return feed, "drop"
    return replace(feed, cursor=seq, head=max(feed.head, seq)), "send"


def rested(feed: Feed) -> Feed:
    """The log gave all it had: live again if that was everything known, else keep pulling."""
    return replace(feed, pulling=feed.cursor < feed.head)
