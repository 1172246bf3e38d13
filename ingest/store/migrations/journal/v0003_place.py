"""Where messages stand in their streams, beside them: written together now and then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "journal_0003"
down_revision = "journal_0002"


def upgrade() -> None:
    op.create_table(
        "place",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # In the order of the key: in that of the index, from which SQLite reads, many take ever longer.
    op.execute(
        "INSERT INTO place (id, stream, sequence) "
        "SELECT id, stream, sequence FROM message WHERE sequence IS NOT NULL ORDER BY +id"
    )
    op.create_index("ix_place", "place", ["stream", "sequence"])
    op.drop_index("ix_message_place", "message")


def downgrade() -> None:
    op.create_index("ix_message_place", "message", ["stream", "sequence"])
    op.drop_index("ix_place", "place")
    op.drop_table("place")
