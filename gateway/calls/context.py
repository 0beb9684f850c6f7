"""Who calls, from which store, about which babies, and what was said before: the dialogue's `Context` of a call."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.assistant import said
from gateway.chat import Chat
from gateway.dialogue.ports import Context, Said
from gateway.domain.schedule import is_open
from gateway.store import log, people, products
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
    staff: tuple[str, ...] = ()
    """Who would hear an alarm, if connected."""
    hotwords: dict[Language, tuple[str, ...]] = field(default_factory=dict)
    """What she may say and a recognizer would not expect: the names of the chain's products."""

    async def refresh(self, store: Store, chat: Chat) -> None:
        """What was written since it was read; what was said in the call meanwhile is in the log, or comes again."""
        fresh = await of_call(store, chat, self.context.conversation)
        known = self.context  # a flag raised meanwhile stands
        flag = known.red_flag or fresh.context.red_flag
        self.context = replace(fresh.context, misses=known.misses, red_flag=flag, staffed=known.staffed)
        self.voice, self.staff = fresh.voice, fresh.staff

    def __call__(self) -> Context:
        return self.context

    def line(self, role: Role, text: str) -> None:
        spoken: dict[Role, Literal["customer", "assistant", "advisor"]] = {
            "customer": "customer",
            "assistant": "assistant",
            "advisor": "advisor",
        }
        if role in spoken:
            history = (*self.context.history, Said(spoken[role], text))[-LINES:]
            self.context = replace(self.context, history=history)

    def flagged(self, sign: str, *, staffed: bool) -> None:
        """From now on there is no normal answer."""
        self.context = replace(self.context, red_flag=sign, staffed=staffed)

    def cleared(self) -> None:
        """By a person: what she said before raises nothing again."""
        history = tuple(replace(said, cleared=True) for said in self.context.history)
        self.context = replace(self.context, red_flag=None, history=history)

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
            history=said(earlier),
            within_hours=is_open(shop["hours"], local),
            red_flag=state.red_flag,
            now=local.isoformat(timespec="seconds"),
        ),
        dict(shop["voice"] or {}),
        tuple(member.id for member in staff),
        {"zh": hotwords(name for name, _ in names), "en": hotwords(name for _, name in names)},
    )


def hotwords(names: Iterable[str]) -> tuple[str, ...]:
    """The wordy parts of product names, without sizes and numbers, each once."""
    found = (word.strip() for name in names for word in WORDS.findall(name))
    return tuple(dict.fromkeys(word for word in found if len(word) > 1))[:HOTWORDS]
