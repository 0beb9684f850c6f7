"""Run by `gateway.store.migrate` on an open connection (and by a developer's `alembic revision`)."""

from alembic import context

from gateway.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
