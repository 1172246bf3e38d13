"""Pictures of what a scenario on trial would have alarmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0029"
down_revision = "state_0028"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("trial", sa.Text()))
    op.create_index("ix_evidence_trial", "evidence", ["node", "device", "trial", "id"])


def downgrade() -> None:
    op.drop_index("ix_evidence_trial", "evidence")
    op.drop_column("evidence", "trial")
