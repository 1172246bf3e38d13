"""Which incidents the district was told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0037"
down_revision = "state_0036"


def upgrade() -> None:
    op.create_table(
        "share_told",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident"),
    )
    op.execute(
        sa.text(
            "INSERT INTO share_told (incident) SELECT DISTINCT t.incident FROM transition t"
            " JOIN share_progress p ON t.id > p.begun AND t.id <= p.transition"
            " WHERE t.step = 'resolved'"
        )
    )


def downgrade() -> None:
    op.drop_table("share_told")
