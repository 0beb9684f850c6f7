"""The tools at work: a wish in a text becomes a look-up or an act for this connection's customer, and a sentence."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

from gateway.dialogue.phrases import phrase
from gateway.dialogue.ports import Closing, Context, HandoffReason
from gateway.dialogue.replies import choice
from gateway.dialogue.tools import requests, words
from gateway.dialogue.tools.port import Answered, Appointment, Caller, Shop, What
from gateway.dialogue.tools.requests import Wish
from gateway.dialogue.tools.when import When, when
from gateway.domain.schedule import is_open, openings, opens_at
from gateway.errors import Conflict
from signaling.protocol import Choice, Language

HOURS_OFFERED = (10, 14, 16)
DAYS_AHEAD = 14
CALL_LEAD = timedelta(minutes=30)
"""Nobody is promised a call sooner."""
ALMOST_AN_HOUR = timedelta(minutes=59, seconds=59)


def caller_of(context: Context) -> Caller:
    return Caller(context.customer, context.store, context.conversation, context.now)


class Desk:
    """`serve` answers a text that asks for a tool (None: it asks for none). Raises `Broken` when it cannot tell."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._acts: dict[Wish, Callable[[str, Context], Awaitable[Closing | None]]] = {
            Wish.CALLBACK: self._call_back,
            Wish.MESSAGE: self._message,
            Wish.CANCEL: self._cancel,
            Wish.CHANGE: self._change,
            Wish.MINE: self._mine,
            Wish.BOOK: self._book,
            Wish.ORDER: self._orders,
            Wish.POINTS: self._points,
            Wish.PROMOTIONS: self._promotions,
            Wish.HOURS: self._hours,
            Wish.ADDRESS: self._address,
            Wish.PRODUCT: self._product,
        }

    async def serve(self, text: str, context: Context) -> Closing | None:
        if _last(context) == phrase("message.ask", context.language):
            return self._kept(context)
        asked = requests.wish(text)
        if asked is None and (whole := _continued(text, context)):
            text, asked = whole, requests.wish(whole)
        return await self.grant(asked, text, context) if asked else None

    async def grant(self, asked: Wish, text: str, context: Context) -> Closing | None:
        """Carry out one wish; None where the text turns out to name nothing."""
        return await self._acts[asked](text, context)

    # ------------------------------------------------------------ look-ups

    async def _hours(self, text: str, context: Context) -> Closing | None:
        found = await self._shop.store(caller_of(context))
        if requests.elsewhere(text, found.value.name):
            return None
        return _told(words.hours(found.value, context.now, context.language), Wish.HOURS, context, found)

    async def _address(self, text: str, context: Context) -> Closing | None:
        found = await self._shop.store(caller_of(context))
        if requests.elsewhere(text, found.value.name):
            return None
        return _told(words.address(found.value, context.language), Wish.ADDRESS, context, found)

    async def _product(self, text: str, context: Context) -> Closing | None:
        found = await self._shop.products(caller_of(context), text)
        meant = requests.named(found.value, text)
        if not meant:
            return None
        lines = [words.product(facts, context.language) for facts in meant]
        return _told("\n".join(lines), Wish.PRODUCT, context, found)

    async def _promotions(self, _text: str, context: Context) -> Closing:
        found = await self._shop.promotions(caller_of(context))
        return _told(words.promotions(found.value, context.language), Wish.PROMOTIONS, context, found)

    async def _orders(self, _text: str, context: Context) -> Closing:
        found = await self._shop.orders(caller_of(context))
        return _told(words.orders(found.value, context.language), Wish.ORDER, context, found)

    async def _points(self, _text: str, context: Context) -> Closing:
        found = await self._shop.member(caller_of(context))
        return _told(words.points(found.value, context.language), Wish.POINTS, context, found)

    async def _mine(self, _text: str, context: Context) -> Closing:
        found = await self._shop.appointments(caller_of(context))
        zh = context.language == "zh"
        lines = [f"· {_line(one, context)}" for one in found.value]
        none = "您现在没有预约。" if zh else "You have no appointment."
        return _told(
            "\n".join(["您的预约：" if zh else "Your appointments:", *lines]) if lines else none,
            Wish.MINE,
            context,
            found,
        )

    # ------------------------------------------------------------ acts

    async def _call_back(self, text: str, context: Context) -> Closing:
        """Promised once: a second wish moves it, and what that leaves open (the day, the hour) stays."""
        caller, now = caller_of(context), datetime.fromisoformat(context.now)
        store, promised = (await self._shop.store(caller)).value, await self._shop.promised(caller)
        kept = datetime.fromisoformat(promised).astimezone(now.tzinfo) if promised else None
        wanted = when(requests.NUMBER.sub("", text), now)
        due = _call_time(store.hours, now, wanted.completed(kept) if kept else wanted)
        told = text.removeprefix(phrase("choice.callback", context.language)).strip()
        await self._shop.call_back(caller, due or context.now, told)
        said = words.call_back(due, context.language)
        if context.guest and not _number_given(text, context):
            said += phrase(_NUMBER_ASKED[context.channel], context.language)
        return _told(said, Wish.CALLBACK, context)

    async def _message(self, text: str, context: Context) -> Closing:
        """What she says is in the conversation's log already; it only has to wait for somebody there."""
        if requests.ONLY_MESSAGE.match(text.strip()):
            return Closing(phrase("message.ask", context.language), "answer", 1.0, tools=(Wish.MESSAGE,))
        return self._kept(context)

    def _kept(self, context: Context) -> Closing:
        said = phrase("message.kept", context.language)
        return Closing(said, "handoff", 1.0, handoff=HandoffReason.ASKED, tools=(Wish.MESSAGE,))

    async def _book(self, text: str, context: Context) -> Closing:
        if phrase("choice.appointment", context.language) in text:  # our own words, for one or the other
            return _either(context)
        kind = requests.what(text)
        wanted = when(text, datetime.fromisoformat(context.now))
        at = wanted.moment(datetime.fromisoformat(context.now))
        if kind is None or at is None:
            return await self._offer(kind or "visit", wanted, context, "booking.when")
        try:
            done = await self._shop.book(caller_of(context), kind, at.isoformat())
        except Conflict as error:
            return await self._offer(kind, wanted, context, f"booking.{error.detail.split()[0]}")
        return _told(words.appointment(done, context.language), Wish.BOOK, context)

    async def _offer(self, kind: What, wanted: When, context: Context, why: str, act: Wish = Wish.BOOK) -> Closing:
        """Open times as choices; tapping one is the booking or the change, in her own words."""
        store = (await self._shop.store(caller_of(context))).value
        times = _free(store.hours, context, wanted)
        zh = context.language == "zh"
        asked = _asking(act, kind, context)
        texts = [f"{asked} {words.moment(at, 'zh') if zh else _tappable(at)}" for at in times]
        choices = tuple(Choice(id=f"book-{n}", text=text) for n, text in enumerate(texts, 1))
        lines = [f"{n}. {text}" for n, text in enumerate(texts, 1)]
        text = "\n".join([phrase(why, context.language), *lines])
        return Closing(text, "clarify", 1.0, choices, tools=(act,))

    async def _cancel(self, text: str, context: Context) -> Closing:
        mine = (await self._shop.appointments(caller_of(context))).value
        meant = _meant(mine, text, context)
        if len(meant) != 1:
            return self._which(meant or mine, context, Wish.CANCEL)
        done = await self._shop.cancel(caller_of(context), meant[0].id)
        return _told(words.appointment(done, context.language), Wish.CANCEL, context)

    async def _change(self, text: str, context: Context) -> Closing:
        mine = (await self._shop.appointments(caller_of(context))).value
        kind = requests.what(text.replace("预约", ""))
        meant = [one for one in mine if kind in (None, "visit", one.what)]
        if len(meant) != 1:
            return self._which(tuple(meant) or mine, context, Wish.CHANGE)
        now = datetime.fromisoformat(context.now)
        wanted = when(text, now)
        old = datetime.fromisoformat(meant[0].starts_at)
        hour, minute = (old.hour, old.minute) if wanted.hour is None else (wanted.hour, wanted.minute)
        at = When(wanted.day or (old.date() if wanted.hour is not None else None), hour, minute).moment(now)
        if at is None:
            ask = f"{phrase('booking.change', context.language)} ({words.what(meant[0].what, context.language)})"
            return Closing(ask, "clarify", 1.0, tools=(Wish.CHANGE,))
        try:
            done = await self._shop.change(caller_of(context), meant[0].id, at.isoformat())
        except Conflict as error:
            why = f"booking.{error.detail.split()[0]}"
            return await self._offer(meant[0].what, wanted, context, why, Wish.CHANGE)
        return _told(words.appointment(done, context.language), Wish.CHANGE, context)

    def _which(self, mine: tuple[Appointment, ...], context: Context, act: Wish) -> Closing:
        if not mine:
            return Closing(phrase("booking.none", context.language), "answer", 1.0, tools=(Wish.MINE,))
        label = "取消预约" if context.language == "zh" else "Cancel my appointment:"
        if act is Wish.CANCEL:
            texts = [f"{label} {_line(one, context)}" for one in mine]
        else:  # a date would be taken for the new one
            texts = list(dict.fromkeys(_asking(act, one.what, context) for one in mine))
        choices = tuple(Choice(id=f"which-{n}", text=text[:200]) for n, text in enumerate(texts, 1))
        lines = [f"{n}. {text}" for n, text in enumerate(texts, 1)]
        text = "\n".join([phrase("booking.which", context.language), *lines])
        return Closing(text, "clarify", 1.0, (*choices, choice("person", context.language)), tools=(act,))


