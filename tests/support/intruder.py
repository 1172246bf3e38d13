"""Somebody with a hand on the database itself, as whoever may write the file has."""

from __future__ import annotations

import sqlalchemy as sa

TRIGGERS = ("audit_keep_row", "audit_keep_all", "audit_next_row")


def unguard(connection: sa.Connection) -> None:
    """Take away what refuses to change rows of the audit log."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        return
    for name in TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
