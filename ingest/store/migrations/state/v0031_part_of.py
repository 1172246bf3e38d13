"""Only parts of incidents stand in the index of parts: nothing else is ever looked up there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0031"
down_revision = "state_0030"

A_PART = sa.text("part_of IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_incident_part_of", "incident")
    op.create_index(
        "ix_incident_part_of",
        "incident",
        ["part_of", "number"],
        sqlite_where=A_PART,
        postgresql_where=A_PART,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_part_of", "incident")
    op.create_index("ix_incident_part_of", "incident", ["part_of", "number"])
