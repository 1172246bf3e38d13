"""Screens on walls and the audit log, in `state.db`, beside accounts and tokens."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.duty import metadata
from ingest.store.engine import UtcDateTime

__all__ = ["audit", "metadata", "screen"]

screen = sa.Table(
    "screen",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("areas", sa.Text),  # separated by spaces, NULL for the whole site
    sa.Column("code_hash", sa.Text, unique=True),  # of the address to open once, NULL afterwards
    sa.Column("code_expires", UtcDateTime),
    sa.Column("token_hash", sa.Text, unique=True),  # of its cookie, NULL before
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("claimed", UtcDateTime),
    sa.Column("used", UtcDateTime),  # last, to the hour
)

audit = sa.Table(
    "audit",  # only ever added to; each row's hash is over the one before
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),  # without gaps, from 1
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON
    sa.Column("hash", sa.Text, nullable=False),  # hex of SHA-256
)
sa.Index("ix_audit_act", audit.c.act, audit.c.id)
