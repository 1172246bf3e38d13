"""The table of probes in `state.db`: each that came through the whole chain, for a day."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.rules import metadata

__all__ = ["metadata", "probe"]

probe = sa.Table(
    "probe",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # of the message
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("made", UtcDateTime, nullable=False),
    sa.Column("shown", UtcDateTime),  # when a listener of the live feed had read this row
)
sa.Index("ix_probe_made", probe.c.made)
