"""what is half said in a running call outlives the gateway

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("calls", sa.Column("half_said", sa.JSON(), nullable=False, server_default="{}"))
