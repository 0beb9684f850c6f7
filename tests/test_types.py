"""web/src/protocol.gen.ts is what signaling.protocol says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_generated_typescript_is_fresh() -> None:
    check = subprocess.run([sys.executable, ROOT / "scripts/gen-types", "--check"], timeout=60)
    assert check.returncode == 0, "run `make types`"
