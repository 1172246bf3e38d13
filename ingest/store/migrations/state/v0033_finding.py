"""What is wrong, since when, and how much of the disk was free."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0033"
down_revision = "state_0032"


def upgrade() -> None:
    op.create_table(
        "finding",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "about"),
    )
    op.create_table(
        "disk_free",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )


def downgrade() -> None:
    op.drop_table("disk_free")
    op.drop_table("finding")
