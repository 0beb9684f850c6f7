"""a file knows its message; search terms sort by bytes

Revision: 0002, after 0001. The index is derived: it is made anew, empty, for a database without messages yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TERM = sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("files", sa.Column("seq", sa.Integer(), nullable=True))
    op.create_index("ix_files_conversation_seq", "files", ["conversation", "seq"])
    op.drop_table("search_terms")
    op.create_table(
        "search_terms",
        sa.Column("term", TERM, nullable=False),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", "conversation", "seq", name="pk_search_terms"),
        sqlite_with_rowid=False,
    )
