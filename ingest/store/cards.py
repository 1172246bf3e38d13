"""Taps on the buttons of cards in `state.db`: who, of which message, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.live import metadata

__all__ = ["card_tap", "metadata"]

card_tap = sa.Table(
    "card_tap",  # only ever added to
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("once", sa.Text, nullable=False, unique=True),  # hash of the provider's one-time code
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("member", sa.Text, nullable=False),  # as the provider calls them
    sa.Column("incident", sa.Text),  # NULL when no card of ours was tapped
    sa.Column("recipient", sa.Text),  # person:ID or team:ID, whom the card was sent to
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
sa.Index("ix_card_tap_incident", card_tap.c.incident, card_tap.c.id)
