"""Places, teams, people, what hangs behind what, and who changed any of it.

Sites and buildings that edge boxes are registered in become places under their ids as names.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0002"
down_revision = "state_0001"


def upgrade() -> None:
    op.create_table(
        "place",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_table(
        "team",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("team"),
    )
    op.create_table(
        "person",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("languages", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "registry_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registry_change_record", "registry_change", ["type", "record"])
    for name in ("label_en", "subject", "vendor", "model", "network", "power"):
        op.add_column("node", sa.Column(name, sa.Text(), nullable=True))
    for name in ("label_en", "vendor", "model", "capabilities", "network", "power"):
        op.add_column("device", sa.Column(name, sa.Text(), nullable=True))
    for table in ("node", "device"):
        op.add_column(table, sa.Column("retired_at", sa.BigInteger(), nullable=True))
    op.execute(
        "INSERT INTO place (place, kind, label) "
        "SELECT DISTINCT site, 'site', site FROM node WHERE standing = 'confirmed'"
    )
    op.execute(
        "INSERT INTO place (place, kind, label) "
        "SELECT DISTINCT site || '/' || area, 'building', area FROM node "
        "WHERE standing = 'confirmed'"
    )
