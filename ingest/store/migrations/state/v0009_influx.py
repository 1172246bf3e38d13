"""The InfluxDB writer: how far it is with incidents, how it does, and what was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0009"
down_revision = "state_0008"


def upgrade() -> None:
    op.create_table(
        "influx_writer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transition", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=True),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "influx_parked",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("retry", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_influx_parked_retry", "influx_parked", ["retry", "id"])


def downgrade() -> None:
    op.drop_table("influx_parked")
    op.drop_table("influx_writer")
