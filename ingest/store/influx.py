"""The tables of the InfluxDB writer in `state.db`: how it does, and points that were refused.

Its position in the journal stands in `cursor` like that of every consumer, so the journal keeps
what InfluxDB does not have yet.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.idempotency import metadata

__all__ = ["influx_parked", "influx_writer", "metadata"]

influx_writer = sa.Table(
    "influx_writer",  # one row
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("transition", sa.BigInteger, nullable=False),  # the last one that is written
    sa.Column("state", sa.Text, nullable=False),  # ok | waiting | refused
    sa.Column("since", UtcDateTime, nullable=False),  # of the state
    sa.Column("words", sa.Text, nullable=False),  # what the server said last, or why it did not
    sa.Column("stored", UtcDateTime),  # when it took something last
    sa.Column("dropped", sa.BigInteger, nullable=False),  # refused points that found no room
)

influx_parked = sa.Table(
    "influx_parked",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),  # of the answer; 0 when it was not sent
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("retry", sa.Boolean, nullable=False),  # a person wants it sent again
    sqlite_autoincrement=True,
)
sa.Index("ix_influx_parked_retry", influx_parked.c.retry, influx_parked.c.id)
