"""Requests that must not be done twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0008"
down_revision = "state_0007"


def upgrade() -> None:
    op.create_table(
        "request",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("account", "key"),
    )
    op.create_index("ix_request_at", "request", ["at"])


def downgrade() -> None:
    op.drop_table("request")
