"""The audit log is only added to; what is old of notifications and looks goes, and is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0026"
down_revision = "state_0025"

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
_ROW = "CREATE TRIGGER audit_keep_row BEFORE UPDATE ON audit"
_ALL = "CREATE TRIGGER audit_keep_all BEFORE DELETE"
_NEXT = """
CREATE TRIGGER audit_next_row BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id >= NEW.id)
"""
"""INSERT OR REPLACE deletes without the trigger of deletes being asked."""
_KEEP = """
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'restrict_violation';
END $$
"""
_CALL = "FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()"
_UP = {
    "sqlite": (f"{_ROW} {_REFUSE}", f"{_ALL} ON audit {_REFUSE}", f"{_NEXT} {_REFUSE}"),
    "postgresql": (_KEEP, f"{_ROW} {_CALL}", f"{_ALL} OR TRUNCATE ON audit {_CALL}"),
}
_DOWN = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_next_row",
        "DROP TRIGGER IF EXISTS audit_keep_all",
        "DROP TRIGGER IF EXISTS audit_keep_row",
    ),
    "postgresql": ("DROP FUNCTION IF EXISTS audit_keep() CASCADE",),
}


def upgrade() -> None:
    for statement in _UP[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "forgotten",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("doubts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", "channel", "state", "reason"),
    )
    op.create_index("ix_live_look_until", "live_look", ["until"])


def downgrade() -> None:
    op.drop_index("ix_live_look_until", "live_look")
    op.drop_table("forgotten")
    for statement in _DOWN[op.get_bind().dialect.name]:
        op.execute(statement)
