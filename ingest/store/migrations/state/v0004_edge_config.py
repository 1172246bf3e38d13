"""Configuration documents of edge boxes, each version kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0004"
down_revision = "state_0003"


def upgrade() -> None:
    op.create_table(
        "edge_config",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("restores", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "version"),
    )