_INSTEAD: dict[Language, str] = {"zh": "，改到", "en": " instead: "}
_NUMBER_ASKED = {"text": "callback.number", "voice": "callback.number.voice"}
_ASKED_WHEN = tuple(f"booking.{key}" for key in ("when", "closed", "in", "booked"))


def _continued(text: str, context: Context) -> str | None:
    """A bare number or time after we asked for one: what it is for, in words that say so."""
    language = context.language
    last = _last(context)
    asking = tuple(phrase(key, language).strip() for key in _NUMBER_ASKED.values())
    asked = any(said.text.endswith(asking) for said in context.history if said.role == "assistant")
    if asked and requests.NUMBER.search(text):  # also after something else was said in between
        return f"{phrase('choice.callback', language)} {text}"
    if last.startswith(phrase("booking.what", language)):
        named = requests.what(text)
        return f"{_asking(Wish.BOOK, named, context)} {text}" if named else None
    wanted = when(text, datetime.fromisoformat(context.now))
    if wanted.day is None and wanted.hour is None:
        return None
    if last.startswith(words.CALL_BACK):
        return f"{phrase('choice.callback', language)}{_INSTEAD[language]}{text}"
    kind = requests.what(last.replace(phrase("booking.when", language), "")) or "visit"
    if last.startswith(phrase("booking.change", language)):
        return f"{_asking(Wish.CHANGE, kind, context)} {text}"
    if last.startswith(tuple(phrase(key, language) for key in _ASKED_WHEN)):
        act = Wish.CHANGE if requests.wish(last.splitlines()[-1]) is Wish.CHANGE else Wish.BOOK
        return f"{_asking(act, kind, context)} {text}"
    return None


