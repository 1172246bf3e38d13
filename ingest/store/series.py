"""`series.db`: readings and their five-minute rollups. The series consumer alone writes it.

Times here are integer *milliseconds* since 1970 UTC, the contract's own resolution: two bytes less
per row than microseconds.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId

BUCKET = 300_000
"""Milliseconds of a rollup."""

metadata = sa.MetaData()

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.UniqueConstraint("site", "node", "device", "group", "name", "unit", name="uq_series"),
)

reading = sa.Table(
    "reading",
    metadata,
    sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("quality", sa.Text),  # NULL is good
    sqlite_with_rowid=False,
)

rollup = sa.Table(
    "rollup",
    metadata,
    sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),  # of the bucket
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("sum", sa.Double, nullable=False),
    sa.Column("low", sa.Double, nullable=False),
    sa.Column("high", sa.Double, nullable=False),
    sqlite_with_rowid=False,
)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("poisoned", sa.BigInteger, nullable=False),
    sa.Column("repeated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
)

retention = sa.Table(
    "retention",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # of the table it tells of
    sa.Column("since", sa.BigInteger, nullable=False),  # what is older was deleted
    sa.Column("expired", sa.BigInteger, nullable=False),  # rows, by age
    sa.Column("given_up", sa.BigInteger, nullable=False),  # rows, for want of room
    sa.Column("given_up_before", sa.BigInteger),  # NULL when never
)
