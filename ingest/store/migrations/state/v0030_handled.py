"""What people have taken on is listed without walking through all that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0030"
down_revision = "state_0029"

TAKEN_ON = sa.text("urgency < 4 AND state != 'open'")


def upgrade() -> None:
    op.create_index(
        "ix_incident_taken_on",
        "incident",
        ["urgency", sa.text("number DESC")],
        sqlite_where=TAKEN_ON,
        postgresql_where=TAKEN_ON,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_taken_on", "incident")
