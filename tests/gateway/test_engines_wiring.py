"""From settings and knowledge to engines, and what the HTTP engines do when the service misbehaves."""

from pathlib import Path
from typing import Any

import pytest

from gateway.dialogue.knowledge import Entry
from gateway.engines import MENU, choice, known_phrases, load_engines, phrases_of
from gateway.engines_http import RemoteRecognizer, RemoteSynthesizer, SpeechService
from gateway.errors import SettingsBroken
from gateway.settings import Settings
from gateway.store.engine import Store
from media.audio import EAR_HZ, silence
from media.errors import EngineFailed
from media.ports import Voice
from tests.fakes.openai_server import openai_server
from tests.fakes.toy_whisper import write_toy_whisper


def settings(tmp_path: Path, **changed: Any) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, edge_tts=False, **changed)


def names(tmp_path: Path, **changed: Any) -> tuple[str, str]:
    engines = load_engines(settings(tmp_path, **changed))
    return engines.names["recognizer"], engines.names["synthesizer"]


def test_with_nothing_there_the_lowest_rungs_stand(tmp_path: Path) -> None:
    engines = load_engines(settings(tmp_path))
    assert engines.names == {"recognizer": "phrasebook", "synthesizer": "espeak"}
    assert any("models pull" in line for line in engines.missing)


def test_a_service_is_above_the_phrasebook_and_espeak(tmp_path: Path) -> None:
    found = names(tmp_path, openai_speech_url="http://127.0.0.1:9/v1")
    assert found == ("openai whisper-1", "openai tts-1 > espeak")


def test_a_pulled_model_is_above_a_service(tmp_path: Path) -> None:
    write_toy_whisper(tmp_path / "models" / "tiny", "您好")
    write_toy_whisper(tmp_path / "models" / "base", "您好")
    assert names(tmp_path, openai_speech_url="http://127.0.0.1:9")[0] == "whisper base"
    assert names(tmp_path, whisper_model="tiny")[0] == "whisper tiny"
    assert names(tmp_path, whisper_model=str(tmp_path / "models" / "tiny"))[0] == "whisper tiny"


def test_a_sherpa_directory_without_its_engine_is_told(tmp_path: Path) -> None:
    place = tmp_path / "models" / "sherpa-onnx-sense-voice"
    place.mkdir(parents=True)
    (place / "tokens.txt").write_text("a 0")
    (place / "model.int8.onnx").write_bytes(b"")
    engines = load_engines(settings(tmp_path))
    assert engines.names["recognizer"] == "phrasebook"
    assert any("pip install sherpa-onnx" in line for line in engines.missing)


@pytest.mark.parametrize("wrong", [{"recognizer": "whisper"}, {"recognizer": "openai"}, {"synthesizer": "openai"}])
def test_a_rung_asked_for_by_name_must_stand(wrong: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsBroken):
        load_engines(settings(tmp_path, **wrong))


# ---------------------------------------------------------------- the phrasebook's phrases


def test_short_sayable_questions_become_phrases() -> None:
    entry = Entry(
        id="a",
        question="3段奶粉多少钱？",
        question_en="How much is it?",
        phrasings=("奶粉多少钱", "奶粉价格"),
        answer="…",
    )
    assert phrases_of([entry, entry]) == ("奶粉多少钱", "how much is it")


async def test_phrases_come_from_the_knowledge_of_the_shop(tmp_path: Path) -> None:
    store = await Store.open(settings(tmp_path))
    demo = await known_phrases(store, settings(tmp_path))
    none = await known_phrases(store, settings(tmp_path, demo=False))
    await store.close()
    assert len(demo) > 100
    assert none == ()
    assert choice(settings(tmp_path), demo).phrases[: len(MENU)] == MENU


# ---------------------------------------------------------------- services that misbehave


@pytest.mark.parametrize(("mode", "why"), [("broken", "HTTP 500"), ("garbage", "JSONDecodeError")])
async def test_a_bad_answer_of_the_recognizer_is_one_sentence(mode: str, why: str) -> None:
    async with openai_server() as server:
        server.mode = mode
        engine = RemoteRecognizer(SpeechService(server.url, "very-secret"), "whisper-1")
        stream = engine.stream("zh")
        stream.feed(silence(0.5, EAR_HZ))
        with pytest.raises(EngineFailed) as failure:
            await stream.final()
        await engine.close()
    assert why in str(failure.value)
    assert "very-secret" not in str(failure.value)
    assert server.url not in str(failure.value)


async def test_the_recognizer_is_told_language_and_hotwords() -> None:
    async with openai_server() as server:
        engine = RemoteRecognizer(SpeechService(server.url), "whisper-1")
        stream = engine.stream("zh", ("云柔纸尿裤", "启赋"))
        stream.feed(silence(0.5, EAR_HZ))
        assert (await stream.final()).text == server.text
        await engine.close()
    asked = server.asked[0]
    assert (asked["language"], asked["prompt"], asked["model"]) == ("zh", "云柔纸尿裤, 启赋", "whisper-1")
    assert server.heard_s == [0.5]


@pytest.mark.parametrize("mode", ["broken", "empty", "half"])
async def test_a_voice_that_does_not_come_is_engine_failed(mode: str) -> None:
    async with openai_server() as server:
        server.mode = mode
        engine = RemoteSynthesizer(SpeechService(server.url), "tts-1", "alloy")
        with pytest.raises(EngineFailed, match="openai"):
            _ = [speech async for speech in engine.speak("您好", Voice())]
        await engine.close()


async def test_the_voice_is_told_what_is_said_not_what_is_shown() -> None:
    async with openai_server() as server:
        engine = RemoteSynthesizer(SpeechService(server.url), "tts-1", "nova")
        _ = [speech async for speech in engine.speak("现价¥298", Voice(speed=9.0))]
        await engine.close()
    asked = server.asked[0]
    assert (asked["input"], asked["voice"], asked["speed"]) == ("现价两百九十八元", "nova", 4.0)


async def test_a_service_that_is_not_there_is_engine_failed() -> None:
    engine = RemoteSynthesizer(SpeechService("http://127.0.0.1:9"), "tts-1", "alloy")
    with pytest.raises(EngineFailed):
        _ = [speech async for speech in engine.speak("您好", Voice())]
    await engine.close()
