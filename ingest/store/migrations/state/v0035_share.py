"""How far the district was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0035"
down_revision = "state_0034"


def upgrade() -> None:
    op.create_table(
        "share_progress",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("transition", sa.BigInteger()),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "share_count",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("areaclass", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "areaclass"),
    )


def downgrade() -> None:
    op.drop_table("share_count")
    op.drop_table("share_progress")
