"""`nestcall doctor` and `nestcall models`: each finding against the real thing, and the exit codes."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import diagnosis
from gateway.cli import build
from gateway.commands.doctor import report
from gateway.commands.models import NAMES, listed
from gateway.errors import EngineBroken
from gateway.settings import Settings
from media.engines.models import WHISPER
from tests.fakes.toy_whisper import write_toy_whisper


def settings(tmp_path: Path, **changed: Any) -> Settings:
    offline = {"data_dir": tmp_path, "port": 0, "edge_tts": False, "recognizer": "none", "synthesizer": "espeak"}
    return Settings(_env_file=None, **(offline | changed))  # type: ignore[call-arg, arg-type]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_a_plain_installation_is_healthy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await report(settings(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "✓ 语音合成 synthesizer  espeak" in out
    assert "! TURN" in out


async def test_a_taken_port_is_named(tmp_path: Path, taken: int) -> None:
    finding = await diagnosis.port(settings(tmp_path, port=taken))
    assert finding.level == "weak"
    assert str(taken) in finding.what


@pytest.mark.parametrize(
    ("url", "level"),
    [("", "ok"), ("https://shop.example", "ok"), ("http://192.168.1.5:8080", "weak"), ("http://localhost:80", "ok")],
)
async def test_the_microphone_needs_a_secure_context(url: str, level: str, tmp_path: Path) -> None:
    assert (await diagnosis.microphone(settings(tmp_path, public_url=url))).level == level


@pytest.mark.parametrize(("ports", "level"), [("", "ok"), ("abc", "broken"), ("40000-40001", "weak")])
async def test_media_ports_are_counted(ports: str, level: str, tmp_path: Path) -> None:
    assert (await diagnosis.media_ports(settings(tmp_path, ice_ports=ports))).level == level


class Stun(asyncio.DatagramProtocol):
    """Answers a binding request with an empty success (RFC 8489)."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(b"\x01\x01\x00\x00" + data[4:20], addr)


async def test_turn_is_asked(tmp_path: Path) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Stun, ("127.0.0.1", 0))
    number = transport.get_extra_info("sockname")[1]
    url = f"turn:127.0.0.1:{number}?transport=udp"
    assert (await diagnosis.turn(settings(tmp_path, ice_servers=(url,), turn_secret="s"))).level == "ok"
    assert (await diagnosis.turn(settings(tmp_path, ice_servers=(url,)))).level == "broken"
    transport.close()


async def test_a_dead_turn_server_is_broken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    finding = await diagnosis.turn(settings(tmp_path, ice_servers=(f"turn:127.0.0.1:{number}",), turn_secret="s"))
    assert finding.level == "broken"


async def test_a_database_that_does_not_answer_is_broken(tmp_path: Path) -> None:
    nobody = settings(tmp_path, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none")
    assert (await diagnosis.database(nobody)).level == "broken"
    (tmp_path / "nestcall.db").write_bytes(b"this is no database, only text" * 100)
    assert (await diagnosis.database(settings(tmp_path))).level == "broken"


async def test_redis_that_does_not_answer_is_broken(tmp_path: Path) -> None:
    assert (await diagnosis.redis(settings(tmp_path, redis_url="redis://127.0.0.1:1"))).level == "broken"


async def test_an_llm_that_does_not_answer_is_weak_not_broken(tmp_path: Path) -> None:
    assert (await diagnosis.responder(settings(tmp_path, llm_url="http://127.0.0.1:1"))).level == "weak"


async def test_a_model_is_loaded_and_heard(tmp_path: Path) -> None:
    await asyncio.to_thread(write_toy_whisper, tmp_path / "models" / "base", "您好")
    finding = await diagnosis.recognizer(settings(tmp_path, recognizer="auto"))
    assert (finding.level, finding.what) == ("ok", "whisper base")


def test_the_list_of_models_says_what_calls_use_and_how_to_get_more(tmp_path: Path) -> None:
    house = settings(tmp_path)
    assert [line.split()[-1] for line in listed(house)][:-1] == list(WHISPER)
    assert list(listed(house))[-1].startswith("!")
    for name in ("tiny", "base"):
        (house.models_dir / name).mkdir(parents=True)
        for file in ("model.bin", "config.json"):
            (house.models_dir / name / file).write_bytes(b"x" * 10**6)
    lines = {line.split()[1]: line for line in listed(house) if line.startswith("✓")}
    assert {name: "calls use" in line for name, line in lines.items()} == {"tiny": False, "base": True}


async def test_a_chosen_recognizer_that_is_not_there_is_broken(tmp_path: Path) -> None:
    assert (await diagnosis.recognizer(settings(tmp_path, recognizer="whisper"))).level == "broken"


async def test_a_broken_model_is_a_finding(tmp_path: Path) -> None:
    place = tmp_path / "models" / "base"
    place.mkdir(parents=True)
    for name in ("model.bin", "config.json"):
        (place / name).write_bytes(b"not a model")
    assert (await diagnosis.recognizer(settings(tmp_path, recognizer="auto"))).level == "broken"


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"NESTCALL_ICE_PORTS": "abc"}, 1)])
def test_doctor_tells_by_its_exit_code(environment: dict[str, str], code: int, tmp_path: Path) -> None:
    offline = {"NESTCALL_EDGE_TTS": "0", "NESTCALL_RECOGNIZER": "none", "NESTCALL_PORT": "0"}
    environment = offline | {"NESTCALL_DATA_DIR": str(tmp_path)} | environment
    result = CliRunner().invoke(build(), ["doctor"], env=environment)
    assert result.exit_code == code, result.output


# ---------------------------------------------------------------- models


def test_models_lists_what_is_here_and_what_could_be(tmp_path: Path) -> None:
    write_toy_whisper(tmp_path / "models" / "base", "您好")
    lines = CliRunner().invoke(build(), ["models", "list"], env={"NESTCALL_DATA_DIR": str(tmp_path)}).output
    assert "✓ base" in lines
    assert "  tiny" in lines
    assert NAMES.split(" | ") == list(WHISPER)


def test_models_path_is_where_they_are_found(tmp_path: Path) -> None:
    out = CliRunner().invoke(build(), ["models", "path"], env={"NESTCALL_DATA_DIR": str(tmp_path)}).output
    assert Path(out.strip()) == (tmp_path / "models").resolve()


@pytest.mark.parametrize(("name", "says"), [("nope", "no model 'nope'"), ("tiny", "Is it reachable")])
def test_pull_fails_in_a_sentence(name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    result = CliRunner().invoke(build(), ["models", "pull", name], env={"NESTCALL_DATA_DIR": str(tmp_path)})
    assert isinstance(result.exception, EngineBroken)
    assert says in result.exception.detail
