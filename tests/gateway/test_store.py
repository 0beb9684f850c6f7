"""The log and its writer, on both databases: what is acknowledged is stored once, in order, and nothing half."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.chat import Chat
from gateway.demo import load
from gateway.domain.conversation import Conversation, fold
from gateway.domain.events import Fact
from gateway.errors import Conflict, NotYours, SettingsBroken, StorageBroken
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store import audit, connect, log, migrate, people
from gateway.store.engine import Store
from gateway.store.schema import chains, conversations, events, metadata, outbox, stores
from signaling.protocol import ErrorCode, Event, EventKind, TextBody

MOTHER, ADVISOR = "customer-lili", "advisor-chen"


class Scene:
    """A chat without a network: the store, the use-cases, and everything that was published."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hub = Hub()
        self.chat = Chat(store, self.hub)
        self.published: list[Event] = []
        self.hub.taps.append(self.published.append)

    async def person(self, name: str) -> people.Person:
        async with self.store.read() as connection:
            found = await people.get(connection, name)
        assert found is not None
        return found

    async def begin(self, name: str = MOTHER) -> str:
        return (await self.chat.conversation_for(await self.person(name), "store-xuhui")).id

    async def say(self, name: str, conversation: str, nonce: str, words: str = "好") -> Event:
        return await self.chat.send(await self.person(name), conversation, nonce, TextBody(text=words))

    async def insist(self, name: str, conversation: str, nonce: str, words: str) -> Event:
        """What a client does: too busy is no answer, the same nonce again."""
        while True:
            try:
                return await self.say(name, conversation, nonce, words)
            except StorageBroken:
                continue

    async def log(self, conversation: str) -> list[Event]:
        async with self.store.read() as connection:
            return await log.after(connection, conversation, 0, 10_000)

    async def heard(self, conversation: str, **fits: object) -> Event:
        """The first event of the log that fits, once it is there."""
        async with asyncio.timeout(5):
            while True:
                for event in await self.log(conversation):
                    if all(getattr(event, name) == value for name, value in fits.items()):
                        return event
                await asyncio.sleep(0.01)


class Loop(Protocol):
    async def run(self) -> None: ...


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def scene(settings: Settings) -> AsyncIterator[Scene]:
    store = await Store.open(settings)
    try:
        await load(store)
        yield Scene(store)
    finally:
        await store.close()


