"""Who calls, from which store, about which babies, and what was said before: the dialogue's `Context` of a call."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.chat import Chat
from gateway.dialogue.ports import Context, Said
from gateway.domain.schedule import is_open
from gateway.reading import said
from gateway.store import alarms, log, people, products
from gateway.store.engine import Store
from signaling.protocol import Language, Role

LINES = 12
HOTWORDS = 16
"""More would slow every transcription and help none."""
WORDS = re.compile(r"[\u4e00-\u9fff]{2,}|[A-Za-z][A-Za-z -]{3,}[A-Za-z]")


@dataclass(slots=True)
class CallContext:
    """Grows with the call. Until the database has answered it is the bare minimum, never absent."""

    context: Context
    voice: dict[str, object]
    """The store's voice profile (voice, speed, greeting)."""
    store_name: str = ""
    staff: tuple[str, ...] = ()
    """Who would hear an alarm, if connected."""
    hotwords: dict[Language, tuple[str, ...]] = field(default_factory=dict)
    """What she may say and a recognizer would not expect: the names of the chain's products."""
    raised: tuple[str, ...] = ()
    """Signs raised while this was held, and not cleared."""
    flagging: bool = False
    """The line she is saying has raised one."""

    async def refresh(self, store: Store, chat: Chat) -> None:
        """What was written since it was read; what was said in the call meanwhile is in the log, or comes again."""
        self.take(await of_call(store, chat, self.context.conversation))

    def begin_in(self, language: Language) -> None:
        """The language of the page she calls from."""
        self.context = replace(self.context, language=language)

    def take(self, fresh: "CallContext") -> None:
        known = self.context
        flag = self.raised[-1] if self.raised else fresh.context.red_flag  # what was cleared meanwhile is gone
        standing = tuple(dict.fromkeys((*fresh.context.standing, *self.raised)))
        self.context = replace(
            fresh.context,
            language=known.language,
            misses=known.misses,
            red_flag=flag,
            standing=standing,
            staffed=known.staffed,
        )
        self.voice, self.store_name, self.staff = fresh.voice, fresh.store_name, fresh.staff

    def __call__(self) -> Context:
        return self.context

    def line(self, role: Role, text: str, choices: tuple[str, ...] = ()) -> None:
        spoken: dict[Role, Literal["customer", "assistant", "advisor"]] = {
            "customer": "customer",
            "assistant": "assistant",
            "advisor": "advisor",
        }
        if role in spoken:
            flagged = role == "customer" and self.flagging
            history = (*self.context.history, Said(spoken[role], text, flagged=flagged, choices=choices))[-LINES:]
            self.context = replace(self.context, history=history)
            self.flagging = self.flagging and role != "customer"

    def flagged(self, sign: str, *, staffed: bool) -> None:
        """From now on there is no normal answer."""
        self.raised = (*(one for one in self.raised if one != sign), sign)
        self.context = replace(
            self.context,
            red_flag=sign,
            standing=(*(one for one in self.context.standing if one != sign), sign),
            staffed=staffed,
            history=tuple(replace(said, flagged=True) for said in self.context.history),
        )

    def cleared(self) -> None:
        """By a person: what she said before raises nothing again."""
        history = tuple(replace(said, cleared=True) for said in self.context.history)
        self.context = replace(self.context, red_flag=None, standing=(), history=history)
        self.raised, self.flagging = (), False

    def decided(self, decision: str) -> None:
        """How often in a row the dialogue had to ask back."""
        self.context = replace(self.context, misses=self.context.misses + 1 if decision == "clarify" else 0)


async def of_call(store: Store, chat: Chat, conversation: str) -> CallContext:
    async with store.read() as connection:
        state = await log.find(connection, conversation)
        customer = await people.get(connection, state.customer)
        shop = await people.store_row(connection, state.store)
        assert customer is not None
        assert shop is not None
        earlier = await log.before(connection, conversation, state.last_seq + 1, LINES * 4)
        babies = await people.babies_of(connection, state.customer)
        staff = await people.staff_of(connection, state.chain, state.store)
        standing = await alarms.standing(connection, conversation) if state.red_flag else []
        names = await products.names(connection, shop["chain"])
    local = datetime.fromisoformat(chat.now()).astimezone(ZoneInfo(shop["zone"]))
    return CallContext(
        Context(
            conversation=conversation,
            customer=state.customer,
            store=state.store,
            language=customer.language,
            channel="voice",
            baby_age_days=tuple((local.date() - datetime.fromisoformat(baby.born_on).date()).days for baby in babies),
            guest=customer.guest,
            history=said(earlier),
            within_hours=is_open(shop["hours"], local),
            red_flag=state.red_flag,
            standing=tuple(sign for sign, _ in standing),
            now=local.isoformat(timespec="seconds"),
        ),
        dict(shop["voice"] or {}),
        shop["name"],
        tuple(member.id for member in staff),
        {"zh": hotwords(name for name, _ in names), "en": hotwords(name for _, name in names)},
    )


def hotwords(names: Iterable[str]) -> tuple[str, ...]:
    """The wordy parts of product names, without sizes and numbers, each once."""
    found = (word.strip() for name in names for word in WORDS.findall(name))
    return tuple(dict.fromkeys(word for word in found if len(word) > 1))[:HOTWORDS]
