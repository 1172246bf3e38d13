"""Steps of incidents are counted by time."""

from __future__ import annotations

from alembic import op

revision = "state_0016"
down_revision = "state_0015"


def upgrade() -> None:
    op.create_index("ix_transition_step", "transition", ["step", "at"])


def downgrade() -> None:
    op.drop_index("ix_transition_step", "transition")
