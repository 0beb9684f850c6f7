"""The pipeline's journal: captions to the pages at once, to the log when a turn is done, waterfalls to their table.

Notes come on the event loop and must not wait, so what is to be written goes through one bounded queue, in order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace

import structlog

from gateway import telemetry
from gateway.calls.about import About
from gateway.chat import Chat
from gateway.domain.events import Fact
from gateway.domain.people import Person
from gateway.errors import NestcallError
from gateway.hub import Hub
from gateway.store import calls as rows
from gateway.store.engine import Store
from media.ports import BargeInNote, CaptionNote, IdleNote, Journal, Note, TroubleNote, TurnNote
from signaling.protocol import MAX_TEXT_CHARS, CaptionShown, Choice, Event, EventKind, Role, SpeechBody, TurnMeasured

log = structlog.get_logger()

ROOM = 512
"""Writes that wait. Overflow (the database is down for minutes): the newest is refused and logged as lost."""

EVERY_S = 0.1
"""Captions of one side while they change; the final one always goes."""

KEPT_EVERY_S = 1.0
"""What is being said, while it is: so much of it a crash takes along."""

Write = Callable[[], Awaitable[None]]


class Minutes:
    """Of one call. `run()` writes until cancelled; `close()` first waits a little for what is queued."""

    def __init__(self, store: Store, chat: Chat, hub: Hub, about: About, turn_base: int = 0) -> None:
        self._store, self._chat, self._hub = store, chat, hub
        self._call, self._conversation, self._customer = about.call, about.conversation, about.customer.id
        self._base = self._next = turn_base
        self._queue: asyncio.Queue[Write] = asyncio.Queue(ROOM)
        self._stamp = f"{asyncio.get_running_loop().time():.0f}"
        self.choices: dict[int, tuple[Choice, ...]] = {}
        """Choices of the assistant's answer, by turn; shown with its caption."""
        self.on_words: Callable[[str], object] = lambda _text: None
        """Her words so far: for the red-flag check, on partial and final alike."""
        self.on_line: Callable[[Role, str, tuple[str, ...]], None] = lambda _role, _text, _choices: None
        """A finished line of the conversation and the choices it offered, for the dialogue's history."""
        self.on_idle: Callable[[IdleNote], object] = lambda _note: None
        """Nobody has said anything for a while."""
        self.last_seq = 0
        self._stays = 0
        self._shown_at: dict[Role, float] = {}
        self._half: dict[Role, tuple[CaptionNote, str, int]] = {}
        """What each side is saying: note, sender, turn."""
        self._kept_at = 0.0

    # ------------------------------------------------------------ from the pipeline

    def __call__(self, note: Note) -> None:
        match note:
            case CaptionNote():
                self.caption(note, role="customer" if note.who == "customer" else "assistant")
            case TurnNote(turn, parts, response):
                self._measured(self.numbered(turn), parts, response)
            case BargeInNote():
                telemetry.BARGE_IN.labels(str(note.false).lower()).observe(note.latency_ms / 1000)
                log.info("call.barge_in", call=self._call, latency_ms=round(note.latency_ms), false=note.false)
            case TroubleNote():
                telemetry.TROUBLE.labels(note.part).inc()
                log.warning("call.trouble", call=self._call, part=note.part, code=note.code)
            case IdleNote():
                log.info("call.idle", call=self._call, seconds=note.seconds)
                self.on_idle(note)

    def of_advisor(self, advisor: Person) -> Journal:
        """What an advisor says, written down under his own name. Each stay counts its turns from another thousand."""
        self._stays += 1
        base = self._stays * 1_000

        def heard(note: Note) -> None:
            if isinstance(note, CaptionNote) and note.who == "customer":
                self.caption(replace(note, turn=note.turn + base), role="advisor", sender=advisor.id)

        return heard

    def caption(self, note: CaptionNote, *, role: Role, sender: str = "") -> None:
        turn = self.numbered(note.turn)
        if role != "advisor":
            self._next = max(self._next, turn + 1)
        if note.final or self._due(role):
            self._flash(note, role, turn)
        if role == "customer":
            self.on_words(note.text)
        sender = sender or self._sender(role)
        if note.done:
            self._done(note, role, self._fact(note, role, sender, turn))
        elif heard(note, role):
            self._half[role] = (note, sender, turn)
            self._keep()

    def _due(self, role: Role) -> bool:
        """Words light up ten times a second, not with every character."""
        now = asyncio.get_running_loop().time()
        if now - self._shown_at.get(role, 0.0) < EVERY_S:
            return False
        self._shown_at[role] = now
        return True

    def _flash(self, note: CaptionNote, role: Role, turn: int) -> None:
        caption = CaptionShown(
            call=self._call,
            conversation=self._conversation,
            role=role,
            turn=turn,
            text=note.text,
            final=note.final,
            lit=note.lit,
            choices=self.choices.get(note.turn, ()) if role == "assistant" else (),
        )
        self._hub.flash(self._conversation, caption)

    def begin_counting(self) -> None:
        """The pipeline's turns start again from the beginning."""
        self._base = self._next
        self.choices.clear()

    def numbered(self, turn: int) -> int:
        """The pipeline's turn as the pages know it: a call that outlived a gateway or a voice goes on
        counting."""
        return max(0, turn) + self._base

    def _sender(self, role: Role) -> str:
        return self._customer if role == "customer" else "assistant"

    def _fact(self, note: CaptionNote, role: Role, sender: str, turn: int) -> Fact | None:
        """None: nothing has been heard yet."""
        text = heard(note, role)
        if not text:
            return None
        choices = self.choices.get(note.turn, ()) if role == "assistant" else ()
        body = SpeechBody(text=text[:MAX_TEXT_CHARS], call=self._call, turn=turn, cut=note.cut, choices=choices)
        content = body.model_dump(mode="json", exclude_defaults=True) | {"kind": "speech"}
        nonce = f"said-{role}-{turn}-{self._stamp}-{self._call}"[:64]
        return Fact(EventKind.MESSAGE_SENT, sender, role, nonce, content)

    def _done(self, note: CaptionNote, role: Role, fact: Fact | None) -> None:
        kept = self._half.pop(role, None)
        if fact:
            offered = self.choices.pop(note.turn, ()) if role == "assistant" else ()
            self.on_line(role, heard(note, role), tuple(choice.text for choice in offered))
            self.write(lambda: self.append(fact))
        if kept:
            self.write(self._store_half)

    def _keep(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._kept_at >= KEPT_EVERY_S:
            self._kept_at = now
            self.write(self._store_half)

    async def _store_half(self) -> None:
        facts = {role: self._fact(note, role, sender, turn) for role, (note, sender, turn) in self._half.items()}
        half = {role: asdict(fact) for role, fact in facts.items() if fact}
        await self._store.write(lambda connection: rows.change(connection, self._call, half_said=half))

    def _measured(self, turn: int, parts_ms: dict[str, float], response_ms: float) -> None:
        shown = TurnMeasured(
            call=self._call, conversation=self._conversation, turn=turn, parts_ms=parts_ms, response_ms=response_ms
        )
        self._hub.flash(self._conversation, shown)
        telemetry.turn(parts_ms, response_ms)

        async def store() -> None:
            at = self._chat.now()
            await self._store.write(
                lambda connection: rows.add_turn(connection, self._call, turn, parts_ms, response_ms, at)
            )

        self.write(store)

    # ------------------------------------------------------------ to the log

    def write(self, write: Write) -> None:
        try:
            self._queue.put_nowait(write)
        except asyncio.QueueFull:
            log.error("call.minutes_lost", call=self._call)

    async def append(self, *facts: Fact) -> None:
        self.wrote(await self._chat.append(self._conversation, *facts))

    def wrote(self, events: Sequence[Event]) -> None:
        self.last_seq = max(self.last_seq, *(event.seq for event in events))

    async def run(self) -> None:
        while True:
            write = await self._queue.get()
            try:
                await write()
            except NestcallError as error:
                log.warning("call.minutes_refused", call=self._call, code=str(error.code), detail=error.detail)
            except Exception:
                log.exception("call.minutes_failed", call=self._call)
            finally:
                self._queue.task_done()

    async def settled(self) -> None:
        """Everything queued so far is written."""
        await self._queue.join()


def heard(note: CaptionNote, role: Role) -> str:
    """Of the assistant only what was heard, of people all they said."""
    return (note.text[: note.lit] if role == "assistant" else note.text).strip()
