"""Small worlds, every order: senders, lost acks, crashes, a locked and a full database, readers that come and go.

The checker is the one `make faults` uses. With idempotency switched off (a patch that exists only in tests) the same
machine must fail: a checker that cannot fail would prove nothing.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from gateway.chat import Chat
from gateway.demo import load
from gateway.domain.people import Person
from gateway.errors import StorageBroken
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store import connect, log, people
from gateway.store.engine import Store
from gateway.switchboard import Switchboard, Visit
from signaling.protocol import EventAppended, ServerMessage, TextBody
from tests.faults import gateway_main
from tests.faults.checker import Run, Sent, Violation, check
from tests.faults.member import seen

PEOPLE = ("customer-lili", "advisor-chen", "advisor-wu")
READERS = ("customer-lili", "manager-lin")
WHO = st.sampled_from(PEOPLE)


class Wire:
    """A link whose other end keeps everything."""

    id = "w-test"
    open = True

    def __init__(self, reader: "Reader", tasks: set[asyncio.Task[None]]) -> None:
        self._reader = reader
        self._tasks = tasks

    def send(self, message: ServerMessage) -> None:
        if isinstance(message, EventAppended) and self._reader.wire is self:
            event = message.event.model_dump(mode="json")
            self._reader.got.append(seen(event))
            self._reader.cursor = event["seq"]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self) -> None:
        await asyncio.sleep(0)

    def hang_up(self, code: int, reason: str) -> None:
        self._reader.wire = None


class Reader:
    """One device: what it got, in arrival order, over all its connections."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[Any] = []
        self.cursor = 0
        self.wire: Wire | None = None
        self.visit: Visit | None = None