def _either(context: Context) -> Closing:
    """In the store or by video: tapping one goes on to the times."""
    kinds: tuple[What, ...] = ("visit", "video")
    texts = [_asking(Wish.BOOK, kind, context) for kind in kinds]
    choices = tuple(Choice(id=f"book-{kind}", text=text) for kind, text in zip(kinds, texts, strict=True))
    return Closing(phrase("booking.what", context.language), "clarify", 1.0, choices, tools=(Wish.BOOK,))


def _last(context: Context) -> str:
    """What the assistant said last."""
    return next((said.text for said in reversed(context.history) if said.role == "assistant"), "")


def _number_given(text: str, context: Context) -> bool:
    hers = (said.text for said in context.history if said.role == "customer")
    return any(requests.NUMBER.search(one) for one in (text, *hers))


def _asking(act: Wish, kind: What, context: Context) -> str:
    """The words of a customer who wants this; `requests.wish` and `requests.what` read them back."""
    label = words.what(kind, context.language)
    if context.language == "zh":
        return f"{'改约' if act is Wish.CHANGE else '预约'}{label}"
    return f"Change my appointment for {label} to" if act is Wish.CHANGE else f"Book {label}"


def _told(text: str, used: Wish, context: Context, found: Answered[object] | None = None) -> Closing:
    stale = found is not None and found.stale
    note = words.STALE[0 if context.language == "zh" else 1] if stale else ""
    return Closing(text + note, "answer", 1.0, tools=(used,))


