"""Fixtures of the gateway's tests."""

from pathlib import Path

import pytest

from gateway.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, port=0, log_level="ERROR", _env_file=None)
