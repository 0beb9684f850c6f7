"""Sign-in links: printed at `serve`, and on demand with `nestcall sign-in`."""

import asyncio
import os
from dataclasses import dataclass

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.settings import Settings
from gateway.store import people
from gateway.store.engine import Store
from gateway.store.schema import people as table

FILE = "sign-in-links.txt"


@dataclass(frozen=True, slots=True)
class Link:
    role: str
    name: str
    url: str


def register(app: typer.Typer) -> None:
    @app.command("sign-in")
    def sign_in(url: str = typer.Option("", help="how browsers reach the gateway")) -> None:
        """Print fresh one-time sign-in links (30 minutes)."""

        async def made() -> list[Link]:
            settings = Settings()
            store = await Store.open(settings)
            try:
                where = url or settings.public_url or f"http://{settings.host}:{settings.port}"
                return await make_links(store, settings, where)
            finally:
                await store.close()

        for link in asyncio.run(made()):
            typer.echo(line(link))


async def make_links(store: Store, settings: Settings, url: str) -> list[Link]:
    """One for each member of staff and, in the demo, each member. Also in a file only the owner can read."""

    async def job(connection: AsyncConnection) -> list[Link]:
        query = select(table).where(table.c.guest.is_(False), table.c.role != "customer").order_by(table.c.role.desc())
        if settings.demo:
            query = select(table).where(table.c.id.like("%-%"), table.c.guest.is_(False), table.c.id.not_like("p-%"))
        rows = (await connection.execute(query)).mappings().all()
        at = clock.now()
        return [
            Link(row["role"], row["name"], f"{url}/sign-in?code={await people.new_code(connection, row['id'], at)}")
            for row in rows
        ]

    links = await store.write(job)
    await asyncio.to_thread(keep, settings, links)
    return links


def keep(settings: Settings, links: list[Link]) -> None:
    path = settings.data_dir / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(line(link) + "\n" for link in links)
    path.chmod(0o600)


def line(link: Link) -> str:
    return f"{link.role:<9} {link.name}  {link.url}"


def show(url: str, links: list[Link]) -> None:
    typer.echo(f"Nestcall  {url}/  (customer)   {url}/console   {url}/manager")
    typer.echo("One-time sign-in links, good for 30 minutes:")
    for link in links:
        typer.echo("  " + line(link))
