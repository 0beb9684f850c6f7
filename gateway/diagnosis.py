"""What works here, what does not, and how to get it: the checks of `nestcall doctor`.

Each check tries the real thing (binds the port, speaks a word, asks the TURN server) and changes nothing that stays.
"""

import asyncio
import os
import platform
import shutil
import socket
import sqlite3
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gateway.settings import Settings

Level = Literal["ok", "weak", "broken"]
PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0"}
"""media.rtc_patches touches private names of exactly these."""
LOW_DISK, NO_DISK = 2 * 1024**3, 200 * 1024**2
STUN_BINDING = struct.pack(">HHI12s", 0x0001, 0, 0x2112A442, b"nestcall-doc")
"""RFC 8489: a binding request without attributes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` in both languages; `fix`: what to do, in both, empty when all is well."""

    level: Level
    name: str
    what: str
    fix: str = ""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    for check in CHECKS:
        yield await check(settings)


async def versions(_: Settings) -> Finding:
    wrong = [f"{name} {_version(name)} ≠ {wanted}" for name, wanted in PINNED.items() if _version(name) != wanted]
    what = f"Python {platform.python_version()}, aiortc {_version('aiortc')}, av {_version('av')}"
    if wrong:
        fix = f"版本不符 {', '.join(wrong)}：运行 make setup · wrong versions: run `make setup`"
        return Finding("broken", "版本 versions", what, fix)
    return Finding("ok", "版本 versions", what)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


async def pages(_: Settings) -> Finding:
    from gateway.http.pages import STATIC

    missing = [name for name in ("index.html", "console.html", "manager.html") if not (STATIC / name).is_file()]
    if missing:
        return Finding("broken", "页面 pages", ", ".join(missing), "页面未构建：make web · not built: run `make web`")
    return Finding("ok", "页面 pages", f"{len(list(STATIC.rglob('*')))} files")


async def disk(settings: Settings) -> Finding:
    place = settings.data_dir.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    what = f"{free / 1024**3:.1f} GB · {settings.data_dir}"
    fix = "磁盘空间不足，请清理 · free some disk space"
    return Finding("broken" if free < NO_DISK else "weak" if free < LOW_DISK else "ok", "磁盘 disk", what,
                   fix if free < LOW_DISK else "")  # fmt: skip


async def database(settings: Settings) -> Finding:
    from sqlalchemy import make_url

    name, url = "数据库 database", make_url(settings.database)
    fix = "检查 NESTCALL_DATABASE_URL 与数据库服务 · check NESTCALL_DATABASE_URL and the server"
    try:
        if url.get_backend_name() == "sqlite":
            there = await asyncio.to_thread(_open_sqlite, Path(url.database or ""))
            return Finding("ok", name, "SQLite" if there else "SQLite · 首次启动时创建 made at first start")
        await _ask_server(settings.database)
        return Finding("ok", name, url.get_backend_name())
    except Exception as error:  # every driver has its own
        return Finding("broken", name, f"{url.get_backend_name()}: {type(error).__name__}", fix)


def _open_sqlite(path: Path) -> bool:
    """False: not made yet. Not through aiosqlite, whose thread outlives a failed start."""
    if not path.exists():
        place = next(parent for parent in path.resolve().parents if parent.exists())
        if not os.access(place, os.W_OK):
            raise PermissionError(place)
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("select count(*) from sqlite_master")
    return True


async def _ask_server(url: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url)
    try:
        async with asyncio.timeout(5), engine.connect() as connection:
            await connection.execute(text("select 1"))
    finally:
        await engine.dispose()


async def redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("ok", "Redis", "单机无需 not needed for one gateway")
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(settings.redis_url, socket_connect_timeout=3)
    try:
        await client.ping()
        return Finding("ok", "Redis", "reachable")
    except (RedisError, OSError) as error:
        fix = "检查 NESTCALL_REDIS_URL · check NESTCALL_REDIS_URL"
        return Finding("broken", "Redis", type(error).__name__, fix)
    finally:
        await client.aclose()


