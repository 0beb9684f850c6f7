"""ICE servers for browsers: only the operator's own, with short-lived TURN credentials (coturn's use-auth-secret)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from signaling.protocol import IceServer

TURN_LIFETIME_S = 600


def ice_servers(urls: Iterable[str], secret: str, person: str, now: float) -> tuple[IceServer, ...]:
    """`urls`: `stun:` and `turn(s):`; `now`: Unix seconds. TURN without a secret is left out: it could not be used.

    The credential is `base64(HMAC-SHA1(secret, "expiry:person"))` (draft-uberti-behave-turn-rest-00).
    """
    stun = tuple(url for url in urls if url.startswith(("stun:", "stuns:")))
    turn = tuple(url for url in urls if url.startswith(("turn:", "turns:")))
    servers = [IceServer(urls=stun)] if stun else []
    if turn and secret:
        username, credential = turn_credential(secret, person, now)
        servers.append(IceServer(urls=turn, username=username, credential=credential))
    return tuple(servers)


def turn_credential(secret: str, person: str, now: float) -> tuple[str, str]:
    username = f"{int(now) + TURN_LIFETIME_S}:{person}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
