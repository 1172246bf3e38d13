"""What was seen of the broker, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.access import metadata
from ingest.store.engine import UtcDateTime

__all__ = ["broker_sight", "metadata"]

broker_sight = sa.Table(
    "broker_sight",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
