"""What was seen of the broker: who was not let in, how much it retains."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0032"
down_revision = "state_0031"


def upgrade() -> None:
    op.create_table(
        "broker_sight",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("broker_sight")
