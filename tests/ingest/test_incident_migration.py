"""Incidents that an older version wrote go on as if this one had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from ledger import NOON, Ledger, at

from ingest.store.engine import open_writer, to_micros, writing
from ingest.store.migrate import scripts, upgrade

OPENED = {
    "step": "opened",
    "at": "2026-03-02T12:00:00Z",
    "recorded": "2026-03-02T12:00:00Z",
    "actor": "rule:edge",
    "episode": "e1",
    "severity": "medium",
    "object_label": "person",
    "area": "b03",
}
CLEARED = {**OPENED, "step": "cleared", "at": "2026-03-02T12:00:08Z", "episode": "e1"}
SEEN = {**OPENED, "step": "acknowledged", "at": "2026-03-02T12:00:09Z", "actor": "user:wang"}
for _row in (CLEARED, SEEN):
    for _name in ("severity", "object_label", "area"):
        del _row[_name]  # type: ignore[attr-defined]
del SEEN["episode"]


def upto(engine: sa.Engine, revision: str) -> None:
    """Bring a new file to an older version's tables."""
    directory = scripts("state")
    steps = list(directory.iterate_revisions(revision, "base"))[::-1]
    with writing(engine) as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for step in steps:
                step.module.upgrade()
                context.stamp(directory, step.revision)


def put(engine: sa.Engine, number: int, event_name: str, state: str, *rows: dict) -> None:
    """Write an incident as the version before did: without policy, due, call."""
    name = f"i{number}"
    key = {"site": "c001", "node": "c001-n07", "device": "cam-1", "event": event_name}
    first = {**rows[0], "incident": name, "number": number, "key": {**key, "zone": "door"}}
    cleared = next((row["at"] for row in rows if row["step"] == "cleared"), None)
    body = {
        "id": name,
        "number": number,
        "key": {**key, "zone": "door"},
        "area": "b03",
        "subject": None,
        "state": state,
        "condition_active": cleared is None,
        "severity": "medium",
        "object_label": "person",
        "count": 1,
        "version": len(rows),
        **dict.fromkeys(("opened", "first"), OPENED["at"]),
        "last": cleared or OPENED["at"],
        "updated": OPENED["at"],
        "cleared": cleared,
    }
    if state == "acknowledged":
        body |= {"acknowledged": SEEN["at"], "acknowledged_by": "user:wang"}
    values = {
        "id": name,
        "number": number,
        "key": f"c001/c001-n07/cam-1/{event_name}/door",
        "node": "c001-n07",
        "device": "cam-1",
        "state": state,
        "severity": "medium",
        "urgency": 2,
        "last": to_micros(NOON),
        "body": json.dumps(body),
        "clears": to_micros(at(8)) if cleared else None,
    }
    with engine.begin() as connection:
        table = sa.table("incident", *(sa.column(one) for one in values))
        connection.execute(table.insert(), values)
        for row in [first, *({**row, "incident": name} for row in rows[1:])]:
            kept = {"incident": name, "step": row["step"], "at": 0, "recorded": 0}
            kept |= {"actor": row["actor"], "body": json.dumps(row)}
            table = sa.table("transition", *(sa.column(one) for one in kept))
            connection.execute(table.insert(), kept)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = open_writer(tmp_path / "state.db")
    upto(engine, "state_0002")
    put(engine, 1, "zone-dwell", "open", OPENED, CLEARED)
    put(engine, 2, "ebike-in-elevator", "open", OPENED, CLEARED)
    put(engine, 3, "fall", "acknowledged", OPENED, SEEN)
    upgrade("state", engine)
    ledger = Ledger(engine)
    yield ledger
    ledger.close()


def test_each_is_what_its_old_rows_make(ledger: Ledger) -> None:
    kinds = [(one.key.event, one.policy.safety, one.owed) for one in ledger.all]
    assert kinds == [
        ("zone-dwell", False, True),
        ("ebike-in-elevator", True, True),
        ("fall", False, False),
    ]


def test_time_goes_on_for_them(ledger: Ledger) -> None:
    ledger.pass_until(timedelta(minutes=45).total_seconds())
    assert [one.state for one in ledger.all] == ["resolved", "open", "acknowledged"]
    assert ("reminded", "call", "reminder") in ledger.pages()


def test_they_are_found_by_what_queries_ask_now(ledger: Ledger) -> None:
    table = sa.table(
        "incident", sa.column("site"), sa.column("event"), sa.column("outage"), sa.column("area")
    )
    with ledger.connection() as connection:
        rows = connection.execute(sa.select(*table.c)).all()
    assert [tuple(row) for row in rows] == [
        ("c001", name, 0, "b03") for name in ("zone-dwell", "ebike-in-elevator", "fall")
    ]
