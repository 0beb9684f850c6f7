"""From the first byte to a sent file: resumable, bounded, never anybody else's."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import clock
from gateway.errors import BadInput, Conflict, NestcallError, NotYours, StorageBroken, TooMuch
from gateway.files.uploads import MAX_OPEN, Uploads
from gateway.settings import Settings
from gateway.store import files
from gateway.store.engine import Store
from signaling.protocol import ErrorCode, FileBody, ImageBody, VoiceBody
from tests.gateway.files import crafted
from tests.gateway.shop import Shop, furnished


class Desk:
    """Uploads over a fresh shop, with a clock the test turns."""

    def __init__(self, settings: Settings, shop: Shop) -> None:
        self.settings, self.shop, self.at = settings, shop, clock.now()
        self.uploads = self.restarted()

    def restarted(self) -> Uploads:
        return Uploads(self.shop.store, self.settings, now=lambda: self.at)

    async def uploaded(self, content: bytes, name: str = "", purpose: files.Purpose = "image") -> str:
        file = await self.uploads.begin(self.shop.anna, self.shop.anna_chat, purpose, name, len(content))
        await self.uploads.append(self.shop.anna, file.id, 0, chunks(content))
        return file.id

    async def finished(self, content: bytes, name: str = "", purpose: files.Purpose = "image") -> files.Attachment:
        return await self.uploads.finish(self.shop.anna, await self.uploaded(content, name, purpose))

    async def seen_by(self, person: files.Person, file: str) -> bool:
        async with self.shop.store.read() as connection:
            try:
                await files.visible(connection, person, file)
            except NotYours:
                return False
        return True


async def chunks(content: bytes, size: int = 4096) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


@pytest.fixture
async def desk(database: Settings) -> AsyncIterator[Desk]:
    store = await Store.open(database)
    yield Desk(database, await furnished(store))
    await store.close()


async def test_a_finished_file_is_on_disk_with_the_way_to_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row says that it is there only after each file and each folder above was synced: power may fail."""
    synced: list[str] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    body = await desk.finished(crafted.jpeg(), "a.jpg")
    assert isinstance(body, ImageBody)
    content = desk.uploads.vault.path(body.file.id, "content")
    folders = {str(content.parent), str(content.parent.parent), str(desk.settings.files_dir)}
    assert {str(content), str(content.with_name("thumbnail")), *folders} <= set(synced)


async def code(work: object) -> ErrorCode:
    with pytest.raises(NestcallError) as refused:
        await work  # type: ignore[misc]
    return refused.value.code


