"""Looks at live pictures in `state.db`; the pictures themselves are written nowhere."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.commands import metadata
from ingest.store.engine import UtcDateTime

__all__ = ["live_look", "metadata"]

live_look = sa.Table(
    "live_look",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUIDv7, so that later ones are greater
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("began", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("incident", sa.Text),
)
sa.Index("ix_live_look_device", live_look.c.node, live_look.c.device, live_look.c.id)
sa.Index("ix_live_look_until", live_look.c.until)
