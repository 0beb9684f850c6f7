"""`nestcall serve`: one process, until SIGTERM."""

import asyncio
import gc
import os
import signal
import socket
import sys
from pathlib import Path

import typer
from aiohttp import web

from gateway.errors import SettingsBroken
from gateway.settings import Settings

DRAIN_S = 5.0
BACKLOG = 1024
SWITCH_S = 0.001
"""How long a thread that only computes (the red-flag rules) may keep the interpreter from one that waits for it. With
Python's 5 ms a write, which lets go of it at each statement, took twice as long beside such a thread."""


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        host: str | None = typer.Option(None, help="address to listen on"),
        port: int | None = typer.Option(None, help="port to listen on; 0 takes a free one"),
        data_dir: Path | None = typer.Option(None, help="database, files, models, secrets"),
    ) -> None:
        """Serve the pages, the API and the calls."""
        given = {"host": host, "port": port, "data_dir": data_dir}
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        asyncio.run(run(settings))


async def run(settings: Settings) -> None:
    """Raises `SettingsBroken` with one sentence when it cannot start."""
    from gateway.app import running  # aiortc and the engines take a moment: `--help` does not wait for them
    from gateway.commands.links import make_links, show
    from gateway.demo import load
    from gateway.http.routes import application
    from gateway.telemetry import set_up_logs

    sys.setswitchinterval(SWITCH_S)
    os.umask(0o077)  # what we write is about people
    prepare_data_dir(settings)
    set_up_logs(settings.log_level)
    stop = stop_signal()
    with bind(settings) as door:
        url = address(door, settings)
        async with running(settings) as gateway:
            if settings.demo:
                await load(gateway.store)
            links = await make_links(gateway.store, settings, url)
            runner = web.AppRunner(application(gateway), access_log=None, shutdown_timeout=DRAIN_S)
            await runner.setup()
            try:
                await listen(runner, door)
                gc.collect()
                gc.freeze()  # what is loaded by now stays: a collection that walked it would halt every call for 0.2 s
                gc.collect()  # the next full one comes when survivors have grown by a quarter: of nothing, from here
                show(url, links)
                await stop.wait()
                gateway.sockets.drain()
            finally:
                await runner.cleanup()


def prepare_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.data_dir, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError as error:
        reason = error.strerror or "not writable"
        raise SettingsBroken(detail=f"the data directory {settings.data_dir} cannot be used: {reason}") from None


def stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def bind(settings: Settings) -> socket.socket:
    """Before anything else: a taken port is said at once, and links can name the port that was free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise SettingsBroken(detail=f"cannot listen on {where}: {error.strerror or error}") from None


def address(door: socket.socket, settings: Settings) -> str:
    """Under what browsers reach us."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url.rstrip("/") or f"http://{host}:{door.getsockname()[1]}"


async def listen(runner: web.AppRunner, door: socket.socket) -> None:
    await web.SockSite(runner, door, backlog=BACKLOG).start()
