"""What the chain sells, as rows."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.schema import products

MOST = 200


async def names(connection: AsyncConnection, chain: str) -> list[tuple[str, str]]:
    """(name, English name) of at most MOST products."""
    query = select(products.c.name, products.c.name_en).where(products.c.chain == chain).order_by(products.c.id)
    return [(row.name, row.name_en) for row in await connection.execute(query.limit(MOST))]
