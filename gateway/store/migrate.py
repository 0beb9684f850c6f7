"""Brings the database to this code's tables on start, or says in one sentence why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.errors import SettingsBroken

SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise SettingsBroken(detail=f"the database is newer (revision {found}) than this code; update Nestcall")
    command.upgrade(config, "head")


def migrate(engine: Engine) -> None:
    """Raises `SettingsBroken`."""
    with said_plainly(), engine.begin() as connection:
        upgrade(connection)


async def migrate_async(engine: AsyncEngine) -> None:
    """Raises `SettingsBroken`."""
    try:
        with said_plainly():
            async with engine.begin() as connection:
                await connection.run_sync(upgrade)
    except BaseException:
        await engine.dispose()
        raise


@contextmanager
def said_plainly() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, OSError) as error:
        cause = getattr(error, "orig", error)
        raise SettingsBroken(detail=f"the database cannot be opened: {cause}") from error
