"""PURE: decisions as `Closing` values."""

from collections.abc import Sequence

from gateway.dialogue.knowledge import Hit
from gateway.dialogue.phrases import phrase
from gateway.dialogue.ports import Action, Closing, Context, HandoffReason, RedFlag
from signaling.protocol import Choice, Language, Source


def choice(id: str, language: Language) -> Choice:
    """One of the standing choices."""
    return Choice(id=id, text=phrase(f"choice.{id}", language))


def source(hit: Hit, language: Language) -> Source:
    return Source(id=hit.entry.id[:64], title=hit.entry.title(language)[:200])


def chat(key: str, context: Context) -> Closing:
    """Small talk."""
    return Closing(phrase(key, context.language), "chat", 1.0)


def handoff(reason: HandoffReason, context: Context, confidence: float = 0.0) -> Closing:
    """To a person. Outside hours: say so, offer what can be done now, keep helping."""
    language = context.language
    if not context.within_hours:
        offers = (choice("callback", language), choice("appointment", language))
        return Closing(phrase("closed", language), "handoff", confidence, offers, handoff=reason)
    special = reason in {
        HandoffReason.TWO_MISSES,
        HandoffReason.SENSITIVE,
        HandoffReason.ANGRY,
        HandoffReason.TOOL_FAILED,
        HandoffReason.STORE_RULE,
    }
    key = f"handoff.{reason.value}" if special else "handoff"
    return Closing(phrase(key, language), "handoff", confidence, handoff=reason)


def clarify(hits: Sequence[Hit], context: Context) -> Closing:
    """The best three as a numbered text (readable aloud, `intents.chosen` reads it back) and as tappable choices."""
    language = context.language
    titles = [hit.entry.title(language)[:200] for hit in hits]
    lines = [f"{number}. {title}" for number, title in enumerate(titles, 1)]
    choices = tuple(Choice(id=hit.entry.id[:64], text=title) for hit, title in zip(hits, titles, strict=True))
    text = "\n".join([phrase("clarify", language), *lines])
    return Closing(text, "clarify", hits[0].confidence, (*choices, choice("person", language)))


def miss(context: Context, confidence: float) -> Closing:
    """Nothing fits: say so, offer a person, do not guess."""
    language = context.language
    return Closing(phrase("miss", language), "clarify", confidence, (choice("person", language),))


def grounded(hit: Hit, context: Context) -> Closing:
    """An entry's answer, with its source."""
    language = context.language
    return Closing(hit.entry.told(language), "answer", hit.confidence, sources=(source(hit, language),))


def alarm(flag: RedFlag, text: str) -> Closing:
    """The fixed text of a red flag; nothing else is said."""
    tel = "120" if flag.action is Action.CALL_120 else None
    return Closing(text, "red_flag", 1.0, handoff=HandoffReason.RED_FLAG, red_flag=flag, tel=tel)
