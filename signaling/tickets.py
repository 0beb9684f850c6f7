"""Call tickets: a signed permission to start one call by WHIP, for clients that hold no session."""

import secrets
from dataclasses import dataclass

import jwt

LIFETIME_S = 120
_AUDIENCE = "nestcall-call"


class BadTicket(ValueError):
    """Forged, expired, for something else, or not a ticket at all."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`id` is unique: the gateway accepts each only once."""

    person: str
    conversation: str
    id: str
    expires: int
    """Unix seconds."""


def issue(key: str, person: str, conversation: str, now: float) -> tuple[str, Ticket]:
    ticket = Ticket(person, conversation, secrets.token_urlsafe(16), int(now) + LIFETIME_S)
    claims = {"sub": person, "conv": conversation, "jti": ticket.id, "exp": ticket.expires, "aud": _AUDIENCE}
    return jwt.encode(claims, key, algorithm="HS256"), ticket


def check(key: str, token: str, *, expired: bool = False) -> Ticket:
    """The ticket, or `BadTicket`. Only HS256 with our key and our audience counts; `expired` ones on request."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=_AUDIENCE,
            options={"require": ["sub", "conv", "jti", "exp", "aud"], "verify_exp": not expired},
        )
        return Ticket(str(claims["sub"]), str(claims["conv"]), str(claims["jti"]), int(claims["exp"]))
    except jwt.PyJWTError as error:
        raise BadTicket(type(error).__name__) from error
