"""Work orders and their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0005"
down_revision = "state_0004"

_OPEN = sa.text("state NOT IN ('checked', 'rated', 'withdrawn')")


def upgrade() -> None:
    op.create_table(
        "work_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_work_order_open",
        "work_order",
        ["incident"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_work_order_incident", "work_order", ["incident", "id"])
    op.create_index("ix_work_order_assignee", "work_order", ["assignee", "id"])
    op.create_table(
        "work_order_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("work_order", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["work_order"], ["work_order.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_work_order_step_work_order", "work_order_step", ["work_order", "id"])
