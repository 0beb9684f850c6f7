"""From settings to media's engines."""

import re
from collections.abc import Iterable

import structlog
from sqlalchemy import select

from gateway.dialogue.knowledge import Entry
from gateway.engines_http import RemoteRecognizer, RemoteSynthesizer, SpeechService
from gateway.errors import SettingsBroken
from gateway.settings import Settings
from gateway.store import knowledge
from gateway.store.engine import Store
from gateway.store.schema import chains
from media.engines import EngineChoice, Engines, load
from media.errors import EngineFailed
from signaling.protocol import ErrorCode

log = structlog.get_logger(__name__)
MENU = (
    "转人工", "查订单", "预约到店", "营业时间", "有什么活动", "我要退货", "会员积分", "回电话给我", "留言", "再说一遍",
    "是的", "不是", "再见",
    "talk to a person", "where is my order", "book an appointment", "opening hours", "what is on sale",
    "return an item", "call me back", "leave a message", "say it again", "yes please", "no thanks", "goodbye",
)  # fmt: skip
"""What the phrasebook always knows: the menu of a telephone line."""


SAYABLE = (re.compile(r"[\u4e00-\u9fff]{3,8}"), re.compile(r"[a-z']+( [a-z']+){1,5}"))
"""What the phrasebook can take from the knowledge base: short, hanzi only, or a few English words."""


def phrases_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The first sayable wording of each entry in each language."""
    found = []
    for entry in entries:
        asked = [text.rstrip("？?。. ").lower() for text in entry.asked()]
        found += [next((text for text in asked if sayable.fullmatch(text)), "") for sayable in SAYABLE]
    return tuple(dict.fromkeys(text for text in found if text))


def choice(settings: Settings, phrases: tuple[str, ...] = ()) -> EngineChoice:
    """`phrases`: short questions of the knowledge base, for the phrasebook."""
    url, key = settings.openai_speech_url, settings.openai_speech_key.get_secret_value()
    hears = url and settings.openai_hear_model
    speaks = url and settings.openai_speak_model
    return EngineChoice(
        recognizer=settings.recognizer,
        synthesizer=settings.synthesizer,
        models_dir=settings.models_dir,
        whisper_model=settings.whisper_model,
        sherpa_model=settings.sherpa_model,
        edge_tts=settings.edge_tts,
        phrases=(*MENU, *phrases),
        remote_recognizer=RemoteRecognizer(SpeechService(url, key), settings.openai_hear_model) if hears else None,
        remote_synthesizer=RemoteSynthesizer(
            SpeechService(url, key), settings.openai_speak_model, settings.openai_voice
        )
        if speaks
        else None,
    )


async def known_phrases(store: Store, settings: Settings) -> tuple[str, ...]:
    """Of every chain's knowledge; of the demo's where that is about to be made."""
    async with store.read() as connection:
        ids = (await connection.execute(select(chains.c.id).order_by(chains.c.id))).scalars().all()
        entries = [entry for chain in ids for entry in await knowledge.published(connection, chain)]
    return phrases_of(entries or (knowledge.demo_entries() if settings.demo else ()))


def load_engines(settings: Settings, phrases: tuple[str, ...] = ()) -> Engines:
    """Blocks while models load; run before serving or in a thread."""
    try:
        engines = load(choice(settings, phrases))
    except EngineFailed as failure:
        raise SettingsBroken(ErrorCode.UNAVAILABLE, str(failure)) from failure
    log.info("engines", **engines.names, missing=list(engines.missing))
    return engines
