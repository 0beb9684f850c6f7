"""Call tickets and TURN credentials."""

import time

import jwt
import pytest

from signaling.ice import ice_servers
from signaling.tickets import LIFETIME_S, BadTicket, check, issue

KEY = "k" * 40


def test_a_ticket_comes_back_as_it_was_given() -> None:
    token, ticket = issue(KEY, "person1", "conv1", time.time())
    assert check(KEY, token) == ticket


def _forged(**claims: object) -> str:
    good = {"sub": "p", "conv": "c", "jti": "j", "exp": int(time.time()) + 60, "aud": "nestcall-call"}
    return jwt.encode({**good, **claims}, KEY, algorithm="HS256")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        issue("other" * 10, "p", "c", time.time())[0],
        issue(KEY, "p", "c", time.time() - LIFETIME_S - 1)[0],
        _forged(aud="session"),
        _forged(exp=None),
        jwt.encode({"sub": "p", "conv": "c", "jti": "j", "aud": "nestcall-call"}, KEY, algorithm="HS256"),
        jwt.encode({"sub": "p", "conv": "c", "jti": "j", "exp": 9e9, "aud": "nestcall-call"}, "", algorithm="none"),
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(BadTicket):
        check(KEY, token)


def test_turn_credentials_follow_coturns_rule() -> None:
    servers = ice_servers(("stun:a", "turn:b?transport=udp"), "north", "mother", 1_000.0)
    assert servers[0].urls == ("stun:a",)
    assert servers[1].username == "1600:mother"
    # echo -n 1600:mother | openssl dgst -sha1 -hmac north -binary | base64
    assert servers[1].credential == "xKMmf0yEYCpb4JsWYZcJoMwMnX0="


def test_turn_without_a_secret_is_not_offered() -> None:
    assert ice_servers(("turn:b",), "", "mother", 0.0) == ()
