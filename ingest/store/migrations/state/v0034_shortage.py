"""Which disk is short since when, and what was given up for want of room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0034"
down_revision = "state_0033"


def upgrade() -> None:
    op.create_table(
        "shortage",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer()),
        sa.PrimaryKeyConstraint("about"),
    )
    op.create_table(
        "given_up",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what"),
    )


def downgrade() -> None:
    op.drop_table("given_up")
    op.drop_table("shortage")
