"""The engine's memory in `state.db`: taken up at the start, kept with the cursor's own commit."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ingest.rules.memory import RULE, Memory
from ingest.store.engine import insert
from ingest.store.rules import rule_memory

_THIS = sa.and_(
    rule_memory.c.part == sa.bindparam("of_part"), rule_memory.c.name == sa.bindparam("of_name")
)
_FORGET = rule_memory.delete().where(_THIS)
_PUT = insert(rule_memory)
_KEEP = _PUT.on_conflict_do_update(
    index_elements=[rule_memory.c.part, rule_memory.c.name], set_={"body": _PUT.excluded.body}
)


def load(connection: sa.Connection) -> Memory:
    """Return what was kept last."""
    memory = Memory()
    rows = connection.execute(rule_memory.select()).all()
    # Rules say what the states of their targets look like.
    for row in sorted(rows, key=lambda row: row.part != RULE):
        memory.load((row.part, row.name), row.body)
    return memory


def keep(connection: sa.Connection, memory: Memory) -> None:
    """Write what has changed, in the transaction of whoever moves the cursor."""
    kept: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for part, name in memory.changed:
        body = memory.body((part, name))
        if body is None:
            gone.append({"of_part": part, "of_name": name})
        else:
            kept.append({"part": part, "name": name, "body": body})
    if gone:
        connection.execute(_FORGET, gone)
    if kept:
        connection.execute(_KEEP, kept)
