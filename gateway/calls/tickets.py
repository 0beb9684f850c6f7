"""Call tickets of this gateway: signed with a key kept in the data directory, each accepted once."""

import os
import secrets
from collections import OrderedDict
from pathlib import Path

from gateway.clock import unix
from gateway.errors import NotYours
from signaling import tickets
from signaling.protocol import ErrorCode
from signaling.tickets import BadTicket, Ticket

KEY_FILE = "ticket.key"
REMEMBERED = 10_000
"""Used tickets; they live two minutes, so forgetting the oldest of so many forgets only expired ones."""


def key_of(data_dir: Path) -> str:
    """The signing key, made on first use; readable by the owner only."""
    path = data_dir / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key


class Tickets:
    def __init__(self, key: str) -> None:
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def issue(self, person: str, conversation: str) -> tuple[str, Ticket]:
        return tickets.issue(self._key, person, conversation, unix())

    def accept(self, token: str) -> Ticket:
        """For a new call: valid, and not used before. Raises NotYours(BAD_TICKET)."""
        ticket = self.read(token)
        if ticket.id in self._used:
            raise NotYours(ErrorCode.BAD_TICKET, "this ticket was used")
        self._used[ticket.id] = None
        while len(self._used) > REMEMBERED:
            self._used.popitem(last=False)
        return ticket

    def read(self, token: str, *, expired: bool = False) -> Ticket:
        """`expired`: good enough for the call it began, which outlives it."""
        try:
            return tickets.check(self._key, token, expired=expired)
        except BadTicket as error:
            raise NotYours(ErrorCode.BAD_TICKET, f"ticket refused: {error}") from None
