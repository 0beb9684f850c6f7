"""Rows of `entries` and `entry_versions`: what is published, every version of it, and the demo's."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialogue.knowledge.entries import Entry, as_dict, from_dict
from gateway.errors import NotYours
from gateway.store.schema import entries, entry_versions, people, stores

DEMO = Path(__file__).parent.parent / "demo"


def demo_entries(today: str = "") -> list[Entry]:
    """The entries written for the demo chain. With `today` (ISO date) promotions run around that day, else always."""
    files = sorted(DEMO.glob("knowledge_*.json"))
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
    return [from_dict(_dated(row, today) if today else row) for row in rows]


def _dated(row: dict[str, Any], today: str) -> dict[str, Any]:
    days = {"valid_from": row.get("from_days"), "valid_to": row.get("to_days")}
    day = date.fromisoformat(today)
    return row | {name: (day + timedelta(days=n)).isoformat() for name, n in days.items() if n is not None}


async def chain_of(connection: AsyncConnection, store: str) -> str:
    """The chain a store belongs to."""
    chain = await connection.scalar(select(stores.c.chain).where(stores.c.id == store))
    if chain is None:
        raise NotYours(detail="no such store")
    return str(chain)


async def rules_of(connection: AsyncConnection, store: str) -> dict[str, Any]:
    """The handoff rules a store has set."""
    rules = await connection.scalar(select(stores.c.rules).where(stores.c.id == store))
    return dict(rules) if isinstance(rules, dict) else {}


async def keep_rules(connection: AsyncConnection, store: str, rules: dict[str, Any]) -> None:
    """Instead of those it had."""
    await connection.execute(update(stores).where(stores.c.id == store).values(rules=rules))


async def must_be_of(connection: AsyncConnection, store: str, chain: str) -> None:
    """Raises `NotYours` for a store that is unknown or another chain's."""
    if await chain_of(connection, store) != chain:
        raise NotYours(detail="no such store")


def _key(chain: str, entry: str) -> str:
    """Entry ids are unique within a chain; the table's key is unique over all."""
    return f"{chain}:{entry}"


def _of(chain: str) -> ColumnElement[bool]:
    return entries.c.chain == chain


def _entry(row: Any) -> Entry:
    values = dict(row._mapping)
    values["id"] = values["id"].split(":", 1)[1]
    return from_dict(values)


async def mark(connection: AsyncConnection, chain: str) -> tuple[int, int, str]:
    """Changes whenever the chain's live entries change: (how many, sum of versions, last change)."""
    live = select(
        func.count(), func.coalesce(func.sum(entries.c.version), 0), func.coalesce(func.max(entries.c.updated_at), "")
    )
    row = (await connection.execute(live.where(_of(chain), entries.c.live))).one()
    return int(row[0]), int(row[1]), str(row[2])


async def published(connection: AsyncConnection, chain: str) -> list[Entry]:
    """Every live entry, in the order of ids."""
    rows = await connection.execute(select(entries).where(_of(chain), entries.c.live).order_by(entries.c.id))
    return [_entry(row) for row in rows]


async def entry(connection: AsyncConnection, chain: str, id: str) -> Entry:
    """One entry, live or withdrawn."""
    row = (await connection.execute(select(entries).where(entries.c.id == _key(chain, id), _of(chain)))).first()
    if row is None:
        raise NotYours(detail="no such entry")
    return _entry(row)


async def publish(connection: AsyncConnection, chain: str, changed: Iterable[Entry], by: str, at: str) -> list[Entry]:
    """Store each entry as its next version. Returns them with their version."""
    return [await _publish(connection, chain, one, by, at) for one in changed]


async def _publish(connection: AsyncConnection, chain: str, changed: Entry, by: str, at: str) -> Entry:
    key = _key(chain, changed.id)
    latest = await connection.scalar(select(func.max(entry_versions.c.version)).where(entry_versions.c.entry == key))
    values = as_dict(changed) | {"version": (latest or 0) + 1}
    row = values | {"id": key, "chain": chain, "live": True, "updated_at": at}
    if latest is None:
        await connection.execute(insert(entries).values(row))
    else:
        await connection.execute(update(entries).where(entries.c.id == key).values(row))
    await connection.execute(
        insert(entry_versions).values(entry=key, version=values["version"], content=values, by=by, at=at)
    )
    return from_dict(values)


async def withdraw(connection: AsyncConnection, chain: str, id: str, at: str) -> None:
    """Take an entry out of the answers. Its versions stay."""
    await entry(connection, chain, id)
    await connection.execute(update(entries).where(entries.c.id == _key(chain, id)).values(live=False, updated_at=at))


async def versions(connection: AsyncConnection, chain: str, id: str) -> list[dict[str, Any]]:
    """Every version of an entry, newest first: version, content, by, the name of who that is, at."""
    await entry(connection, chain, id)
    names = ("version", "content", "by", "at")
    query = select(*(entry_versions.c[name] for name in names), people.c.name.label("name"))
    query = query.outerjoin(people, people.c.id == entry_versions.c.by).where(entry_versions.c.entry == _key(chain, id))
    rows = await connection.execute(query.order_by(entry_versions.c.version.desc()))
    return [{name: row._mapping[name] for name in (*names, "name")} for row in rows]


async def version(connection: AsyncConnection, chain: str, id: str, wanted: int) -> Entry:
    """An earlier one, to be published again: versions are never lost."""
    for old in await versions(connection, chain, id):
        if old["version"] == wanted:
            return from_dict(old["content"])
    raise NotYours(detail="no such version")


async def erase_all(connection: AsyncConnection, chain: str) -> None:
    """Remove the chain's knowledge and its history."""
    mine = select(entries.c.id).where(_of(chain))
    await connection.execute(delete(entry_versions).where(entry_versions.c.entry.in_(mine)))
    await connection.execute(delete(entries).where(_of(chain)))


async def seed_demo(connection: AsyncConnection, chain: str, by: str, at: str) -> int:
    """Publish the demo's entries where the chain has none. Entries of stores this chain lacks are left out."""
    if (await mark(connection, chain))[0]:
        return 0
    known = set((await connection.scalars(select(stores.c.id).where(stores.c.chain == chain))).all())
    fitting = [one for one in demo_entries(at[:10]) if one.store is None or one.store in known]
    await publish(connection, chain, fitting, by, at)
    return len(fitting)
