"""What is generated for the pages is what the gateway says now."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("script", ["gen-types", "gen-fold-cases"])
def test_the_generated_file_is_fresh(script: str) -> None:
    check = subprocess.run([sys.executable, ROOT / "scripts" / script, "--check"], timeout=60)
    assert check.returncode == 0, "run `make types`"
