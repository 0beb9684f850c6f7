"""What is committed in web/static is what web/src builds, and web/src passes its own tests and budgets."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT

WEB = ROOT / "web"
pytestmark = pytest.mark.skipif(not (WEB / "node_modules/.bin/vite").exists(), reason="cd web && npm ci")


def npm(*command: str) -> str:
    done = subprocess.run(["npx", "--no-install", *command], cwd=WEB, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_committed_pages_are_fresh(tmp_path: Path) -> None:
    npm("tsc", "--noEmit")
    npm("vite", "build", "--outDir", str(tmp_path / "static"))
    built, committed = files(tmp_path / "static"), files(WEB / "static")
    assert sorted(built) == sorted(committed), "run `make web`"
    assert built == committed, "run `make web`"


def test_the_pages_own_tests_pass() -> None:
    npm("vitest", "run")


def test_the_pages_keep_their_budgets() -> None:
    done = subprocess.run(["node", "scripts/budget.mjs"], cwd=WEB, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
