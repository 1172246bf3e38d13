"""Phones that hear by web push."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0019"
down_revision = "state_0018"


def upgrade() -> None:
    op.create_table(
        "push_browser",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint"),
    )
    op.create_index("ix_push_browser_owner", "push_browser", ["owner", "id"])


def downgrade() -> None:
    op.drop_table("push_browser")
