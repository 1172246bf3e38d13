"""Commands out to devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0015"
down_revision = "state_0014"


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_command_device", "command", ["node", "device", "id"])
    op.create_index("ix_command_state", "command", ["state", "id"])


def downgrade() -> None:
    op.drop_table("command")
