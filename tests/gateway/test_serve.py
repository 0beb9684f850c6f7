"""`nestcall serve` as a process: it starts, prints how to get in, stops when asked, and fails in one sentence."""

import asyncio
import os
import re
import signal
import socket
import stat
import sys
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"NESTCALL_RECOGNIZER": "none", "NESTCALL_SYNTHESIZER": "none", "NESTCALL_LOG_LEVEL": "ERROR"}

pytestmark = pytest.mark.slow


async def serve(data: Path, port: int = 0) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway.cli", "serve", "--port", str(port), "--data-dir", str(data)),
        cwd=ROOT,
        env=os.environ | QUIET,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def failure(data: Path, port: int = 0) -> str:
    """What it says when it cannot start."""
    process = await serve(data, port)
    async with asyncio.timeout(90):
        _, errors = await process.communicate()
    assert process.returncode == 1, errors.decode()
    return errors.decode()


async def test_it_serves_prints_links_that_work_and_stops_politely(tmp_path: Path) -> None:
    process = await serve(tmp_path)
    assert process.stdout is not None
    async with asyncio.timeout(90):
        head = (await process.stdout.readline()).decode()
        url = re.search(r"http://[\d.:]+", head)
        assert url is not None
        await process.stdout.readline()
        links = [(await process.stdout.readline()).decode() for _ in range(6)]
    assert [line.split()[0] for line in links] == ["manager"] + ["advisor"] * 5
    kept = tmp_path / "sign-in-links.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "nestcall.db").stat().st_mode) & 0o077 == 0
    async with aiohttp.ClientSession() as http:
        async with http.get(links[0].split()[-1], allow_redirects=False) as signed_in:
            assert (signed_in.status, signed_in.headers["Location"]) == (303, "/manager")
        async with http.get(url.group() + "/readyz") as ready:
            assert ready.status == 200
        async with http.ws_connect(url.group() + "/ws") as ws:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                while (await ws.receive()).type is not aiohttp.WSMsgType.CLOSED:
                    pass
                assert await process.wait() == 0


async def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = await failure(tmp_path, taken.getsockname()[1])
    assert said.startswith("nestcall: cannot listen on 127.0.0.1:")
    assert said.count("\n") == 1


async def test_an_unusable_data_directory_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = await failure(tmp_path / "file" / "var")
    assert said.startswith("nestcall: the data directory")
    assert said.count("\n") == 1


async def test_a_broken_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "nestcall.db").write_bytes(b"no database " * 1000)
    said = await failure(tmp_path)
    assert said.startswith("nestcall: the database cannot be opened")
    assert said.count("\n") == 1
