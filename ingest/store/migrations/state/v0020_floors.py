"""Floor plans, and where devices stand on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0020"
down_revision = "state_0019"


def upgrade() -> None:
    op.create_table(
        "floor_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_floor_plan_place", "floor_plan", ["place"])
    op.create_table(
        "floor_marker",
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["floor_plan.id"]),
        sa.PrimaryKeyConstraint("plan", "node", "device"),
    )
    op.create_index("ix_floor_marker_device", "floor_marker", ["node", "device"])


def downgrade() -> None:
    op.drop_table("floor_marker")
    op.drop_table("floor_plan")
