"""Phones that hear by web push, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.cards import metadata
from ingest.store.engine import RowId, UtcDateTime

__all__ = ["metadata", "push_browser"]

push_browser = sa.Table(
    "push_browser",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),  # person:ID
    sa.Column("endpoint", sa.Text, nullable=False, unique=True),  # an address at a push service
    sa.Column("p256dh", sa.Text, nullable=False),
    sa.Column("auth", sa.Text, nullable=False),
    sa.Column("added", UtcDateTime, nullable=False),
)
sa.Index("ix_push_browser_owner", push_browser.c.owner, push_browser.c.id)
