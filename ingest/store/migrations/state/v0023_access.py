"""Six roles, areas of accounts and tokens, screens on walls, the audit log."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "state_0023"
down_revision = "state_0022"

_ROLES = {"staff": "duty", "viewer": "street"}
_BACK = {**{new: old for old, new in _ROLES.items()}, "supervisor": "staff", "community": "staff"}
_SCOPES = {
    "see": ("look", "see"),
    "act": ("act", "command"),
    "administer": ("administer", "arrange"),
}
_NARROWER = {"look": "see", "command": "act", "arrange": "act"}


def upgrade() -> None:
    op.add_column("account", sa.Column("areas", sa.Text()))
    op.add_column("api_token", sa.Column("areas", sa.Text()))
    op.add_column("api_token", sa.Column("used", sa.BigInteger()))
    op.create_table(
        "screen",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("areas", sa.Text()),
        sa.Column("code_hash", sa.Text()),
        sa.Column("code_expires", sa.BigInteger()),
        sa.Column("token_hash", sa.Text()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("claimed", sa.BigInteger()),
        sa.Column("used", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_act", "audit", ["act", "id"])
    _rename(_ROLES)
    _rescope(lambda known: [new for one in known for new in _SCOPES.get(one, (one,))])


def downgrade() -> None:
    _rename({**_BACK, "integrator": "staff"})
    _rescope(lambda known: [_NARROWER.get(one, one) for one in known])
    op.drop_table("audit")
    op.drop_table("screen")
    op.drop_column("api_token", "used")
    op.drop_column("api_token", "areas")
    op.drop_column("account", "areas")


def _rename(names: dict[str, str]) -> None:
    account = sa.table("account", sa.column("role", sa.Text))
    for old, new in names.items():
        op.execute(account.update().where(account.c.role == old).values(role=new))


def _rescope(changed: Callable[[list[str]], list[str]]) -> None:
    token = sa.table("api_token", sa.column("id", sa.Text), sa.column("scopes", sa.Text))
    connection = op.get_bind()
    for row in connection.execute(sa.select(token.c.id, token.c.scopes)).all():
        scopes = " ".join(dict.fromkeys(changed(row.scopes.split())))
        connection.execute(token.update().where(token.c.id == row.id).values(scopes=scopes))
