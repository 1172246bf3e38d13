"""Statistics leave drills out: they are found by an index of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0022"
down_revision = "state_0021"


def upgrade() -> None:
    mine = sa.text("label = 'drill'")
    op.create_index(
        "ix_incident_drill", "incident", ["label", "id"], sqlite_where=mine, postgresql_where=mine
    )


def downgrade() -> None:
    op.drop_index("ix_incident_drill", "incident")
