"""PURE: how a store's assistant sounds, and the sentences the pipeline itself has to say."""

from dataclasses import dataclass, field

from media.ports import Language

Phrases = dict[Language, str]

GREETING: Phrases = {
    "zh": "您好，我是母婴顾问的智能语音助手，不是真人。请问有什么可以帮您？",
    "en": "Hello, I am an automated AI assistant, not a person. How can I help you?",
}
CLOSED: Phrases = {
    "zh": "现在不是门店的营业时间。我可以先回答您的问题，也可以帮您预约回电。",
    "en": "The store is closed right now. I can answer your questions, or book a call back for you.",
}
STILL_THERE: Phrases = {"zh": "您还在吗？", "en": "Are you still there?"}
FILLER: Phrases = {"zh": "嗯，我查一下。", "en": "One moment, let me check."}
APOLOGY: Phrases = {
    "zh": "抱歉，我这边出了点问题，请您再说一遍，或者说“转人工”。",
    "en": "Sorry, something went wrong on my side. Please say that again, or ask for a person.",
}
NOT_HEARD: Phrases = {
    "zh": "抱歉，我没有听清，请再说一遍，也可以打字。",
    "en": "Sorry, I did not catch that. Please say it again, or type it.",
}
NO_RECOGNIZER: Phrases = {
    "zh": "抱歉，我现在听不懂语音，请在屏幕上打字或点选。",
    "en": "Sorry, I cannot understand speech at the moment. Please type or tap on the screen.",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A store's voice. Spans are seconds."""

    language: Language = "zh"
    voices: dict[Language, str] = field(default_factory=dict)
    """Name of the synthesizer's voice; a language that is missing takes the engine's choice."""
    speed: float = 1.0
    hotwords: tuple[str, ...] = ()
    greeting: Phrases = field(default_factory=lambda: dict(GREETING))
    """The first sound, and protected: it says that she talks to an AI assistant."""
    after_greeting: Phrases = field(default_factory=dict)
    """Said right after it, may be interrupted: that the store is closed."""
    still_there: Phrases = field(default_factory=lambda: dict(STILL_THERE))
    filler: Phrases = field(default_factory=lambda: dict(FILLER))
    apology: Phrases = field(default_factory=lambda: dict(APOLOGY))
    not_heard: Phrases = field(default_factory=lambda: dict(NOT_HEARD))
    no_recognizer: Phrases = field(default_factory=lambda: dict(NO_RECOGNIZER))
    greet: bool = True
    """False when a call resumes on a new connection: she has heard it."""
    filler_after: float = 1.5
    """The responder is silent for this long after the turn was committed."""
    give_up_after: float = 8.0
    idle_prompts: int = 2
