"""A real PostgreSQL for tests: one that answers, or a private cluster that lives as long as the test run."""

import asyncio
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

USUAL = "postgres://postgres@127.0.0.1:5432"


@contextmanager
def server() -> Iterator[str | None]:
    """Its URL without a database; None where there is neither a server nor the program."""
    for url in (os.environ.get("NESTCALL_TEST_POSTGRES", ""), USUAL):
        if url and asyncio.run(answers(url)):
            yield url.rstrip("/")
            return
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        yield None
        return
    with cluster(Path(programs[-1])) as url:
        yield url


async def answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url + "/postgres", timeout=2)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    home = Path(tempfile.mkdtemp(prefix="nestcall-pg-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(home / "data")

    def run(program: str, *arguments: str) -> None:
        subprocess.run([programs / program, *arguments], user=user, check=True, capture_output=True, cwd=home)

    try:
        run("initdb", "-D", data, "-U", "postgres", "-A", "trust")
        options = f"-p {port} -h 127.0.0.1 -k {home} -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", str(home / "log"), "-o", options, "start")
        yield f"postgres://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], user=user, check=False, cwd=home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def database(url: str) -> Iterator[str]:
    """A fresh database as a SQLAlchemy URL; gone afterwards."""
    name = f"nestcall_{uuid4().hex[:12]}"
    asyncio.run(command(url, f"create database {name}"))
    try:
        yield f"{url.replace('postgres://', 'postgresql+asyncpg://')}/{name}"
    finally:
        asyncio.run(command(url, f"drop database {name} with (force)"))


async def command(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url + "/postgres")
    await connection.execute(statement)
    await connection.close()
