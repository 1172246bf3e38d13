"""The tables of what is wrong, and of how much of the disk was free, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.joining import metadata

__all__ = ["disk_free", "finding", "metadata"]

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