def _line(one: Appointment, context: Context) -> str:
    kind = words.what(one.what, context.language)
    return f"{words.moment(one.starts_at, context.language)} {kind}"


def _tappable(iso: str) -> str:
    """A date that `when` reads back."""
    at = datetime.fromisoformat(iso)
    return f"{at:%Y-%m-%d} at {at:%H:%M}"


def _meant(mine: tuple[Appointment, ...], text: str, context: Context) -> tuple[Appointment, ...]:
    """Those of her appointments that fit the kind and the day in the text."""
    kind = requests.what(text.replace("预约", ""))
    day = when(text, datetime.fromisoformat(context.now)).day
    fits = [one for one in mine if kind in (None, "visit", one.what)]
    return tuple(one for one in fits if day is None or one.starts_at[:10] == day.isoformat())


def _free(hours: dict[str, list[list[str]]], context: Context, wanted: When) -> list[str]:
    """Up to three coming opening times, on the wanted day where one was named, else from the next opening on: before
    it that is today's."""
    now = datetime.fromisoformat(context.now)
    first = wanted.day or (opens_at(hours, now) or now).date()
    clock = HOURS_OFFERED if wanted.hour is None else (wanted.hour, *HOURS_OFFERED)
    found: list[str] = []
    for ahead in range(DAYS_AHEAD):
        day = datetime.combine(first + timedelta(days=ahead), time(0), now.tzinfo)
        times = [day.replace(hour=hour) for hour in clock]
        if not any(is_open(hours, at) for at in times):  # open in the evening only, or early
            times = openings(hours, day)
        found += [at.isoformat() for at in times if at > now and is_open(hours, at) and at.isoformat() not in found]
        if len(found) >= len(HOURS_OFFERED):
            break
    return sorted(found[: len(HOURS_OFFERED)])


def _call_time(hours: dict[str, list[list[str]]], now: datetime, wanted: When) -> str | None:
    """When she asked for, if the store is open then; else the next time there is somebody to call. None: no opening is
    known, as for a store whose hours nobody has entered."""
    days = [wanted.day] if wanted.day else [now.date(), now.date() + timedelta(days=1)]
    for day in days:
        at = When(day, wanted.hour, wanted.minute).moment(now)
        if at and at > now and is_open(hours, at):
            return at.isoformat()
    soon = now + CALL_LEAD
    found = _settled_in(hours, max(soon, datetime.combine(wanted.day, time(0), now.tzinfo)) if wanted.day else soon)
    return found.isoformat() if found else None


def _settled_in(hours: dict[str, list[list[str]]], after: datetime) -> datetime | None:
    """The first full hour at which the store has been open for one; where it never is, an opening."""
    first = (after + ALMOST_AN_HOUR).replace(minute=0, second=0, microsecond=0)
    ahead = (first + timedelta(hours=n) for n in range(24 * DAYS_AHEAD))
    settled = (at for at in ahead if is_open(hours, at) and is_open(hours, at - timedelta(hours=1)))
    return next(settled, None) or opens_at(hours, after)
