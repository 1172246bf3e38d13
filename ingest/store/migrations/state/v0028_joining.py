"""Codes by which boxes join, and certificates that are to be signed or revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "state_0028"
down_revision = "state_0027"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "join_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
    )
    op.create_table(
        "certificate_task",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("public", sa.Text()),
        sa.Column("request", sa.Text()),
        sa.Column("certificate", sa.Text()),
        sa.Column("until", sa.BigInteger()),
        sa.Column("done", sa.BigInteger()),
        sa.Column("refused", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_certificate_task_node", "certificate_task", ["node", "id"])
    op.create_index("ix_certificate_task_done", "certificate_task", ["done", "id"])


def downgrade() -> None:
    op.drop_table("certificate_task")
    op.drop_table("join_code")
