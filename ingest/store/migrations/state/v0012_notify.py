"""Notifications: ladders under way, who is told and what came of it, how fast channels may go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0012"
down_revision = "state_0011"


def upgrade() -> None:
    op.create_table(
        "climb",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident"),
    )
    op.create_index("ix_climb_due", "climb", ["due"])
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "ix_notification_next", "notification", ["channel", "state", "urgency", "next_at"]
    )
    op.create_index("ix_notification_incident", "notification", ["incident", "id"])
    op.create_index("ix_notification_ended", "notification", ["ended"])
    op.create_table(
        "channel_pace",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_table(
        "notifier",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transition", sa.BigInteger(), nullable=False),
        sa.Column("audited", sa.BigInteger(), nullable=True),
        sa.Column("overdue", sa.BigInteger(), nullable=False),
        sa.Column("requeued", sa.BigInteger(), nullable=False),
        sa.Column("pinged", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("notifier")
    op.drop_table("channel_pace")
    op.drop_table("notification")
    op.drop_table("climb")
