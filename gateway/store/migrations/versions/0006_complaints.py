"""what she complains about an answer is kept beside the question

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("unanswered", sa.Column("comment", sa.Text(), nullable=False, server_default=""))
