"""Events are asked for by node."""

from __future__ import annotations

from alembic import op

revision = "state_0011"
down_revision = "state_0010"


def upgrade() -> None:
    op.create_index("ix_event_node", "event", ["node", "id"])


def downgrade() -> None:
    op.drop_index("ix_event_node", "event")
