"""What holds for every test."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command under test sets logging up on a stream that is closed when it ends."""
    yield
    structlog.reset_defaults()
