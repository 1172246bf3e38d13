"""Whether the database itself still refuses to change or delete rows of the audit log."""

from __future__ import annotations

import sqlalchemy as sa

_THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('audit')"
        " AND NOT tgisinternal AND tgenabled <> 'D'"
    ),
}
_NEEDED = {
    "sqlite": {"audit_keep_row", "audit_keep_all", "audit_next_row"},
    "postgresql": {"audit_keep_row", "audit_keep_all"},
}


def guarded(connection: sa.Connection) -> bool:
    """Tell whether its triggers are there: whoever took them away could change rows."""
    name = connection.dialect.name
    return set(connection.scalars(sa.text(_THERE[name]))) >= _NEEDED[name]
