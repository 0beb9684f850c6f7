"""The rungs of the synthesizer ladder and how a call steps down them."""

import asyncio
from contextlib import aclosing

import pytest

from media.engines import EngineChoice, load
from media.engines.edge import EdgeSynthesizer
from media.engines.espeak import EspeakSynthesizer
from media.engines.fake import SteadySynthesizer
from media.engines.fallback import COOL_S, SynthesizerLadder
from media.engines.prerendered import Prerendered
from media.errors import EngineFailed
from media.ports import Speech, Synthesizer, Voice
from tests.fakes.edge_server import edge_server

TEXT = "您好，请问宝宝几个月大了？"


async def said(engine: Synthesizer, text: str = TEXT, voice: Voice | None = None) -> list[Speech]:
    return [speech async for speech in engine.speak(text, voice or Voice())]


def tiled(pieces: list[Speech], text: str) -> bool:
    return "".join(text[p.start : p.end] for p in pieces) == text


async def test_edge_streams_words_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge_server(monkeypatch):
        pieces = await said(EdgeSynthesizer())
    assert sum(p.chunk.seconds for p in pieces) == pytest.approx(1.5, abs=0.1)
    assert tiled(pieces, TEXT)
    at = 0.0
    for piece in pieces:
        if TEXT[piece.start : piece.end].startswith("，请问"):
            assert at == pytest.approx(0.6, abs=0.15)
        at += piece.chunk.seconds


@pytest.mark.parametrize("mode", ["refuse", "half"])
async def test_edge_failure_is_engine_failed(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge_server(monkeypatch) as server:
        server.mode = mode
        with pytest.raises(EngineFailed, match="edge-tts"):
            await said(EdgeSynthesizer())


async def test_edge_can_be_closed_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge_server(monkeypatch), aclosing(EdgeSynthesizer().speak(TEXT, Voice())) as pieces:
        assert (await anext(pieces)).chunk.seconds > 0
    assert not [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]


async def test_ladder_goes_on_where_a_rung_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge_server(monkeypatch) as server:
        server.mode = "half"
        ladder = SynthesizerLadder([EdgeSynthesizer(), SteadySynthesizer()])
        pieces = await said(ladder)
        assert tiled(pieces, TEXT)
        assert ladder.name == "steady"
        await ladder.close()


class Failing(SteadySynthesizer):
    name = "failing"


async def test_a_call_never_waits_twice_and_the_probe_brings_a_rung_back() -> None:
    now = 0.0
    better, plain = Failing(), SteadySynthesizer()
    better.broken = True
    ladder = SynthesizerLadder([better, plain], clock=lambda: now)
    for _ in range(3):
        assert tiled(await said(ladder, "你好"), "你好")
    assert better.spoken == ["你好"]
    now, better.broken = COOL_S + 1, False
    await said(ladder, "你好")
    assert plain.spoken == ["你好"] * 4
    await asyncio.sleep(0.01)
    await said(ladder, "再见")
    assert better.spoken[-1] == "再见"
    await ladder.close()


async def test_when_all_rungs_fail_the_port_says_so() -> None:
    last = SteadySynthesizer()
    last.broken = True
    with pytest.raises(EngineFailed):
        await said(SynthesizerLadder([last]))


async def test_prerendered_line_is_not_asked_for_again() -> None:
    engine = SteadySynthesizer()
    ready = Prerendered(engine)
    await ready.warm([("您好", Voice())])
    assert tiled(await said(ready, "您好", Voice(reply=3)), "您好")
    assert engine.spoken == ["您好"]
    await said(ready, "您好", Voice(speed=1.2))
    assert engine.spoken == ["您好", "您好"]


async def test_what_is_announced_is_kept_and_what_is_answered_is_not() -> None:
    engine = SteadySynthesizer()
    ready = Prerendered(engine)
    for reply in (0, 0, 2, 2):
        assert tiled(await said(ready, f"第{reply}", Voice(reply=reply)), f"第{reply}")
    assert engine.spoken == ["第0", "第2", "第2"]
    async with aclosing(ready.speak("您好呀", Voice())) as pieces:
        await anext(pieces)
    assert tiled(await said(ready, "您好呀"), "您好呀")


async def test_a_greeting_that_cannot_be_rendered_stays_live() -> None:
    engine = SteadySynthesizer()
    engine.broken = True
    ready = Prerendered(engine)
    await ready.warm([("您好", Voice())])
    engine.broken = False
    assert tiled(await said(ready, "您好"), "您好")


async def test_espeak_survives_the_death_of_its_process() -> None:
    espeak = EspeakSynthesizer()
    assert tiled(await said(espeak), TEXT)
    process = espeak._process._process
    assert process
    process.kill()
    assert tiled(await said(espeak), TEXT)
    await espeak.close()


async def test_espeak_that_cannot_start_is_engine_failed() -> None:
    espeak = EspeakSynthesizer(("/bin/false",))
    with pytest.raises(EngineFailed, match="died twice"):
        await said(espeak)
    await espeak.close()


async def test_espeak_says_shown_text_normalised() -> None:
    espeak = EspeakSynthesizer()
    text = "3段 800g 现价 ¥298，有活动吗？"
    pieces = await said(espeak, text)
    assert tiled(pieces, text)
    price = next(p for p in pieces if "¥298" in text[p.start : p.end])
    assert price.chunk.seconds > 0.1
    await espeak.close()


async def test_auto_without_services_names_what_is_missing() -> None:
    engines = load(EngineChoice(recognizer="none", edge_tts=False))
    assert engines.names["synthesizer"] == "espeak"
    assert any("espeak-ng" in line for line in engines.missing)
    await engines.close()


async def test_openai_asked_for_but_not_configured_is_an_error() -> None:
    with pytest.raises(EngineFailed, match="openai_speech_url"):
        load(EngineChoice(synthesizer="openai"))
