"""Looks at incidents by link, and links that were called back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0013"
down_revision = "state_0012"


def upgrade() -> None:
    op.create_table(
        "link_look",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_link_look_incident", "link_look", ["incident", "id"])
    op.create_table(
        "link_stop",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "recipient"),
    )


def downgrade() -> None:
    op.drop_table("link_stop")
    op.drop_table("link_look")
