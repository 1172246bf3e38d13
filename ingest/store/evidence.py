"""What pictures show and who holds them, in `state.db`, beside the pictures' own rows."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.links import metadata

__all__ = ["evidence_hold", "evidence_use", "metadata"]

evidence_use = sa.Table(
    "evidence_use",
    metadata,
    sa.Column("evidence", sa.Text, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),  # the first that it was seen in
    sa.Column("safety", sa.Boolean, nullable=False),  # whether that is about safety
)

evidence_hold = sa.Table(
    "evidence_hold",  # only ever added to
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("ix_evidence_hold_evidence", evidence_hold.c.evidence, evidence_hold.c.id)
