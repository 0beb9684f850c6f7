"""One conversation to take along: a zip of a readable page with its media, or JSON. Written down in the audit log."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.chat import Chat
from gateway.domain.people import Person
from gateway.export import Line, files, lines, media_name, page
from gateway.files.vault import Vault
from gateway.store import audit
from gateway.store.engine import Store
from gateway.store.schema import people
from signaling.protocol import Event, Language

PAGE = 500
SPOOL_BYTES = 8 * 1024 * 1024
"""Up to here in memory, then in a temporary file."""


async def collected(chat: Chat, person: Person, conversation: str) -> list[Event]:
    """The whole log as this person may see it. Raises NotYours."""
    events: list[Event] = []
    more = True
    while more:
        after = events[-1].seq if events else 0
        found = await chat.history(person, conversation, after=after, limit=PAGE)
        events.extend(found.events)
        more = found.more
    return events


async def noted(store: Store, person: Person, conversation: str, at: str) -> None:
    """Who took it along."""

    async def job(connection: AsyncConnection) -> None:
        await audit.write(connection, person.id, "conversation.export", conversation, at=at)

    await store.write(job)


async def names_of(store: Store, events: Iterable[Event]) -> dict[str, str]:
    senders = {event.sender for event in events}
    async with store.read() as connection:
        rows = await connection.execute(select(people.c.id, people.c.name).where(people.c.id.in_(senders)))
        return {row.id: row.name for row in rows}


def as_json(events: Sequence[Event], conversation: str, at: str) -> bytes:
    content: dict[str, Any] = {
        "conversation": conversation,
        "exported_at": at,
        "events": [event.model_dump(mode="json", exclude_none=True) for event in events],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def as_zip(events: Sequence[Event], names: dict[str, str], vault: Vault, language: Language, at: str) -> IO[bytes]:
    """Blocks: for a thread. The caller closes it. A file that is gone by now is left out."""
    shown = lines(events)
    archive = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - given away open
    with zipfile.ZipFile(archive, "w") as zip_:
        zip_.writestr("index.html", page(shown, names, language, at), zipfile.ZIP_DEFLATED)
        _add_media(zip_, shown, vault)
    archive.seek(0)
    return archive


def _add_media(zip_: zipfile.ZipFile, shown: Iterable[Line], vault: Vault) -> None:
    for file in files(shown):
        path = vault.path(file.id, "content")
        if path.is_file():
            zip_.write(path, media_name(file))
