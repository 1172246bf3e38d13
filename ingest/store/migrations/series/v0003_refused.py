"""How many readings were refused, since their device had as many series as it may have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "series_0003"
down_revision = "series_0002"


def upgrade() -> None:
    op.add_column(
        "cursor", sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("cursor", "refused")
