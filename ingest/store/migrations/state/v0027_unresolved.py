"""What is unresolved or set aside is counted and listed without reading all incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0027"
down_revision = "state_0026"

UNRESOLVED = sa.text("urgency < 4")
ASIDE = sa.text("aside IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_incident_unresolved",
        "incident",
        ["urgency", "state", "aside", "area", "node", "device"],
        sqlite_where=UNRESOLVED,
        postgresql_where=UNRESOLVED,
    )
    op.create_index(
        "ix_incident_aside",
        "incident",
        ["aside", "urgency", sa.text("number DESC")],
        sqlite_where=ASIDE,
        postgresql_where=ASIDE,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_aside", "incident")
    op.drop_index("ix_incident_unresolved", "incident")
