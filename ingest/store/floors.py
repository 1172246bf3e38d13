"""Floor plans and where devices stand on them, in `state.db`; a plan's picture lies in its row.

There are a few dozen, each less than a megabyte: so a backup, a move to PostgreSQL and a commit
hold picture and markers together.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.registry import metadata

__all__ = ["floor_marker", "floor_plan", "metadata"]

floor_plan = sa.Table(
    "floor_plan",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # a UUID
    sa.Column("place", sa.Text, nullable=False),  # a path of ids, as of the registry
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),  # pixels
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),  # of the picture as it is kept
    sa.Column("picture", sa.LargeBinary, nullable=False),
    sa.Column("changed", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)
sa.Index("ix_floor_plan_place", floor_plan.c.place)

floor_marker = sa.Table(
    "floor_marker",
    metadata,
    sa.Column("plan", sa.Text, sa.ForeignKey("floor_plan.id"), primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("x", sa.Double, nullable=False),  # 0..1 from the left
    sa.Column("y", sa.Double, nullable=False),  # 0..1 from the top
)
sa.Index("ix_floor_marker_device", floor_marker.c.node, floor_marker.c.device)
