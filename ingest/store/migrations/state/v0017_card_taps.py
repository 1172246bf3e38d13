"""Taps on the buttons of cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0017"
down_revision = "state_0016"


def upgrade() -> None:
    op.create_table(
        "card_tap",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once"),
    )
    op.create_index("ix_card_tap_incident", "card_tap", ["incident", "id"])


def downgrade() -> None:
    op.drop_table("card_tap")
