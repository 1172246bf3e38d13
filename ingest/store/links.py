"""Looks at incidents by link in `state.db`, and links that were called back."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.push import metadata

__all__ = ["link_look", "link_stop", "metadata"]

link_look = sa.Table(
    "link_look",  # only ever added to
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),  # person:ID or team:ID
    sa.Column("at", UtcDateTime, nullable=False),
)
sa.Index("ix_link_look_incident", link_look.c.incident, link_look.c.id)

link_stop = sa.Table(
    "link_stop",  # links made until `at` open nothing any more
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
)
