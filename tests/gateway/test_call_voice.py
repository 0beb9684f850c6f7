"""A store's voice profile, and what is rendered before the first call."""

import pytest

from gateway.calls.context import HOTWORDS, CallContext, hotwords
from gateway.calls.voice import fixed_lines, profile_of, stored_profile, warm
from gateway.dialogue.ports import Context
from gateway.settings import Settings
from gateway.store.engine import Store
from media.engines import Engines
from media.engines.fake import LevelDetector, SteadySynthesizer
from media.engines.prerendered import Prerendered
from media.ports import Voice
from media.profile import CLOSED, GREETING


def test_a_stored_profile_keeps_what_it_does_not_name() -> None:
    profile = stored_profile({"greeting": {"zh": "这里是徐汇店。"}, "voice": {"zh": "cmn+f2"}, "speed": 1.2})
    assert profile.greeting == {"zh": "这里是徐汇店。", "en": GREETING["en"]}
    assert (profile.voices, profile.speed) == ({"zh": "cmn+f2"}, 1.2)


@pytest.mark.parametrize("stored", [{}, {"speed": "fast", "voice": 3, "greeting": ["hi"]}, {"speed": 99.0}])
def test_nonsense_in_a_stored_profile_is_as_if_it_were_not_there(stored: dict[str, object]) -> None:
    profile = stored_profile(stored)
    assert profile.greeting == GREETING
    assert profile.voices == {}
    assert 0.5 <= profile.speed <= 2.0


@pytest.mark.parametrize(
    ("within_hours", "words", "said"), [(True, "", {}), (False, "", CLOSED), (False, "我回来了", {})]
)
def test_who_calls_after_hours_hears_so_once(within_hours: bool, words: str, said: dict[str, str]) -> None:
    here = Context(
        conversation="c-1", customer="p-1", store="s-1", language="zh", channel="voice", within_hours=within_hours
    )
    assert profile_of(CallContext(here, {}), words).after_greeting == said


async def test_the_lines_of_a_call_are_rendered_before_it(settings: Settings) -> None:
    steady = SteadySynthesizer(0.001)
    engines = Engines(None, Prerendered(steady), LevelDetector, LevelDetector)
    store = await Store.open(settings)
    await warm(engines, store)
    await store.close()
    before = len(steady.spoken)
    profile = stored_profile({})
    for text, voice in fixed_lines(profile):
        assert voice == Voice(voice.language)
        assert text
    assert "".join(steady.spoken).count(GREETING["zh"]) == 1
    assert engines.synthesizer
    first = steady.spoken[0]
    _ = [speech async for speech in engines.synthesizer.speak(first, Voice("zh", reply=4))]
    assert len(steady.spoken) == before


def test_hotwords_are_the_words_of_names_without_sizes() -> None:
    assert hotwords(["云柔纸尿裤 NB 码 84 片", "云柔纸尿裤 S 码 76 片", "PPSU 奶瓶 240ml"]) == ("云柔纸尿裤", "奶瓶")
    assert hotwords(["Cloud diapers NB, 84 pcs", "Glass bottle 160 ml"]) == ("Cloud diapers NB", "Glass bottle")
    assert len(hotwords(f"产品{chr(0x4E00 + i)}" for i in range(50))) == HOTWORDS
