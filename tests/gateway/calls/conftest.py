"""Whole calls: the real wire, real ICE, DTLS and RTP, benchmark engines, the real log."""

from collections.abc import AsyncIterator

import pytest

from gateway.settings import Settings
from tests.gateway.served import Served, served


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The greeting is 500 Hz, replies are 650 Hz and up: who speaks can be heard."""
    return settings.model_copy(update={"recognizer": "instant", "synthesizer": "tone", "responder": "instant"})


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[Served]:
    async with served(settings) as made:
        yield made