async def port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((settings.host, settings.port))
    except OSError as error:
        fix = "端口被占用（或已在运行）：换一个 PORT · taken, or Nestcall is already running: choose another PORT"
        return Finding("weak", "端口 port", f"{where}: {error.strerror}", fix)
    return Finding("ok", "端口 port", f"{where} free")


async def media_ports(settings: Settings) -> Finding:
    low, _, high = settings.ice_ports.partition("-")
    if not settings.ice_ports:
        return Finding("ok", "媒体端口 media ports", "任意 UDP any · 有防火墙请设 NESTCALL_ICE_PORTS")
    try:
        numbers = range(int(low), int(high or low) + 1)
    except ValueError:
        fix = "写法如 50000-50200 · write it like 50000-50200"
        return Finding("broken", "媒体端口 media ports", settings.ice_ports, fix)
    free = sum(_udp_free(number) for number in numbers)
    level: Level = "ok" if free >= settings.max_calls * 2 else "weak"
    fix = "" if level == "ok" else "端口太少 too few for NESTCALL_MAX_CALLS: widen NESTCALL_ICE_PORTS"
    return Finding(level, "媒体端口 media ports", f"{settings.ice_ports}: {free} free", fix)


def _udp_free(number: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", number))
        except OSError:
            return False
    return True


async def microphone(settings: Settings) -> Finding:
    """Browsers give the microphone to secure contexts only: https, or the machine itself."""
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return Finding("ok", "麦克风 microphone", f"{url} 浏览器允许 allowed by browsers")
    fix = "浏览器只在 https 或本机给麦克风 · put https in front of it and set NESTCALL_PUBLIC_URL"
    return Finding("weak", "麦克风 microphone", f"{url} 不是安全来源 not a secure context", fix)


async def turn(settings: Settings) -> Finding:
    if not settings.ice_servers:
        fix = "严格的网络里打不通：设 NESTCALL_ICE_SERVERS · strict firewalls need one: run coturn"
        return Finding("weak", "TURN", "未配置 none", fix)
    silent = [url for url in settings.ice_servers if not await _answers_stun(url)]
    if silent:
        fix = "检查服务与防火墙（UDP） · check the server and the firewall (UDP)"
        return Finding("broken", "TURN", f"{', '.join(silent)} 无应答 no answer", fix)
    if any(url.startswith("turn") for url in settings.ice_servers) and not settings.turn_secret.get_secret_value():
        return Finding("broken", "TURN", "无密钥 no secret", "设 NESTCALL_TURN_SECRET · set NESTCALL_TURN_SECRET")
    return Finding("ok", "TURN", ", ".join(settings.ice_servers))


async def _answers_stun(url: str) -> bool:
    """A TURN server answers STUN binding requests on its UDP port (RFC 8656)."""
    host, _, number = url.split(":", 1)[1].split("?")[0].lstrip("/").rpartition(":")
    address = (host or number, int(number) if host and number.isdigit() else 3478)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            async with asyncio.timeout(2):
                found = await loop.getaddrinfo(*address, family=socket.AF_INET, type=socket.SOCK_DGRAM)
                await loop.sock_connect(probe, found[0][4])
                await loop.sock_sendall(probe, STUN_BINDING)
                return len(await loop.sock_recv(probe, 1500)) >= 20
        except (OSError, TimeoutError):
            return False


async def recognizer(settings: Settings) -> Finding:
    """Loads it and has it hear a word."""
    from gateway.engines import choice
    from media.audio import EAR_HZ, silence
    from media.engines import ladder
    from media.errors import EngineFailed

    name, lines = "语音识别 recognizer", list[str]()
    try:
        engine = await asyncio.to_thread(ladder.recognizer, choice(settings), lines)
        if engine is None:
            fix = "通话中可按键、点选、打字 · calls work by keys, taps and typing. `nestcall models pull base`"
            return Finding("weak", name, "无 none", fix)
        stream = engine.stream("zh")
        stream.feed(silence(1.0, EAR_HZ))
        await stream.final()
        await engine.close()
    except EngineFailed as failure:
        return Finding("broken", name, str(failure), "运行 nestcall models list · run `nestcall models list`")
    if engine.name == "phrasebook":
        fix = "只懂固定说法：nestcall models pull base · only fixed phrases: run `nestcall models pull base`"
        return Finding("weak", name, engine.name, fix)
    return Finding("ok", name, engine.name, " · ".join(lines))


async def synthesizer(settings: Settings) -> Finding:
    """Speaks a word and tells which rung did."""
    from gateway.engines import choice
    from media.engines import ladder
    from media.errors import EngineFailed
    from media.ports import Voice

    name = "语音合成 synthesizer"
    try:
        engine = ladder.synthesizer(choice(settings), [])
        if engine is None:
            return Finding("weak", name, "无 none", "只有字幕 · captions only")
        seconds = sum([piece.chunk.seconds async for piece in engine.speak("您好", Voice())])
        used = engine.name
        await engine.close()
    except EngineFailed as failure:
        return Finding("broken", name, str(failure), "运行 make setup · run `make setup`")
    if settings.synthesizer in ("auto", "edge", "openai") and used == "espeak":
        fix = "联网的声音不可用 · no network voice answers: set NESTCALL_OPENAI_SPEECH_URL"
        return Finding("weak", name, used, fix)
    return Finding("ok" if seconds else "broken", name, f"{used} ({seconds:.1f} s)")


async def responder(settings: Settings) -> Finding:
    name = "应答 responder"
    if settings.responder in ("retrieval", "instant"):
        return Finding("ok", name, settings.responder)
    if not settings.llm_url:
        return Finding("ok", name, "知识库检索 retrieval · 可选 optional: NESTCALL_LLM_URL")
    import aiohttp

    headers = {"Authorization": f"Bearer {settings.llm_key.get_secret_value()}"} if settings.llm_key else {}
    url = settings.llm_url.rstrip("/").removesuffix("/v1") + "/v1/models"
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as client, client.get(url) as answer:
            if answer.status < 400:
                return Finding("ok", name, f"LLM {settings.llm_model}")
            why = f"HTTP {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = type(error).__name__
    fix = "暂用知识库检索；检查 NESTCALL_LLM_URL / _KEY · falls back to retrieval; check NESTCALL_LLM_URL and its key"
    return Finding("weak", name, f"LLM {why}", fix)


async def embeddings(settings: Settings) -> Finding:
    """Has two words embedded, as the re-ranker would."""
    from time import perf_counter

    from gateway.dialogue.embeddings import Embeddings
    from gateway.errors import EngineBroken

    name = "重排 re-ranker"
    if not settings.embeddings_url:
        return Finding("ok", name, "无 none · 可选 optional: NESTCALL_EMBEDDINGS_URL")
    model = Embeddings(settings.embeddings_url, settings.embeddings_key.get_secret_value(), settings.embeddings_model)
    began = perf_counter()
    try:
        vectors = await model.of(["奶瓶", "bottle"], 5.0)
    except EngineBroken as error:
        fix = "暂用知识库检索；检查 NESTCALL_EMBEDDINGS_URL / _KEY / _MODEL · retrieval goes on without it; check these"
        return Finding("weak", name, error.detail, fix)
    took = 1_000 * (perf_counter() - began)
    return Finding("ok", name, f"{settings.embeddings_model} · {len(vectors[0])} numbers · {took:.0f} ms")


CHECKS: tuple[Callable[[Settings], Awaitable[Finding]], ...] = (
    versions, pages, disk, database, redis, port, media_ports, microphone, turn, recognizer, synthesizer, responder,
    embeddings,
)  # fmt: skip
