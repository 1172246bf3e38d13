"""The rules' tables in `state.db`: versions of the document, and what the engine remembers."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.orders import metadata

__all__ = ["metadata", "rule_memory", "rule_set"]

rule_set = sa.Table(
    "rule_set",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),  # of the text
    sa.Column("body", sa.Text, nullable=False),  # the document as it was written
    sa.Column("note", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("position", sa.BigInteger),  # journal row after which it holds, NULL before it does
)

rule_memory = sa.Table(
    "rule_memory",
    metadata,
    sa.Column("part", sa.Text, primary_key=True),  # a rule, or what begins with !
    sa.Column("name", sa.Text, primary_key=True),  # of its target
    sa.Column("body", sa.LargeBinary, nullable=False),  # JSON of the state
    sqlite_with_rowid=False,
)
