"""Codes by which boxes join, and what the broker's keeper is to sign or revoke, in `state.db`."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.door import metadata
from ingest.store.engine import RowId, UtcDateTime

__all__ = ["certificate_task", "join_code", "metadata"]

join_code = sa.Table(
    "join_code",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("code_hash", sa.Text, nullable=False, unique=True),
    sa.Column("key_hash", sa.Text),  # of the key of whoever used it, NULL before
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires", UtcDateTime, nullable=False),
    sa.Column("used", UtcDateTime),
)

certificate_task = sa.Table(
    "certificate_task",  # done in the order of their numbers
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # issue | revoke
    sa.Column("asked", UtcDateTime, nullable=False),
    sa.Column("public", sa.Text),  # SHA-256 of the key to certify, or of the digest
    sa.Column("request", sa.Text),  # PEM of a PKCS #10 request, or a digest
    sa.Column("certificate", sa.Text),  # PEM, NULL until it is signed
    sa.Column("until", UtcDateTime),
    sa.Column("done", UtcDateTime),
    sa.Column("refused", sa.Text),  # why it was not done
    sqlite_autoincrement=True,
)
sa.Index("ix_certificate_task_node", certificate_task.c.node, certificate_task.c.id)
sa.Index("ix_certificate_task_done", certificate_task.c.done, certificate_task.c.id)
