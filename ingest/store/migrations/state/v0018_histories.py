"""What happened is asked for by time and by area: events say more of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0018"
down_revision = "state_0017"

_EVENT: tuple[tuple[str, sa.Text | sa.Double[float]], ...] = (
    ("area", sa.Text()),
    ("device", sa.Text()),
    ("phase", sa.Text()),
    ("severity", sa.Text()),
    ("confidence", sa.Double()),
    ("dwell", sa.Double()),
)
_AREA = {
    "sqlite": ("UPDATE incident SET area = json_extract(body, '$.area') WHERE json_valid(body)"),
    "postgresql": """UPDATE incident SET area = substring(body from '"area": ?"([^"]*)"')""",
}


def upgrade() -> None:
    for name, kind in _EVENT:
        op.add_column("event", sa.Column(name, kind, nullable=True))
    op.create_index("ix_event_time", "event", ["time", "id"])
    op.create_index("ix_transition_at", "transition", ["at", "id"])
    op.add_column("incident", sa.Column("area", sa.Text(), nullable=True))
    op.execute(_AREA[op.get_bind().dialect.name])
    op.create_index("ix_incident_area", "incident", ["area", "number"])


def downgrade() -> None:
    op.drop_index("ix_incident_area", "incident")
    op.drop_column("incident", "area")
    op.drop_index("ix_transition_at", "transition")
    op.drop_index("ix_event_time", "event")
    for name, _ in reversed(_EVENT):
        op.drop_column("event", name)
