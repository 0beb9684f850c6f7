"""300 crafted bad files over HTTP: a coded error each, others undisturbed, nothing left behind, an honest photo goes
through afterwards."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.files.uploads import Uploads
from gateway.settings import Settings
from gateway.store.engine import Store
from signaling.protocol import ImageBody
from tests.gateway.files import crafted
from tests.gateway.files.bad import Bad, everything
from tests.gateway.served import Served, chatting, served
from tests.gateway.shop import Shop, furnished

TUS = {"Tus-Resumable": "1.0.0"}
CUSTOMER, ADVISOR, NOBODY = "customer-lili", "advisor-chen", "customer-emma"
SCRIPT = b"<script>alert('canary')</script>"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    store = await Store.open(Settings(data_dir=tmp_path, _env_file=None))
    yield await furnished(store)
    await store.close()


def uploads_of(shop: Shop, folder: Path) -> Uploads:
    return Uploads(shop.store, Settings(data_dir=folder, max_upload_day=2**40, _env_file=None))


@pytest.mark.slow
async def test_each_is_refused_with_a_code_while_others_chat_on(settings: Settings, tmp_path: Path) -> None:
    crafted_in = tmp_path / "crafted"
    crafted_in.mkdir()
    bad_ones = everything(crafted_in)
    assert len(bad_ones) >= 300
    generous = settings.model_copy(update={"max_upload_day": 2**40, "trusted_proxies": ("127.0.0.1",)})
    async with served(generous) as s, s.connect(CUSTOMER) as mother, s.connect(ADVISOR) as advisor:
        conversation, over = await s.conversation(CUSTOMER), asyncio.Event()
        await advisor.ask("conversation.open", conversation=conversation, after=0)
        chat = asyncio.create_task(chatting(mother, advisor, conversation, over))
        stranger = Stranger(s, await s.token(NOBODY), await s.conversation(NOBODY))
        wrong = {bad.what: code for bad in bad_ones if (code := await stranger.sends(bad)) not in bad.code}
        over.set()
        said, heard = await chat
        assert wrong == {}
        assert said == heard
        assert len(said) > 20
        assert s.gateway.uploads.vault.older(-60) == []
        honest = await stranger.sends(Bad("honest", "a.jpg", "image", crafted.jpeg(), ()))
        assert json.loads(honest)["body"]["kind"] == "image"


@dataclass
class Stranger:
    served: Served
    token: str
    conversation: str
    tries: int = 0

    async def sends(self, bad: Bad) -> str:
        """The code it was refused with, or what it became. Each file from another address: no limit per minute."""
        self.tries += 1
        address = f"10.0.{self.tries // 250}.{self.tries % 250}"
        headers = {**TUS, "Authorization": f"Bearer {self.token}", "X-Forwarded-For": address}
        told = {"conversation": self.conversation, "purpose": bad.purpose, "name": bad.name}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
        new = {"Upload-Length": str(len(bad.content)), "Upload-Metadata": metadata}
        http, url = self.served.http, self.served.url
        async with http.post(f"{url}/api/v1/uploads", headers=headers | new) as begun:
            if begun.status != 201:
                return str((await begun.json())["code"])
            place = url + begun.headers["Location"]
        offset = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        async with http.patch(place, headers=headers | offset, data=bad.content) as come:
            if come.status != 204:
                return str((await come.json())["code"])
        async with http.post(place + "/finish", headers=headers) as finished:
            return await finished.text() if finished.status == 200 else str((await finished.json())["code"])


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
