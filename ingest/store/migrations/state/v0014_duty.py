"""Who is on duty and how people are reached: documents by version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0014"
down_revision = "state_0013"


def upgrade() -> None:
    op.create_table(
        "duty_document",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", "version"),
    )


def downgrade() -> None:
    op.drop_table("duty_document")
