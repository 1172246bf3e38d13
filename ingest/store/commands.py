"""Commands out to devices in `state.db`: who wanted what and why, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import UtcDateTime
from ingest.store.influx import metadata

__all__ = ["command", "metadata"]

command = sa.Table(
    "command",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUIDv7, so that later ones are greater
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # sent | accepted | done | failed | timeout
    sa.Column("incident", sa.Text),
    sa.Column("issued", UtcDateTime, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON of Command
)
sa.Index("ix_command_device", command.c.node, command.c.device, command.c.id)
sa.Index("ix_command_state", command.c.state, command.c.id)
