"""The table of what people agreed on in `state.db`: rosters, contacts, ladders, by version."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.notify import metadata

__all__ = ["duty_document", "metadata"]

duty_document = sa.Table(
    "duty_document",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),  # roster, contacts, ladder, …
    sa.Column("name", sa.Text, primary_key=True),  # of the team, the owner, the ladder
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),  # of the body, empty when it was removed
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text),
    sa.Column("body", sa.Text),  # JSON; NULL when it was removed, or is private and not the newest
)
