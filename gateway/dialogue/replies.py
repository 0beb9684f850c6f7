"""PURE: decisions as `Closing` values."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.dialogue.knowledge import Hit
from gateway.dialogue.phrases import phrase
from gateway.dialogue.ports import Closing, Context, HandoffReason, RedFlag
from gateway.dialogue.safety import held_text, tel_for, tel_of
from gateway.dialogue.safety.drafts import spoken_safely
from signaling.protocol import Choice, Language, Source

_SAID_WHY = frozenset({HandoffReason.ANGRY, HandoffReason.SENSITIVE, HandoffReason.TOOL_FAILED})


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
    if context.waiting is not None:
        why = phrase(f"waiting.{reason.value}", language) if reason in _SAID_WHY else ""
        return Closing(why + position(context), "handoff", confidence, handoff=reason)
    special = reason in {
        HandoffReason.TWO_MISSES,
        HandoffReason.SENSITIVE,
        HandoffReason.ANGRY,
        HandoffReason.TOOL_FAILED,
        HandoffReason.STORE_RULE,
    }
    key = f"handoff.{reason.value}" if special else "handoff"
    return Closing(phrase(key, language), "handoff", confidence, handoff=reason)


def position(context: Context) -> str:
    """What waiting for an advisor honestly looks like."""
    if not context.staffed:
        return phrase("waiting.nobody", context.language)
    if not context.waiting:
        return phrase("waiting.first", context.language)
    return phrase("waiting.behind", context.language).format(ahead=context.waiting)


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
    return Closing(text, "red_flag", 1.0, handoff=HandoffReason.RED_FLAG, red_flag=flag, tel=tel_of(flag))


def held(sign: str, context: Context) -> Closing:
    """A raised flag nobody has cleared: the same words, whatever she says."""
    text = held_text(sign, context.language, staffed=context.staffed)
    return Closing(text, "red_flag", 1.0, handoff=HandoffReason.RED_FLAG, tel=tel_for(sign))


def guarded(closing: Closing, language: Language) -> Closing:
    """No dose, diagnosis, drug or marketing of first formula, wherever the words came from; a red flag's are fixed."""
    safe = closing.text if closing.decision == "red_flag" else spoken_safely(closing.text, language)
    return closing if safe == closing.text else replace(closing, text=safe, choices=(), sources=())
