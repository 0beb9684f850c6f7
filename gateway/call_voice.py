"""The voice of a call, from this gateway's engines and the store's voice profile."""

from collections.abc import AsyncIterator
from typing import cast

from gateway.call_answers import SpokenAnswers
from gateway.call_context import CallContext
from gateway.call_minutes import Minutes
from gateway.call_room import SteadyEar, Voicing
from gateway.settings import Settings
from media.engines import Engines
from media.pipeline import Voice
from media.playout import Playout
from media.ports import Heard, Responder
from media.profile import GREETING, Profile
from signaling.protocol import Language


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

    def make(
        self, ear: SteadyEar, words: str, answers: SpokenAnswers, minutes: Minutes, context: CallContext
    ) -> Voicing:
        playout = Playout()
        responder: Responder = InstantAnswers() if self._instant else answers
        voice = Voice(ear, playout, self._engines, responder, minutes, profile_of(context, words))
        return Voicing(voice, playout.next_frame)


def profile_of(context: CallContext, words: str) -> Profile:
    """`words` in place of the greeting: a call that resumes after a restart has been greeted."""
    language = context().language
    stored = context.voice
    greeting = dict(GREETING) | texts(stored.get("greeting"))
    if words:
        greeting[language] = words
    return Profile(
        language=language,
        voices=texts(stored.get("voice")),
        speed=speed(stored.get("speed")),
        greeting=greeting,
    )


def texts(value: object) -> dict[Language, str]:
    """What the profile holds per language; anything else is as if it were not there."""
    if not isinstance(value, dict):
        return {}
    found = {key: str(text) for key, text in value.items() if key in ("zh", "en") and text}
    return cast("dict[Language, str]", found)


def speed(value: object) -> float:
    return min(2.0, max(0.5, float(value))) if isinstance(value, int | float) else 1.0
