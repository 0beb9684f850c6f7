"""edits are found without reading the conversation

Revision: 0003, after 0002.
"""

from alembic import op

from gateway.store.schema import EDITED

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    columns = ["conversation", "seq"]
    op.create_index("ix_events_edits", "events", columns, sqlite_where=EDITED, postgresql_where=EDITED)
