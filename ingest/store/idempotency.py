"""The table of requests that must not be done twice, in `state.db`, for a day."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.chain import metadata
from ingest.store.engine import UtcDateTime

__all__ = ["metadata", "request"]

request = sa.Table(
    "request",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # as the caller chose it
    sa.Column("fingerprint", sa.Text, nullable=False),  # SHA-256 of what was asked
    sa.Column("process", sa.Text, nullable=False),  # of ours that took it up
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),  # set in the commit of the effect itself
    sa.Column("status", sa.Integer),  # of the answer, NULL while there is none
    sa.Column("headers", sa.Text),  # JSON
    sa.Column("body", sa.LargeBinary),  # NULL when it was too long to keep
)
sa.Index("ix_request_at", request.c.at)
