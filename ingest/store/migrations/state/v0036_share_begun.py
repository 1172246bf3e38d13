"""Since when the district is told: what was over before stays here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0036"
down_revision = "state_0035"


def upgrade() -> None:
    op.add_column("share_progress", sa.Column("begun", sa.BigInteger()))
    op.execute(sa.text("UPDATE share_progress SET begun = transition"))


def downgrade() -> None:
    op.drop_column("share_progress", "begun")
