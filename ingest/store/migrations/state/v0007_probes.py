"""Probes that came through the whole chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0007"
down_revision = "state_0006"


def upgrade() -> None:
    op.create_table(
        "probe",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_probe_made", "probe", ["made"])


def downgrade() -> None:
    op.drop_table("probe")
