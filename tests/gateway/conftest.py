"""Fixtures of the gateway's tests. `database` runs a test on SQLite and again on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.fakes import postgres


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, port=0, log_level="ERROR", recognizer="none", synthesizer="none", _env_file=None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres.server() as url:
        if url is None:
            pytest.skip("no PostgreSQL: make setup-test installs one")
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    if request.param == "sqlite":
        yield settings
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as url:
        yield settings.model_copy(update={"database_url": url})
