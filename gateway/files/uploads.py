"""From the first byte of an upload to a file that may be sent.

    begin ─▶ append* ─▶ finish ─▶ (message.send with the body finish gave) ─▶ sent
      └───── drop ◀──┘     └─▶ refused

The truth about a running upload is on disk (`Vault`), so a lost connection or a restarted gateway costs nothing:
the client asks for the offset and goes on. `finish` may be asked for as often as needed; it works once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import anyio.to_thread
import structlog
from anyio import CapacityLimiter

from gateway import clock
from gateway.domain.people import Person
from gateway.errors import BadInput, Conflict, NestcallError, TooMuch
from gateway.files import kinds
from gateway.files.kinds import FileKind, Purpose
from gateway.files.rebuild import Workbench
from gateway.files.transcribe import transcribe
from gateway.files.vault import Vault
from gateway.settings import Settings
from gateway.store import files
from gateway.store.engine import Store
from gateway.store.files import Attachment, File
from gateway.store.people import new_id
from media.ports import Language, Recognizer
from signaling.protocol import ErrorCode

T = TypeVar("T")
ORPHAN_S = 3600.0
SWEEP_S = 600.0
DAY_S = 24 * 3600.0
MAX_OPEN = 20
THREADS = 4

log = structlog.get_logger()


class Uploads:
    """`recognizer` gives the one in use now, or None; it is asked for each voice note."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        recognizer: Callable[[], Recognizer | None] = lambda: None,
        now: clock.Clock = clock.now,
    ) -> None:
        self._store, self._settings, self._recognizer, self._now = store, settings, recognizer, now
        self.vault = Vault(settings.files_dir)
        self._workbench = Workbench()
        self._threads = CapacityLimiter(THREADS)  # ours: aiortc encodes in the default executor
        self._finishing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, person: Person, conversation: str, purpose: Purpose, name: str, size: int) -> File:
        """Raises FILE_TOO_LARGE, FILE_TYPE (by name), NOT_FOUND (conversation), TOO_FAST (quota), STORAGE_FULL."""
        if not 0 < size <= self._settings.max_upload:
            raise BadInput(ErrorCode.FILE_TOO_LARGE if size > 0 else ErrorCode.FILE_BROKEN, f"{size} bytes")
        kinds.check_name(name)
        await self._thread(self.vault.check_room, size)
        file = File(
            new_id("f"), person.id, conversation, purpose, "uploading", kinds.clean_name(name), "", size, self._now()
        )

        async def add(connection: Any) -> None:
            await files.check_conversation(connection, person, conversation)
            await self._check_quota(connection, person, size)
            await files.add(connection, file)

        await self._thread(self.vault.begin, file.id)
        try:
            await self._store.write(add)
        except BaseException:
            await self._thread(self.vault.remove, file.id)
            raise
        return file

    async def _check_quota(self, connection: Any, person: Person, size: int) -> None:
        used, running = await files.used(connection, person, clock.after(self._now(), -DAY_S))
        if running >= MAX_OPEN:
            raise TooMuch(ErrorCode.TOO_FAST, f"{running} uploads are open", retry_after_ms=60_000)
        if used + size > self._settings.max_upload_day:
            raise TooMuch(ErrorCode.FILE_TOO_LARGE, "the day's total is reached", retry_after_ms=3_600_000)

    async def offset(self, person: Person, file: str) -> tuple[int, int]:
        """(bytes here, bytes announced). A processed upload is complete."""
        found = await self._owned(person, file)
        if found.state != "uploading":
            return found.size, found.size
        return await self._thread(self.vault.offset, file), found.size

    async def append(self, person: Person, file: str, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Gives the new offset. What arrived before an error is kept. Raises UPLOAD_OFFSET, FILE_TOO_LARGE."""
        found = await self._owned(person, file)
        if found.state != "uploading" or await self._thread(self.vault.offset, file) != offset:
            raise Conflict(ErrorCode.UPLOAD_OFFSET, "the upload is at another offset")
        async for chunk in chunks:
            if offset + len(chunk) > found.size:
                raise BadInput(ErrorCode.FILE_TOO_LARGE, "more bytes than announced")
            offset = await self._thread(self.vault.append, file, offset, chunk)
        return offset

    async def drop(self, person: Person, file: str) -> None:
        """Cancelled by its sender. One that was sent stays: recall the message instead."""
        found = await self._owned(person, file)
        if found.state == "sent":
            raise Conflict(ErrorCode.WRONG_STATE, "sent already")
        await self._forget(file)

    async def finish(self, person: Person, file: str) -> Attachment:
        """Look at the complete upload, write it anew, and give the body to send. Raises FILE_*, IMAGE_TOO_BIG."""
        async with self._finishing.setdefault(file, asyncio.Lock()):
            found = await self._owned(person, file)
            match found.state:
                case "uploading":
                    return (await self._settled(person, found)).body()
                case "ready" | "sent":
                    return found.body()
                case "refused":
                    raise BadInput(ErrorCode(found.facts["code"]), "refused before")
                case "recalled":
                    raise Conflict(ErrorCode.WRONG_STATE, "recalled")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except NestcallError as error:
                log.warning("sweep put off", code=str(error.code))

    async def sweep(self) -> int:
        """Remove what nobody sent within an hour, what was recalled, and bytes without a row. Gives how many."""
        before = clock.after(self._now(), -ORPHAN_S)
        async with self._store.read() as connection:
            gone = await files.abandoned(connection, before)
            here = await self._thread(self.vault.older, ORPHAN_S)
            strays = set(here) - await files.known(connection, here)
        for file in (*gone, *strays):
            await self._forget(file)
        return len(gone) + len(strays)

    async def _settled(self, person: Person, file: File) -> File:
        if await self._thread(self.vault.offset, file.id) != file.size:
            raise Conflict(ErrorCode.UPLOAD_OFFSET, "the upload is not complete")
        try:
            settled = await self._made_harmless(file, person.language)
        except BadInput as refused:
            await self._thread(self.vault.remove, file.id)
            await self._write(replace(file, state="refused", size=0, facts={"code": refused.code}))
            raise
        await self._write(settled)
        await self._thread(self.vault.tidy, file.id)
        return settled

    async def _made_harmless(self, file: File, language: Language) -> File:
        head, tail = await self._thread(self.vault.ends, file.id, kinds.HEAD_BYTES, kinds.TAIL_BYTES)
        kind = kinds.recognise(head, tail, file.name, file.purpose)
        facts = await self._facts(file.id, kind, language)
        size = await self._thread(lambda: self.vault.settle(file.id, as_it_came=kind.becomes == "document"))
        return replace(file, state="ready", media_type=kind.media_type, size=size, facts=facts)

    async def _facts(self, file: str, kind: FileKind, language: Language) -> dict[str, Any]:
        """Write `content` (and `thumbnail`) anew and say what is in it."""
        here = {name: str(self.vault.path(file, name)) for name in ("part", "content", "thumbnail", "speech")}
        match kind.becomes:
            case "picture":
                order = {"source": here["part"], "full": here["content"], "thumbnail": here["thumbnail"]}
                made = await self._workbench.run("picture", order | {"max_pixels": self._settings.max_image_pixels})
                return {"kind": "image", **made}
            case "voice" | "media":
                order = {"source": here["part"], "target": here["content"], "speech": here["speech"]}
                made = await self._workbench.run(
                    "sound", order | {"becomes": kind.becomes, "media_type": kind.media_type}
                )
                return {"kind": "file", **made} if kind.becomes == "media" else await self._voice(file, made, language)
            case "document":
                return {"kind": "file"}

    async def _voice(self, file: str, made: dict[str, Any], language: Language) -> dict[str, Any]:
        samples = await self._thread(self.vault.path(file, "speech").read_bytes)
        return {"kind": "voice", **made, "transcript": await transcribe(samples, self._recognizer(), language)}

    async def _write(self, file: File) -> None:
        await self._store.write(lambda connection: files.settle(connection, file))

    async def _forget(self, file: str) -> None:
        """The row first: it may have been sent this very moment, and then everything stays."""
        if await self._store.write(lambda connection: files.remove(connection, file)):
            await self._thread(self.vault.remove, file)

    async def _owned(self, person: Person, file: str) -> File:
        async with self._store.read() as connection:
            return await files.owned(connection, person, file)

    async def _thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._threads)
