"""Incidents know what is due, what they are part of and who was called; silences.

What queries ask of incidents that are there already is taken from their bodies.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "state_0003"
down_revision = "state_0002"

_COLUMNS = (
    ("site", sa.Text()),
    ("event", sa.Text()),
    ("label", sa.Text()),
    ("outage", sa.Boolean()),
    ("aside", sa.Text()),
    ("part_of", sa.Text()),
    ("due", sa.BigInteger()),
    ("load", sa.BigInteger()),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("incident", sa.Column(name, kind, nullable=True))
    _fill()
    op.create_index("ix_incident_due", "incident", ["due", "number"])
    op.create_index("ix_incident_load", "incident", ["site", "load"])
    op.create_index("ix_incident_part_of", "incident", ["part_of", "number"])
    op.create_index("ix_incident_last", "incident", ["last"])
    op.create_table(
        "silence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_silence_ends", "silence", ["ends"])


def _fill() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, state, clears, body FROM incident")).all()
    put = sa.text(
        "UPDATE incident SET site = :site, event = :event, label = :label, outage = :outage,"
        " due = :due WHERE id = :id"
    ).bindparams(sa.bindparam("outage", type_=sa.Boolean()))
    for row in rows:
        body = json.loads(row.body)
        key, safety = body["key"], body["key"]["event"] == "ebike-in-elevator"
        values = {"id": row.id, "site": key["site"], "event": key["event"], "outage": False}
        values |= {"label": body.get("label"), "due": _due(row, body, safety=safety)}
        connection.execute(put, values)
        # As their rows say: what is open was never called for, and safety kinds went by their name.
        body |= {"policy": {"safety": True} if safety else {}, "owed": row.state == "open"}
        changed = {"id": row.id, "body": json.dumps(body, ensure_ascii=False)}
        connection.execute(sa.text("UPDATE incident SET body = :body WHERE id = :id"), changed)


def _due(row: Any, body: dict[str, Any], *, safety: bool) -> int | None:
    """Return when time alone changes it next: at the latest then it is looked at again."""
    if row.state == "resolved":
        return None
    times = []
    if row.clears is not None and not (safety and row.state == "open"):
        times.append(row.clears + 600_000_000)
    if row.state == "acknowledged" and body.get("acknowledged"):
        seen = datetime.fromisoformat(body["acknowledged"]) + timedelta(minutes=30)
        times.append(round(seen.timestamp() * 1_000_000))
    return min(times, default=None)
