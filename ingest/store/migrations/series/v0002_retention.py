"""What was deleted from the series, and how many readings came twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "series_0002"
down_revision = "series_0001"


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("given_up", sa.BigInteger(), nullable=False),
        sa.Column("given_up_before", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column(
        "cursor", sa.Column("repeated", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("cursor", "repeated")
    op.drop_table("retention")