async def test_many_writers_at_once_leave_one_gapless_log_published_in_order(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        names = (MOTHER, ADVISOR, "advisor-wu", "manager-lin")
        async with asyncio.TaskGroup() as tasks:
            for n in range(60):
                tasks.create_task(s.insist(names[n % 4], conversation, f"nonce-{n:04}", f"message {n}"))
        stored = await s.log(conversation)
        assert [event.seq for event in stored] == list(range(1, 63))
        assert sorted(event.body.text for event in stored[2:] if isinstance(event.body, TextBody)) == sorted(
            f"message {n}" for n in range(60)
        )
        if database.database.startswith("sqlite"):
            assert [event.seq for event in s.published] == list(range(1, 63))
        assert sorted(event.seq for event in s.published) == list(range(1, 63))


async def test_the_row_is_the_fold_of_the_log_and_each_event_is_in_the_outbox(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        advisor = await s.person(ADVISOR)
        await s.say(MOTHER, conversation, "nonce-0001")
        await s.chat.act(await s.person(MOTHER), conversation, "nonce-0002", "ask_person")
        await s.chat.act(advisor, conversation, "nonce-0003", "accept")
        await s.say(ADVISOR, conversation, "nonce-0004", "您好")
        await s.chat.act(advisor, conversation, "nonce-0005", "resolve")
        await s.say(MOTHER, conversation, "nonce-0006", "再问一句")
        async with s.store.read() as connection:
            state = await log.find(connection, conversation)
            rows = await connection.execute(select(outbox.c.seq).where(outbox.c.conversation == conversation))
            assert sorted(row.seq for row in rows) == list(range(1, state.last_seq + 1))
        folded = Conversation(id=conversation, chain=state.chain, store=state.store, customer=state.customer)
        for event in await s.log(conversation):
            body = event.body.model_dump(mode="json") if event.body else None
            folded = fold(
                folded, Fact(event.kind, event.sender, event.role, event.nonce or "", body, event.data), event.at
            )
            assert folded.epoch == event.epoch
        assert folded == state


async def test_a_nonce_is_one_message_however_often_it_comes(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        seqs = {
            event.seq for event in await asyncio.gather(*(s.say(MOTHER, conversation, "nonce-same") for _ in range(12)))
        }
        assert len(seqs) == 1
        with pytest.raises(Conflict) as refused:
            await s.say(MOTHER, conversation, "nonce-same", "something else")
        assert refused.value.code == ErrorCode.NONCE_CONFLICT
        assert (await s.say(ADVISOR, conversation, "nonce-same")).seq not in seqs  # a nonce is its sender's own
        assert len(await s.log(conversation)) == 4


async def test_facts_land_together_or_not_at_all(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        good = Fact(EventKind.CALL_STARTED, "system", "system", "good-fact", data={"call": "call-1"})
        bad = Fact(EventKind.CONVERSATION_HANDED_BACK, "system", "system", "bad-fact1")
        with pytest.raises(Conflict):
            await s.chat.append(conversation, good, bad)
        assert len(await s.log(conversation)) == 2
        assert (await s.chat.append(conversation, good))[0].seq == 3


async def test_a_stale_epoch_cannot_write_and_a_retry_of_what_was_written_can(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        answer = Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", "answer-9", {"kind": "text", "text": "好的"})
        then = await s.chat.state(await s.person(MOTHER), conversation)
        first = await s.chat.append(conversation, answer, thought_in=then)
        await s.chat.act(await s.person(ADVISOR), conversation, "nonce-0001", "accept")
        assert await s.chat.append(conversation, answer, thought_in=then) == first
        for late in (replace(answer, nonce="answer-10"), replace(answer, nonce="answer-11", role="system")):
            with pytest.raises(Conflict) as refused:
                await s.chat.append(conversation, late, thought_in=then)
            assert refused.value.code == ErrorCode.STALE_EPOCH


async def test_two_advisors_one_winner(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        pressed = [
            s.chat.act(await s.person(name), conversation, f"nonce-{name}", "accept")
            for name in (ADVISOR, "advisor-wu")
        ]
        outcomes = await asyncio.gather(*pressed, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert len(refused) == 1
        assert refused[0].code == ErrorCode.TAKEN


async def test_the_database_itself_refuses_an_unlabelled_assistant(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        row = {
            "conversation": conversation,
            "seq": 99,
            "kind": "message.sent",
            "sender": "assistant",
            "role": "assistant",
            "ai": False,
            "epoch": 0,
            "nonce": "sneaky-01",
            "body_hash": "x",
            "data": {},
            "at": clock.now(),
        }
        with pytest.raises(IntegrityError):
            await s.store.write(lambda connection: connection.execute(insert(events).values(row)))
        row["ai"] = True
        await s.store.write(lambda connection: connection.execute(insert(events).values(row)))


async def test_a_failing_job_undoes_only_itself(database: Settings) -> None:
    async with scene(database) as s:

        async def add(connection: AsyncConnection, name: str, *, fail: bool) -> str:
            person = await people.add(
                connection, chain="chain-demo", role="customer", name=name, store="store-xuhui", at=clock.now()
            )
            if fail:
                raise NotYours
            return person.id

        jobs = [s.store.write(lambda c, n=n: add(c, f"batch {n}", fail=n % 3 == 0)) for n in range(12)]  # type: ignore[misc]
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
        assert sum(isinstance(outcome, NotYours) for outcome in outcomes) == 4
        async with s.store.read() as connection:
            query = select(func.count()).where(people.people.c.name.like("batch %"))
            assert (await connection.execute(query)).scalar_one() == 8


async def test_who_asked_may_go_but_what_is_stored_is_told(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        task = asyncio.create_task(s.say(MOTHER, conversation, "nonce-gone"))
        while not any(event.nonce == "nonce-gone" for event in await s.log(conversation)):
            await asyncio.sleep(0)
            task.cancel()
            if task.done():
                break
        await asyncio.gather(task, return_exceptions=True)
        await s.store.write(lambda connection: connection.execute(text("select 1")))
        assert [event.seq for event in s.published] == [event.seq for event in await s.log(conversation)]


async def test_recall_leaves_the_count_and_takes_the_words(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        mother, advisor = await s.person(MOTHER), await s.person(ADVISOR)
        sent = await s.say(MOTHER, conversation, "nonce-0001", "canary")
        await s.chat.edit(mother, conversation, "nonce-0002", sent.seq, "canary again")
        await s.chat.recall(mother, conversation, "nonce-0003", sent.seq)
        his = await s.say(ADVISOR, conversation, "nonce-0004", "canary")
        await s.chat.recall(advisor, conversation, "nonce-0005", his.seq)
        stored = await s.log(conversation)
        assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
        assert "canary" not in "".join(event.model_dump_json() for event in stored)
        async with s.store.read() as connection:
            assert (await log.find(connection, conversation)).last_text == ""
            assert await audit.broken_at(connection) is None
            taken = await connection.execute(select(audit.audit.c.person, audit.audit.c.act))
            assert [tuple(row) for row in taken] == [(ADVISOR, "message.recall")]


async def test_a_changed_audit_row_is_named(database: Settings) -> None:
    async with scene(database) as s:
        for n in range(5):
            await s.store.write(lambda c, n=n: audit.write(c, ADVISOR, "test", f"subject {n}", at=clock.now()))  # type: ignore[misc]
        await s.store.write(lambda c: c.execute(text("update audit set subject = 'other' where n = 3")))
        async with s.store.read() as connection:
            assert await audit.broken_at(connection) == 3


async def test_migrations_give_exactly_the_tables_of_the_schema(database: Settings) -> None:
    async with scene(database) as s:

        async def compare(connection: AsyncConnection) -> list[object]:
            plain = getattr(connection, "_connection", None) or await connection.get_raw_connection()
            return list(compare_metadata(MigrationContext.configure(plain), metadata))

        if database.database.startswith("sqlite"):
            assert await s.store.write(compare) == []
        else:
            engine = connect.postgres(database.database)
            async with engine.connect() as connection:
                context = connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
                assert await context == []
            await engine.dispose()


def test_the_topics_of_a_stores_rules_become_matters(settings: Settings) -> None:
    engine = connect.sqlite(f"sqlite:///{settings.data_dir}/old.db", writes=True)
    with engine.begin() as connection:
        command.upgrade(migrate.alembic_config(connection), "0004")
        connection.execute(insert(chains).values(id="shop", name="Shop"))
        old = {"ruled": {"person_for": [{"topic": "feeding", "under_days": 30}, {"topic": "skin"}]}, "plain": {}}
        for id, rules in old.items():
            connection.execute(insert(stores).values(id=id, chain="shop", name=id, hours={}, rules=rules))
    migrate.migrate(engine)
    with engine.connect() as connection:
        kept = {row.id: row.rules for row in connection.execute(select(stores.c.id, stores.c.rules))}
    engine.dispose()
    assert kept == {"ruled": {"person_for": [{"matter": "feeding", "under_days": 30}, {"matter": "skin"}]}, "plain": {}}


async def test_a_restart_keeps_everything_and_loads_nothing_twice(database: Settings) -> None:
    async with scene(database) as s:
        conversation = await s.begin()
        await s.say(MOTHER, conversation, "nonce-0001", "还在吗")
        before = await s.log(conversation)
    async with scene(database) as s:
        assert await s.log(conversation) == before
        assert await s.begin() == conversation
        async with s.store.read() as connection:
            assert (await connection.execute(select(func.count()).select_from(conversations))).scalar_one() == 1


# ---------------------------------------------------------------- SQLite's own troubles


async def test_a_full_disk_is_said_and_nothing_is_acknowledged(settings: Settings) -> None:
    async with scene(settings) as s:
        conversation = await s.begin()
        await s.store.write(lambda c: c.execute(text("pragma max_page_count = 1")))
        accepted, refused = 0, None
        for n in range(2_000):
            try:
                await s.say(MOTHER, conversation, f"nonce-{n:05}", "很长的话" * 200)
                accepted += 1
            except StorageBroken as error:
                refused = error
                break
        assert refused is not None
        assert refused.code == ErrorCode.STORAGE_FULL
        assert len(await s.log(conversation)) == accepted + 2
        await s.store.write(lambda c: c.execute(text("pragma max_page_count = 1000000")))
        assert (await s.say(MOTHER, conversation, "nonce-after")).seq == accepted + 3


async def test_a_locked_database_is_said_in_time_and_the_loop_goes_on(settings: Settings) -> None:
    async with scene(settings) as s:
        conversation = await s.begin()
        other = sqlite3.connect(settings.data_dir / "nestcall.db", isolation_level=None)
        other.execute("begin immediate")
        turns = 0

        async def turning() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        ticker = asyncio.create_task(turning())
        async with asyncio.timeout(3.5):
            with pytest.raises(StorageBroken) as refused:
                await s.say(MOTHER, conversation, "nonce-0001")
        assert refused.value.code == ErrorCode.STORAGE_BUSY
        assert turns > 20
        assert len(await s.log(conversation)) == 2  # reading goes on
        other.execute("rollback")
        other.close()
        assert (await s.say(MOTHER, conversation, "nonce-0001")).seq == 3
        ticker.cancel()


async def test_a_job_that_waits_for_anything_else_is_a_bug_and_says_so(settings: Settings) -> None:
    async with scene(settings) as s:
        with pytest.raises(RuntimeError, match="nothing but the database"):
            await s.store.write(lambda _connection: asyncio.sleep(0))


async def test_a_database_of_the_future_and_a_broken_file_are_refused_in_a_sentence(tmp_path: Path) -> None:
    newer = Settings(data_dir=tmp_path, _env_file=None)
    store = await Store.open(newer)
    await store.write(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))
    await store.close()
    with pytest.raises(SettingsBroken, match="newer"):
        await Store.open(newer)
    (tmp_path / "nestcall.db").write_bytes(b"this is no database" * 1000)
    for leftover in tmp_path.glob("nestcall.db-*"):
        leftover.unlink()
    with pytest.raises(SettingsBroken, match="cannot be opened"):
        await Store.open(newer)
