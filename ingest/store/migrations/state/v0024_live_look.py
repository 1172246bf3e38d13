"""Who looked at which camera's live picture, why, from when to when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0024"
down_revision = "state_0023"


def upgrade() -> None:
    op.create_table(
        "live_look",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_live_look_device", "live_look", ["node", "device", "id"])


def downgrade() -> None:
    op.drop_table("live_look")