class Messages(RuleBasedStateMachine):
    broken: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.home = tempfile.TemporaryDirectory(prefix="nestcall-small-")
        self.sent: list[Sent] = []
        self.flight: dict[str, tuple[Sent, str]] = {}
        self.readers = [Reader(name) for name in READERS]
        self.other: sqlite3.Connection | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.do(self.open())
        self.conversation = self.do(self.begin())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    # ------------------------------------------------------------ the gateway's lives

    async def open(self) -> None:
        self.store = await Store.open(Settings(data_dir=Path(self.home.name), _env_file=None))
        await load(self.store)
        self.hub = Hub()
        self.chat = Chat(self.store, self.hub)
        self.board = Switchboard(self.store, self.hub, {})

    async def begin(self) -> str:
        return (await self.chat.conversation_for(await self.person(PEOPLE[0]), "store-xuhui")).id

    async def person(self, name: str) -> Person:
        async with self.store.read() as connection:
            found = await people.get(connection, name)
        assert found is not None
        return found

    @rule()
    @precondition(lambda self: self.other is None)
    def crash(self) -> None:
        """Everything in memory is gone; what was not committed too."""

        async def crashed() -> None:
            for reader in self.readers:
                reader.wire = reader.visit = None
            for task in tuple(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await self.store.close()
            await self.open()

        self.do(crashed())

    # ------------------------------------------------------------ senders

    @rule(who=WHO, times=st.integers(1, 3), lost=st.booleans(), patience=st.integers(0, 40))
    def send(self, who: str, times: int, lost: bool, patience: int) -> None:
        """A new message, or the one still in flight; perhaps twice at once; perhaps the ack never arrives."""
        if who not in self.flight:
            sent = Sent(self.conversation, who, f"{who}/{len(self.sent)}")
            self.sent.append(sent)
            self.flight[who] = (sent, f"nonce-{len(self.sent):08}")
        self.do(self.deliver(who, times, patience if lost else None))

    async def deliver(self, who: str, times: int, patience: int | None) -> None:
        sent, nonce = self.flight[who]
        person = await self.person(who)
        tries = [asyncio.ensure_future(self.attempt(person, nonce, sent.text)) for _ in range(times)]
        if patience is not None:
            for _ in range(patience):
                await asyncio.sleep(0)
            for one in tries:
                one.cancel()
        seqs = {seq for seq in await asyncio.gather(*tries, return_exceptions=True) if isinstance(seq, int)}
        if seqs and patience is None:
            assert len(seqs) == 1 or self.broken
            sent.seq = min(seqs)
            del self.flight[who]

    async def attempt(self, person: Person, nonce: str, words: str) -> int | None:
        try:
            return (await self.chat.send(person, self.conversation, nonce, TextBody(text=words))).seq
        except StorageBroken:
            return None

    @rule(who=WHO)
    def give_up(self, who: str) -> None:
        """Never acknowledged, never asked again: stored once or not at all."""
        self.flight.pop(who, None)

    # ------------------------------------------------------------ readers

    @rule(n=st.integers(0, len(READERS) - 1))
    def connect_reader(self, n: int) -> None:
        reader = self.readers[n]
        if reader.wire is None:
            self.do(self.connected(reader))

    async def connected(self, reader: Reader) -> None:
        reader.wire = Wire(reader, self.tasks)
        reader.visit = Visit(await self.person(reader.name), reader.wire, self.board)  # type: ignore[arg-type]
        self.hub.join(reader.visit)
        reader.visit.subscribe(self.conversation)
        await asyncio.sleep(0)
        async with self.store.read() as connection:
            last = (await log.find(connection, self.conversation)).last_seq
        reader.visit.start(self.conversation, reader.cursor, last)

    @rule(n=st.integers(0, len(READERS) - 1))
    def drop_reader(self, n: int) -> None:
        reader = self.readers[n]
        if reader.visit is not None:
            self.do(reader.visit.left())
        reader.wire = reader.visit = None

    # ------------------------------------------------------------ faults below

    @rule()
    @precondition(lambda self: self.other is None)
    def lock(self) -> None:
        self.other = sqlite3.connect(Path(self.home.name) / "nestcall.db", isolation_level=None)
        self.other.execute("begin immediate")

    @rule()
    @precondition(lambda self: self.other is not None)
    def unlock(self) -> None:
        assert self.other is not None
        self.other.close()
        self.other = None

    @rule(full=st.booleans())
    @precondition(lambda self: self.other is None)
    def fill(self, full: bool) -> None:
        pages = 1 if full else 1_000_000
        self.do(self.store.write(lambda c: c.execute(text(f"pragma max_page_count = {pages}"))))

    # ------------------------------------------------------------ the laws

    @invariant()
    def what_was_read_is_a_prefix(self) -> None:
        for reader in self.readers:
            assert [one.seq for one in reader.got] == list(range(1, len(reader.got) + 1))

    def teardown(self) -> None:
        try:
            violations = self.do(self.settled())
        finally:
            self.do(self.store.close())
            self.loop.close()
            self.home.cleanup()
        assert violations == []

    async def settled(self) -> list[Violation]:
        """Faults heal, everybody connects and catches up; then the checker has the word."""
        if self.other is not None:
            self.other.close()
        await self.store.write(lambda c: c.execute(text("pragma max_page_count = 1000000")))
        for who in tuple(self.flight):
            await self.deliver(who, 1, None)
        for reader in self.readers:
            if reader.wire is None:
                await self.connected(reader)
        while self.tasks:
            await asyncio.gather(*self.tasks)
        manager = await self.person("manager-lin")
        page = await self.chat.history(manager, self.conversation, after=0, limit=500)
        history = [seen(event.model_dump(mode="json")) for event in page.events]
        received = {(reader.name, self.conversation): reader.got for reader in self.readers}
        return check(Run(self.sent, {self.conversation: history}, received))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database is given up soon; nothing else differs from production."""
    monkeypatch.setattr(connect, "BUSY_MS", 20)
    monkeypatch.setitem(connect.PRAGMAS, "busy_timeout", 20)
    monkeypatch.setitem(connect.PRAGMAS, "synchronous", "OFF")


SMALL = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_out_of_order() -> None:
    run_state_machine_as_test(Messages, settings=SMALL)


@pytest.mark.slow
def test_the_same_checker_catches_a_gateway_that_forgets_nonces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "earlier", log.earlier)
    monkeypatch.setattr(log, "insert_event", log.insert_event)
    gateway_main.forget_nonces()
    monkeypatch.setattr(Messages, "broken", True)
    with pytest.raises(AssertionError, match="doubled"):
        run_state_machine_as_test(Messages, settings=SMALL)


def test_the_switch_is_no_setting() -> None:
    """Nothing a gateway is started with can reach it: the name occurs in no package."""
    root = Path(gateway_main.__file__).parents[2]
    sources = [
        path.read_text("utf-8")
        for package in ("gateway", "signaling", "media")
        for path in (root / package).rglob("*.py")
    ]
    assert not any("NO_IDEMPOTENCY" in source or "forget_nonces" in source for source in sources)
