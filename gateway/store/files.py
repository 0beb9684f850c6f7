"""Rows of files. A file is uploading → ready → sent (→ recalled), or refused; only a sent one is seen by others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.people import Person, may_see
from gateway.errors import Conflict, NotYours
from gateway.files.kinds import Purpose
from gateway.store.schema import conversations, files
from signaling.protocol import (
    ErrorCode,
    Event,
    EventKind,
    FileBody,
    FileRef,
    ImageBody,
    VoiceBody,
)

State = Literal["uploading", "ready", "sent", "recalled", "refused"]
Attachment = ImageBody | FileBody | VoiceBody


@dataclass(frozen=True, slots=True)
class File:
    """`size` is what was announced while uploading, what is stored afterwards. `facts` is what we measured."""

    id: str
    owner: str
    conversation: str
    purpose: Purpose
    state: State
    name: str
    media_type: str
    size: int
    created_at: str
    seq: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def body(self) -> Attachment:
        """The message body for this file, from our own row: never from what a client says about it."""
        ref = FileRef(id=self.id, media_type=self.media_type, size=self.size, name=self.name)
        match self.facts.get("kind"):
            case "image":
                shape = {name: self.facts[name] for name in ("width", "height", "preview")}
                return ImageBody(file=ref, **shape)
            case "voice":
                sound = {name: self.facts[name] for name in ("duration_ms", "waveform", "transcript")}
                return VoiceBody(file=ref, **sound)
            case _:
                return FileBody(file=ref)


FIELDS = tuple(File.__dataclass_fields__)


def _file(row: RowMapping | Mapping[str, Any]) -> File:
    return File(**{name: row[name] for name in FIELDS})


async def check_conversation(connection: AsyncConnection, person: Person, conversation: str) -> None:
    """Raises NotYours unless this person may see the conversation."""
    c = conversations.c
    row = (await connection.execute(select(c.chain, c.store, c.customer).where(c.id == conversation))).first()
    if row is None or not may_see(person, chain=row.chain, store=row.store, customer=row.customer):
        raise NotYours(ErrorCode.NOT_FOUND)


async def add(connection: AsyncConnection, file: File) -> None:
    await connection.execute(insert(files).values({name: getattr(file, name) for name in FIELDS}))


async def owned(connection: AsyncConnection, person: Person, file: str) -> File:
    """The uploader's own file. Raises NotYours."""
    query = select(files).where(files.c.id == file, files.c.owner == person.id)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise NotYours(ErrorCode.NOT_FOUND)
    return _file(row)


async def visible(connection: AsyncConnection, person: Person, file: str) -> File:
    """Sent: to whoever may see the conversation. Ready: to its uploader. Otherwise NotYours."""
    row = (await connection.execute(select(files).where(files.c.id == file))).mappings().first()
    if row is None:
        raise NotYours(ErrorCode.NOT_FOUND)
    found = _file(row)
    await check_conversation(connection, person, found.conversation)
    if found.state == "sent" or (found.state == "ready" and found.owner == person.id):
        return found
    raise NotYours(ErrorCode.NOT_FOUND)


async def settle(connection: AsyncConnection, file: File) -> None:
    """Write down what an upload has become."""
    values = {name: getattr(file, name) for name in ("state", "name", "media_type", "size", "facts")}
    await connection.execute(update(files).where(files.c.id == file.id).values(values))


async def remove(connection: AsyncConnection, file: str) -> bool:
    """Forget one unless it was sent; says whether its bytes may go."""
    await connection.execute(delete(files).where(files.c.id == file, files.c.state != "sent"))
    return not await known(connection, [file])


async def used(connection: AsyncConnection, person: Person, since: str) -> tuple[int, int]:
    """Bytes uploaded since, and uploads still open."""
    total = func.coalesce(func.sum(files.c.size), 0)
    mine = files.c.owner == person.id
    size = (await connection.execute(select(total).where(mine, files.c.created_at > since))).scalar_one()
    running = select(func.count()).select_from(files).where(mine, files.c.state == "uploading")
    return int(size), int((await connection.execute(running)).scalar_one())


async def confirmed(connection: AsyncConnection, person: Person, conversation: str, body: Attachment) -> Attachment:
    """The body as our row says it. Raises NotYours: not this sender's file, or for another conversation."""
    file = await owned(connection, person, body.file.id)
    if file.conversation != conversation:
        raise NotYours(ErrorCode.NOT_FOUND)
    if file.state not in ("ready", "sent"):
        raise Conflict(ErrorCode.WRONG_STATE, f"the file is {file.state}")
    return file.body()


async def follow(connection: AsyncConnection, event: Event) -> None:
    """In the transaction of the event: a sent file belongs to one message; a recalled message's file is gone."""
    match event.kind:
        case EventKind.MESSAGE_SENT if isinstance(event.body, Attachment):
            this = _here(event) & (files.c.id == event.body.file.id) & (files.c.state == "ready")
            sent = await connection.execute(update(files).where(this).values(state="sent", seq=event.seq))
            if sent.rowcount != 1:
                raise Conflict(ErrorCode.WRONG_STATE, "the file was sent already or is not ready")
        case EventKind.MESSAGE_RECALLED:
            of_message = _here(event) & (files.c.seq == event.data["target"])
            await connection.execute(update(files).where(of_message).values(state="recalled"))
        case _:
            pass


def _here(event: Event) -> ColumnElement[bool]:
    return files.c.conversation == event.conversation


async def abandoned(connection: AsyncConnection, before: str) -> list[str]:
    """Recalled ones, and those begun before this moment that were never sent."""
    stale = files.c.state.in_(("uploading", "ready", "refused")) & (files.c.created_at < before)
    return list((await connection.execute(select(files.c.id).where(stale | (files.c.state == "recalled")))).scalars())


async def known(connection: AsyncConnection, some: list[str]) -> set[str]:
    return set((await connection.execute(select(files.c.id).where(files.c.id.in_(some)))).scalars())
