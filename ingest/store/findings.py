"""The tables of what is wrong, of disks and of what was given up for them, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.joining import metadata

__all__ = ["disk_free", "finding", "given_up", "metadata", "shortage"]

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, nullable=False),  # warning | bad; ok of the row that says: looked
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
)

disk_free = sa.Table(
    "disk_free",
    metadata,
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("free", sa.BigInteger, nullable=False),  # bytes
)

shortage = sa.Table(
    "shortage",
    metadata,
    sa.Column("about", sa.Text, primary_key=True),  # a node, svc-ingest for the server itself
    sa.Column("level", sa.Text, nullable=False),  # filling | low | urgent
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("free", sa.BigInteger, nullable=False),  # bytes, at the last look
    sa.Column("days", sa.Integer),  # until it is low, NULL when nobody knows
)

given_up = sa.Table(
    "given_up",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("pieces", sa.BigInteger, nullable=False),  # rows or pictures, since the beginning
    sa.Column("bytes", sa.BigInteger, nullable=False),  # of pictures and slack; else 0
    sa.Column("last", UtcDateTime, nullable=False),
)
