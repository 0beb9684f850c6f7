"""The voice of a call, from this gateway's engines and the store's voice profile."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import cast

from sqlalchemy import select

from gateway.calls.answers import SpokenAnswers
from gateway.calls.context import CallContext
from gateway.calls.minutes import Minutes
from gateway.calls.sound import SteadyEar, Voicing
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.store.schema import stores
from media import ports
from media.engines import Engines
from media.pipeline import Voice
from media.playout import Playout
from media.ports import Ear, Heard, Journal, Responder
from media.profile import CLOSED, GREETING, Profile
from signaling.protocol import Language

SHORT_GREETING: dict[Language, str] = {"zh": "您好。", "en": "Hello."}
"""For the benchmark engine `tone`, whose greeting is one tone of a second: one clause."""


class InstantAnswers:
    """`media.ports.Responder` for benchmarks: a word, at once, without the dialogue."""

    async def reply(self, heard: Heard) -> AsyncIterator[str]:
        yield f"Reply {heard.turn}."

    async def committed(self, heard: Heard) -> None:
        pass


class Voices:
    """Makes one for each call; engines are shared."""

    def __init__(self, engines: Engines, settings: Settings) -> None:
        self._engines = engines
        self._instant = settings.responder == "instant"
        self._tone = settings.synthesizer == "tone"

    def make(
        self, ear: SteadyEar, words: str, answers: SpokenAnswers, minutes: Minutes, context: CallContext
    ) -> Voicing:
        playout = Playout()
        responder: Responder = InstantAnswers() if self._instant else answers
        profile = profile_of(context, words)
        if self._tone:
            profile = replace(profile, greeting=dict(SHORT_GREETING), after_greeting={})
        voice = Voice(ear, playout, self._engines, responder, minutes, profile)
        return Voicing(voice, playout.next_frame)

    def scribe(self, ear: Ear, journal: Journal, language: Language) -> Voice:
        """Writes down what an advisor says, and says nothing itself."""
        voice = Voice(ear, Playout(), self._engines, InstantAnswers(), journal, Profile(language=language, greet=False))
        voice.hand_over()
        return voice


def profile_of(context: CallContext, words: str) -> Profile:
    """`words` in place of the greeting: a call that resumes after a restart has been greeted. Who calls after hours
    hears so at once."""
    language = context().language
    profile = stored_profile(context.voice)
    if not context().within_hours and not words:
        profile = replace(profile, after_greeting=dict(CLOSED))
    greeting = profile.greeting | ({language: words} if words else {})
    return replace(profile, language=language, greeting=greeting, hotwords=context.hotwords.get(language, ()))


def stored_profile(stored: Mapping[str, object]) -> Profile:
    """A store's voice as it is kept: voice and greeting per language, speed."""
    return Profile(
        voices=texts(stored.get("voice")),
        speed=speed(stored.get("speed")),
        greeting=dict(GREETING) | texts(stored.get("greeting")),
    )


async def warm(engines: Engines, store: Store) -> None:
    """Renders what every call may begin with or fall back to, for the usual voice and for each store's own."""
    async with store.read() as connection:
        rows = (await connection.execute(select(stores.c.voice))).scalars().all()
    for profile in (Profile(), *(stored_profile(row or {}) for row in rows)):
        await engines.warm(fixed_lines(profile))


def fixed_lines(profile: Profile) -> Iterator[tuple[str, ports.Voice]]:
    sets = (profile.greeting, profile.not_heard, profile.filler, profile.apology, profile.still_there)
    for lines in (*sets, profile.no_recognizer, CLOSED):
        for language, text in lines.items():
            yield text, ports.Voice(language, profile.voices.get(language, ""), profile.speed)


def texts(value: object) -> dict[Language, str]:
    """What the profile holds per language; anything else is as if it were not there."""
    if not isinstance(value, dict):
        return {}
    found = {key: str(text) for key, text in value.items() if key in ("zh", "en") and text}
    return cast("dict[Language, str]", found)


def speed(value: object) -> float:
    return min(2.0, max(0.5, float(value))) if isinstance(value, int | float) else 1.0
