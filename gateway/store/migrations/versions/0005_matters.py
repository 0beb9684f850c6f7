"""a store's rule names a matter: a topic is what retrieval knows by that name

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    stores = sa.table("stores", sa.column("id", sa.String), sa.column("rules", sa.JSON))
    connection = op.get_bind()
    for id, rules in connection.execute(sa.select(stores.c.id, stores.c.rules)).all():
        if not rules or "person_for" not in rules:
            continue
        renamed = [
            {"matter" if name == "topic" else name: value for name, value in one.items()} for one in rules["person_for"]
        ]
        changed = sa.update(stores).where(stores.c.id == id).values(rules=rules | {"person_for": renamed})
        connection.execute(changed)