async def test_an_upload_survives_a_lost_connection_and_a_restarted_gateway(desk: Desk) -> None:
    anna, photo = desk.shop.anna, crafted.jpeg()
    file = await desk.uploads.begin(anna, desk.shop.anna_chat, "image", "baby.jpg", len(photo))

    async def cut() -> AsyncIterator[bytes]:
        yield photo[:1000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await desk.uploads.append(anna, file.id, 0, cut())
    again = desk.restarted()
    assert await again.offset(anna, file.id) == (1000, len(photo))
    assert await code(again.append(anna, file.id, 999, chunks(b"x"))) is ErrorCode.UPLOAD_OFFSET
    assert await code(again.finish(anna, file.id)) is ErrorCode.UPLOAD_OFFSET
    assert await again.append(anna, file.id, 1000, chunks(photo[1000:])) == len(photo)
    body = await again.finish(anna, file.id)
    assert isinstance(body, ImageBody)
    assert (body.width, body.height, body.file.name) == (640, 480, "baby.jpg")
    assert await again.offset(anna, file.id) == (body.file.size, body.file.size)


async def test_finish_is_done_once_however_often_it_is_asked_for(desk: Desk) -> None:
    file = await desk.uploaded(crafted.png())
    first = await desk.uploads.finish(desk.shop.anna, file)
    assert await desk.uploads.finish(desk.shop.anna, file) == first
    assert sorted(p.name for p in desk.uploads.vault.path(file, "part").parent.iterdir()) == ["content", "thumbnail"]


async def test_more_than_announced_is_refused_and_what_came_before_is_kept(desk: Desk) -> None:
    file = await desk.uploads.begin(desk.shop.anna, desk.shop.anna_chat, "image", "", 4096)
    assert await code(desk.uploads.append(desk.shop.anna, file.id, 0, chunks(bytes(5000)))) is ErrorCode.FILE_TOO_LARGE
    assert await desk.uploads.offset(desk.shop.anna, file.id) == (4096, 4096)


async def test_limits(desk: Desk) -> None:
    begin, anna, here = desk.uploads.begin, desk.shop.anna, desk.shop.anna_chat
    assert await code(begin(anna, here, "file", "a.pdf", desk.settings.max_upload + 1)) is ErrorCode.FILE_TOO_LARGE
    assert await code(begin(anna, here, "file", "a.pdf", 0)) is ErrorCode.FILE_BROKEN
    assert await code(begin(anna, here, "file", "run.exe", 10)) is ErrorCode.FILE_TYPE
    assert await code(begin(anna, desk.shop.bella_chat, "file", "a.pdf", 10)) is ErrorCode.NOT_FOUND
    for _ in range(MAX_OPEN):
        await begin(anna, here, "file", "a.pdf", 10)
    assert await code(begin(anna, here, "file", "a.pdf", 10)) is ErrorCode.TOO_FAST


async def test_a_day_has_a_total(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"max_upload_day": 1000})
    uploads, anna, here = desk.restarted(), desk.shop.anna, desk.shop.anna_chat
    await uploads.begin(anna, here, "file", "a.pdf", 600)
    with pytest.raises(TooMuch):
        await uploads.begin(anna, here, "file", "b.pdf", 600)
    desk.at = clock.after(desk.at, 25 * 3600)
    await uploads.begin(anna, here, "file", "b.pdf", 600)


async def test_a_full_disk_is_said_and_leaves_what_was_written_before(desk: Desk) -> None:
    file = await desk.uploads.begin(desk.shop.anna, desk.shop.anna_chat, "image", "", 100)
    part = desk.uploads.vault.path(file.id, "part")
    part.unlink()
    part.symlink_to("/dev/full")  # the kernel's own full disk
    with pytest.raises(StorageBroken) as full:
        await desk.uploads.append(desk.shop.anna, file.id, 0, chunks(b"x" * 100))
    assert full.value.code is ErrorCode.STORAGE_FULL


async def test_a_full_disk_takes_no_new_upload(desk: Desk) -> None:
    with pytest.raises(StorageBroken) as full:
        desk.uploads.vault.check_room(10**18)
    assert full.value.code is ErrorCode.STORAGE_FULL


async def test_voice_and_documents(desk: Desk, tmp_path: Path) -> None:
    voice = await desk.finished(crafted.recording(tmp_path / "r", "webm", "libopus", 2.0), "", "voice")
    assert isinstance(voice, VoiceBody)
    assert (voice.file.media_type, len(voice.waveform), voice.transcript) == ("audio/mp4", 64, "")
    paper = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    document = await desk.finished(paper, "报告.pdf", "file")
    assert isinstance(document, FileBody)
    assert desk.uploads.vault.path(document.file.id, "content").read_bytes() == paper
    assert isinstance(await desk.finished(crafted.jpeg(), "as-file.jpg", "file"), ImageBody)


async def test_a_photo_sent_as_a_file_leaves_no_trace_either(desk: Desk, tmp_path: Path) -> None:
    body = await desk.finished(crafted.traced_photo(tmp_path), "raw.jpg", "file")
    for part in ("content", "thumbnail"):
        assert "canary" not in crafted.exiftool(desk.uploads.vault.path(body.file.id, part))


