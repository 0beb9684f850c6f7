"""A small invented chain, so that the first start has something to show. Loaded once, into an empty database."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.store import knowledge, schema, teaching
from gateway.store.engine import Store

HERE = Path(__file__).parent
LOAD_S = 60.0
Row = dict[str, Any]


async def load(store: Store, *, now: clock.Clock = clock.now) -> bool:
    """False when there is a chain already."""

    async def job(connection: AsyncConnection) -> bool:
        if (await connection.execute(select(schema.chains.c.id).limit(1))).first() is not None:
            return False
        for table, rows in tables(now()):
            if rows:
                await connection.execute(insert(table), rows)
        chain = (await connection.execute(select(schema.chains.c.id))).scalar_one()
        await knowledge.seed_demo(connection, chain, "system", now())
        await teaching.seed_golden(connection, chain)
        return True

    return await store.write(job, deadline_s=LOAD_S)


def tables(at: str) -> list[tuple[Table, list[Row]]]:
    """In the order their foreign keys need. Dates are relative to `at`: the babies stay babies."""
    shop = json.loads((HERE / "shop.json").read_text("utf-8"))
    chain = shop["chain"]["id"]
    today = datetime.fromisoformat(at)
    stores = [row["id"] for row in shop["stores"]]
    return [
        (schema.chains, [shop["chain"]]),
        (schema.stores, [row | {"chain": chain, "voice": {}, "rules": {}} for row in shop["stores"]]),
        (schema.people, [person(row, chain, at) for row in shop["people"]]),
        (schema.babies, [dated(row, today, age_days=("born_on", -1)) for row in shop["babies"]]),
        (schema.products, [product(row, chain, stores) for row in shop["products"]]),
        (
            schema.promotions,
            [
                dated(row, today, from_days=("starts_on", 1), to_days=("ends_on", 1)) | {"chain": chain}
                for row in shop["promotions"]
            ],
        ),
        (schema.orders, [order(row, today) for row in shop["orders"]]),
    ]


def person(row: Row, chain: str, at: str) -> Row:
    extra = {"external_id": None, "member": {}, "language": "zh", "guest": False, "on_duty": row["role"] == "advisor"}
    return extra | row | {"chain": chain, "created_at": at}


def product(row: Row, chain: str, stores: list[str]) -> Row:
    """Stock differs from store to store, always the same way."""
    number = sum(row["id"].encode())
    return row | {"chain": chain, "stock": {store: (number * (n + 3)) % 40 for n, store in enumerate(stores)}}


def order(row: Row, today: datetime) -> Row:
    kept = {name: value for name, value in row.items() if name not in ("days_ago", "eta_days")}
    placed = clock.text(today - timedelta(days=row["days_ago"]))
    return kept | {"placed_at": placed, "eta": (today + timedelta(days=row["eta_days"])).date().isoformat()}


def dated(row: Row, today: datetime, **spans: tuple[str, int]) -> Row:
    """Replace each span in days by the date it means: {span: (column, sign)}."""
    dates = {
        column: (today + timedelta(days=sign * row[span])).date().isoformat() for span, (column, sign) in spans.items()
    }
    return {name: value for name, value in row.items() if name not in spans} | dates
