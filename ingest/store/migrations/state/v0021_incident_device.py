"""Incidents are asked for by the device that they are of."""

from __future__ import annotations

from alembic import op

revision = "state_0021"
down_revision = "state_0020"


def upgrade() -> None:
    op.create_index("ix_incident_device", "incident", ["node", "device", "number"])


def downgrade() -> None:
    op.drop_index("ix_incident_device", "incident")