async def test_only_what_was_sent_is_seen_by_others_and_a_recall_ends_it(desk: Desk) -> None:
    shop = desk.shop
    body = await desk.finished(crafted.jpeg(), "baby.jpg")
    file, everybody = body.file.id, (shop.anna, shop.advisor, shop.manager, shop.bella, shop.stranger)
    assert [await desk.seen_by(p, file) for p in everybody] == [True, False, False, False, False]
    sent = await shop.chat.send(shop.anna, shop.anna_chat, "nonce-0001", body)
    assert [await desk.seen_by(p, file) for p in everybody] == [True, True, True, False, False]
    await shop.chat.recall(shop.anna, shop.anna_chat, "nonce-0002", sent.seq)
    assert [await desk.seen_by(p, file) for p in everybody] == [False] * 5
    await desk.uploads.sweep()
    assert not desk.uploads.vault.path(file, "content").parent.exists()


async def test_the_gateway_believes_its_own_row_and_not_the_sender(desk: Desk) -> None:
    shop = desk.shop
    body = await desk.finished(crafted.jpeg(), "baby.jpg")
    assert isinstance(body, ImageBody)
    lie = replace_file(body, media_type="text/html", name="evil.html", size=1).model_copy(
        update={"width": 9, "height": 9}
    )
    sent = await shop.chat.send(shop.anna, shop.anna_chat, "nonce-0001", lie)
    assert sent.body == body
    assert (await shop.chat.send(shop.anna, shop.anna_chat, "nonce-0001", body)).seq == sent.seq
    assert await code(shop.chat.send(shop.anna, shop.anna_chat, "nonce-0002", body)) is ErrorCode.WRONG_STATE


def replace_file(body: ImageBody, **changes: object) -> ImageBody:
    return body.model_copy(update={"file": body.file.model_copy(update=changes)})


async def test_nobody_sends_somebody_elses_file(desk: Desk) -> None:
    shop = desk.shop
    body = await desk.finished(crafted.jpeg())
    for person, where in ((shop.bella, shop.bella_chat), (shop.advisor, shop.anna_chat)):
        assert await code(shop.chat.send(person, where, "nonce-0001", body)) is ErrorCode.NOT_FOUND


async def test_what_nobody_sends_is_gone_after_an_hour(desk: Desk) -> None:
    kept = await desk.finished(crafted.jpeg(), "kept.jpg")
    await desk.shop.chat.send(desk.shop.anna, desk.shop.anna_chat, "nonce-0001", kept)
    forgotten = await desk.finished(crafted.jpeg(), "forgotten.jpg")
    assert await desk.uploads.sweep() == 0
    desk.at = clock.after(desk.at, 3700)
    assert await desk.uploads.sweep() == 1
    assert desk.uploads.vault.path(kept.file.id, "content").exists()
    assert not desk.uploads.vault.path(forgotten.file.id, "content").exists()


async def test_a_cancelled_upload_is_gone_and_a_sent_one_stays(desk: Desk) -> None:
    file = await desk.uploaded(crafted.jpeg())
    await desk.uploads.drop(desk.shop.anna, file)
    assert await code(desk.uploads.offset(desk.shop.anna, file)) is ErrorCode.NOT_FOUND
    body = await desk.finished(crafted.jpeg())
    await desk.shop.chat.send(desk.shop.anna, desk.shop.anna_chat, "nonce-0001", body)
    with pytest.raises(Conflict):
        await desk.uploads.drop(desk.shop.anna, body.file.id)


async def test_a_refused_file_leaves_nothing(desk: Desk) -> None:
    file = await desk.uploaded(b"<svg onload=alert(1)>", "picture.png")
    for _ in range(2):
        with pytest.raises(BadInput) as refused:
            await desk.uploads.finish(desk.shop.anna, file)
        assert refused.value.code is ErrorCode.FILE_TYPE
    assert not desk.uploads.vault.path(file, "part").parent.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "f-" + "0" * 31 + "/", "f-..", "", "F-" + "0" * 32, "f-%2e%2e"])
async def test_only_our_own_names_become_paths(desk: Desk, name: str) -> None:
    with pytest.raises(NotYours):
        desk.uploads.vault.path(name, "content")
    assert await code(desk.uploads.offset(replace(desk.shop.anna), name)) is ErrorCode.NOT_FOUND
