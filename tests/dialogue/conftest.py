"""The demo chain in a fresh database, and the assistant over it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import demo
from gateway.dialogue import safety
from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.library import Library
from gateway.dialogue.ports import Closing, Context, Say
from gateway.dialogue.tools import Desk
from gateway.dialogue.tools.own import OwnShop
from gateway.settings import Settings
from gateway.store.engine import Store

NOW = "2026-11-24T10:30:00+08:00"  # a Tuesday
LILI = Context("c-lili", "customer-lili", "store-xuhui", "zh", "text", baby_age_days=(245,), now=NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(Settings(data_dir=tmp_path, demo=False, log_level="ERROR", _env_file=None))
    await demo.load(opened, now=lambda: "2026-11-24T02:30:00.000000Z")
    yield opened
    await opened.close()


@pytest.fixture
async def assistant(store: Store) -> AsyncIterator[Assistant]:
    library = Library(store)
    yield Assistant(library, safety, Desk(OwnShop(store)))
    library.close()


@pytest.fixture
def context() -> Context:
    return LILI


async def ask(assistant: Assistant, text: str, context: Context = LILI, **changes: Any) -> Closing:
    """The closing; what was said piece by piece adds up to it."""
    pieces = [piece async for piece in assistant.answer(text, replace(context, **changes))]
    assert isinstance(pieces[-1], Closing)
    said = "".join(piece.text for piece in pieces if isinstance(piece, Say))
    assert said.replace(" ", "") == pieces[-1].text.replace(" ", "")
    return pieces[-1]
