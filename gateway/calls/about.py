"""What does not change while a call lasts."""

from dataclasses import dataclass

from gateway.domain.people import Person
from signaling.protocol import Language, MediaKind


@dataclass(frozen=True, slots=True)
class About:
    """`nonce`: of the tap, so that tapping twice is one call. `style`: browser, phone, whip."""

    call: str
    conversation: str
    customer: Person
    media: MediaKind
    style: str
    started_at: str
    language: Language = "zh"
    nonce: str = ""
