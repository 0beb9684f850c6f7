"""What the dialogue gives to chat and calls: values. Text and voice use the same dialogue."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from signaling.protocol import Choice, Language, Source


class HandoffReason(StrEnum):
    """Why a person is needed; kept on the conversation."""

    ASKED = "asked"
    RED_FLAG = "red_flag"
    TWO_MISSES = "two_misses"
    SENSITIVE = "sensitive"
    ANGRY = "angry"
    TOOL_FAILED = "tool_failed"
    STORE_RULE = "store_rule"


class Action(StrEnum):
    """What a red flag demands (redflag_signs.json)."""

    CALL_120 = "CALL_120"
    ER_NOW = "ER_NOW"
    HUMAN_NOW = "HUMAN_NOW"


@dataclass(frozen=True, slots=True)
class RedFlag:
    sign: str
    action: Action
    why: str


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier line of the conversation, oldest first."""

    role: Literal["customer", "assistant", "advisor"]
    text: str
    cleared: bool = False
    """A person has cleared a red flag since: this line is not looked at for signs again."""
    flagged: bool = False
    """A red flag was raised with this line or after it: what it shows people have been told."""
    choices: tuple[str, ...] = ()
    """What the assistant offered with it, to be chosen by a tap, a word or a key."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and what the answer may use. Identity and store come from the session, never from the text."""

    conversation: str
    customer: str
    store: str
    language: Language
    channel: Literal["text", "voice"]
    baby_age_days: tuple[int, ...] = ()
    guest: bool = False
    """She came without an identity of the shop's: nobody knows her number."""
    history: tuple[Said, ...] = ()
    misses: int = 0
    within_hours: bool = True
    red_flag: str | None = None
    """The sign that was raised and that no person has cleared: until then there is no normal answer."""
    staffed: bool = True
    """Somebody of the store's staff is connected and hears an alarm."""
    waiting: int | None = None
    """How many wait before her for an advisor; None: she does not wait."""
    standing: tuple[str, ...] = ()
    """Every sign that was raised and not cleared; `red_flag` is the newest of them."""
    past: str = ""
    """Whose signs are looked past: "S" a baby's, "M" a mother's."""
    now: str = ""
    """ISO time in the store's zone; the dialogue asks no clock."""


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer, in order; pieces of one answer are joined."""

    text: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing of every answer. `text` is the whole answer as it is to be stored."""

    text: str
    decision: Literal["answer", "clarify", "handoff", "red_flag", "chat"]
    confidence: float = 0.0
    choices: tuple[Choice, ...] = ()
    sources: tuple[Source, ...] = ()
    handoff: HandoffReason | None = None
    red_flag: RedFlag | None = None
    tel: str | None = None
    tools: tuple[str, ...] = field(default=())


class Dialogue(Protocol):
    """The assistant."""

    def answer(self, text: str, context: Context) -> AsyncIterator[Say | Closing]:
        """Zero or more `Say`, then exactly one `Closing`. Never raises: falls down its ladder."""
        ...

    def red_flag(self, text: str, context: Context) -> RedFlag | None:
        """Deterministic, no I/O, ≤ 20 ms: run on each text and each partial and final transcript."""
        ...

    def red_flag_text(self, flag: RedFlag, language: Language, *, staffed: bool = True) -> str:
        """The fixed, approved text; where nobody of the staff is connected it says so."""
        ...
