"""The tables of work orders in `state.db`; `work_order` is a cache of its steps."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.incidents import metadata

__all__ = ["metadata", "work_order", "work_order_step"]

work_order = sa.Table(
    "work_order",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("incident", sa.Text, sa.ForeignKey("incident.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("assignee", sa.Text),
    sa.Column("body", sa.Text, nullable=False),  # JSON of Order
)
_OPEN = work_order.c.state.not_in(("checked", "rated", "withdrawn"))
sa.Index(
    "uq_work_order_open",
    work_order.c.incident,
    unique=True,
    sqlite_where=_OPEN,
)
sa.Index("ix_work_order_incident", work_order.c.incident, work_order.c.id)
sa.Index("ix_work_order_assignee", work_order.c.assignee, work_order.c.id)

work_order_step = sa.Table(
    "work_order_step",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("work_order", sa.Text, sa.ForeignKey("work_order.id"), nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON of OrderStep
    sqlite_autoincrement=True,
)
sa.Index("ix_work_order_step_work_order", work_order_step.c.work_order, work_order_step.c.id)
