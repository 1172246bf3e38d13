"""How far the district was told, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.findings import metadata

__all__ = ["metadata", "share_count", "share_progress", "share_told"]

share_progress = sa.Table(
    "share_progress",  # one row, there once it was switched on
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("salt", sa.Text, nullable=False),  # what ids upward are made with
    # The last transition that is told for good; NULL while it is switched off.
    sa.Column("transition", sa.BigInteger),
    sa.Column("events", sa.BigInteger, nullable=False),  # messages that the broker took
    sa.Column("counts", sa.BigInteger, nullable=False),
    sa.Column("begun", sa.BigInteger),  # the last transition when it was switched on
)

share_count = sa.Table(
    "share_count",  # what was told last of each kind and class of areas
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("areaclass", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),  # when the number became this
    sa.Column("told", sa.Boolean, nullable=False),
)

share_told = sa.Table(
    "share_told",  # each incident that was ever told, written before it is
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
)
