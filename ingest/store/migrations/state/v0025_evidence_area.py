"""The area of a photograph by hand, for those who may know of some areas alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0025"
down_revision = "state_0024"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("area", sa.Text()))


def downgrade() -> None:
    op.drop_column("evidence", "area")
