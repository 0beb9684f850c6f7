"""300 crafted bad files: a coded error each, nothing left behind, and the next honest photo goes through."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import NestcallError
from gateway.files.uploads import Uploads
from gateway.settings import Settings
from gateway.store.engine import Store
from signaling.protocol import ImageBody
from tests.gateway.files import crafted
from tests.gateway.files.bad import Bad, everything
from tests.gateway.shop import Shop, furnished

SCRIPT = b"<script>alert('canary')</script>"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    store = await Store.open(Settings(data_dir=tmp_path, _env_file=None))
    yield await furnished(store)
    await store.close()


def uploads_of(shop: Shop, folder: Path) -> Uploads:
    return Uploads(shop.store, Settings(data_dir=folder, max_upload_day=2**40, _env_file=None))


async def send(uploads: Uploads, shop: Shop, bad: Bad) -> str:
    """The code it was refused with, or what it became."""

    async def chunks() -> AsyncIterator[bytes]:
        yield bad.content

    try:
        file = await uploads.begin(shop.anna, shop.anna_chat, bad.purpose, bad.name, len(bad.content))
        await uploads.append(shop.anna, file.id, 0, chunks())
        return repr(await uploads.finish(shop.anna, file.id))
    except NestcallError as refused:
        return refused.code


@pytest.mark.slow
async def test_each_is_refused_with_a_code(shop: Shop, tmp_path: Path) -> None:
    uploads = uploads_of(shop, tmp_path)
    bad_ones = everything(tmp_path)
    assert len(bad_ones) >= 300
    wrong = {bad.what: code for bad in bad_ones if (code := await send(uploads, shop, bad)) not in bad.code}
    assert wrong == {}
    assert uploads.vault.older(-60) == []
    honest = await send(uploads, shop, Bad("honest", "a.jpg", "image", crafted.jpeg(), ()))
    assert "ImageBody" in honest


POLYGLOTS = {
    "after the end": lambda photo: photo + SCRIPT,
    "in a comment": lambda photo: photo[:2] + b"\xff\xfe\x00\x22" + SCRIPT + photo[2:],
    "as a second file": lambda photo: photo + b"PK\x03\x04" + SCRIPT,
    "before a second photo": lambda photo: photo + SCRIPT + photo,
}


@pytest.mark.parametrize("how", POLYGLOTS)
async def test_a_photo_that_is_also_a_page_is_only_a_photo_afterwards(shop: Shop, tmp_path: Path, how: str) -> None:
    uploads = uploads_of(shop, tmp_path)
    content = POLYGLOTS[how](crafted.jpeg())
    assert b"canary" in content

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    file = await uploads.begin(shop.anna, shop.anna_chat, "image", "a.jpg", len(content))
    await uploads.append(shop.anna, file.id, 0, chunks())
    assert isinstance(await uploads.finish(shop.anna, file.id), ImageBody)
    for part in ("content", "thumbnail"):
        assert b"canary" not in uploads.vault.path(file.id, part).read_bytes()
