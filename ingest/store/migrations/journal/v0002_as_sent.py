"""What was sent when fields were stripped; quick looks by place, by hash and by parked device."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "journal_0002"
down_revision = "journal_0001"


def upgrade() -> None:
    op.add_column("message", sa.Column("sent_sha256", sa.Text(), nullable=True))
    op.create_index("ix_message_place", "message", ["stream", "sequence"])
    op.create_index("ix_reject_sha256", "reject", ["sha256"])
    op.add_column("parked", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.create_index("ix_parked_device", "parked", ["node", "device", "sequence", "size"])


def downgrade() -> None:
    op.drop_index("ix_parked_device", "parked")
    op.drop_column("parked", "sequence")
    op.drop_index("ix_reject_sha256", "reject")
    op.drop_index("ix_message_place", "message")
    op.drop_column("message", "sent_sha256")
