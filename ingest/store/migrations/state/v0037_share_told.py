"""Which incidents the district was told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0037"
down_revision = "state_0036"
_NEWER = ('"redetected":', '"ended":')


def upgrade() -> None:
    op.create_table(
        "share_told",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident"),
    )
    # The position lies two minutes behind what was told: who was not told hears of count 0 once.
    op.execute(
        sa.text(
            "INSERT INTO share_told (incident) SELECT DISTINCT t.incident FROM transition t"
            " JOIN share_progress p ON t.id > p.begun AND p.transition IS NOT NULL"
            " WHERE t.step = 'resolved'"
        )
    )


def downgrade() -> None:
    # Reports may hold fields that what comes before refuses; a box says its own again in a minute.
    for name, column in (("node", "report"), ("device", "camera")):
        table = sa.table(name, sa.column(column))
        newer = sa.or_(*(table.c[column].contains(field) for field in _NEWER))
        op.execute(table.update().where(newer).values({column: None}))
    op.drop_table("share_told")
