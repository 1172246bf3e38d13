"""What pages ask at every change must not cost more because more was resolved."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from house import NOON, Folder

from ingest.incidents import book, lists
from ingest.services.statistics import handled
from ingest.store.engine import reading, writing
from ingest.store.incidents import RESOLVED_LAST, incident

WAITING = "ix_incident_unresolved (urgency<?)"
ASIDE = "ix_incident_aside (aside=? AND urgency"
RANK = "ix_incident_urgency (urgency"


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def steps(folder: Folder, query: sa.Select) -> list[str]:
    """Return what SQLite does for a query, as it is really asked."""
    said: list[str] = []
    with reading(folder.state) as connection:
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.construct_params()[name] for name in compiled.positiontup)
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        said += [row.detail for row in rows]
    return said


def listing(*states: str, order: str = "urgent", **more) -> sa.Select:
    return lists.listing(lists.Filter(states=states, **more), order=order, after=None).limit(61)


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (listing("open"), [f"SEARCH incident USING INDEX {RANK}<?)"]),
        (
            listing("acknowledged", "in-progress", standing=("alone",)),
            ["SEARCH incident USING INDEX ix_incident_taken_on (urgency<?)"],
        ),
        (listing("resolved", order="newest"), [f"SEARCH incident USING INDEX {RANK}=?)"]),
        (listing(), ["SCAN incident USING INDEX ix_incident_urgency"]),
        (lists._COUNT_WAITING, [f"SEARCH incident USING COVERING INDEX {WAITING}"]),
        (
            lists.OF_DEVICES,
            [f"SEARCH incident USING COVERING INDEX {WAITING}", "USE TEMP B-TREE FOR GROUP BY"],
        ),
        (listing("open", standing=("shelved",)), [f"SEARCH incident USING INDEX {ASIDE}<?)"]),
        (
            listing(standing=("shelved",)),
            ["SEARCH incident USING INDEX ix_incident_aside (aside=?)"],
        ),
        (
            book._NEXT_DUE.statement.params(instant=NOON),
            ["SEARCH incident USING INDEX ix_incident_due (due<?)"],
        ),
        (
            book._LOADS.params(value="s", instant=NOON, most=9),
            ["SEARCH incident USING INDEX ix_incident_load (site=? AND load<?)"],
        ),
        (
            handled(NOON, NOON + timedelta(days=7)),
            ["SEARCH incident USING INDEX ix_incident_last (last>? AND last<?)"],
        ),
        (
            book._PARTS.params(value="i"),
            ["SEARCH incident USING INDEX ix_incident_part_of (part_of=?)"],
        ),
        (
            book._OPEN.statement.params(value="k"),
            ["SEARCH incident USING INDEX uq_incident_open (key=?)"],
        ),
    ],
)
def test_plans(folder: Folder, query: sa.Select, plan: list[str]) -> None:
    assert steps(folder, query) == plan


def row(number: int) -> dict[str, object]:
    state = "resolved" if number <= 20_000 else "open"
    return {
        "id": f"i{number}",
        "number": number,
        "key": f"k{number}",
        "node": "n",
        "device": "d",
        "state": state,
        "severity": "medium",
        "urgency": RESOLVED_LAST if state == "resolved" else 2,
        "last": NOON + timedelta(seconds=number),
        "clears": NOON,
        "body": "{}",
    }


def test_counting_does_not_touch_resolved_ones(folder: Folder) -> None:
    with writing(folder.state) as connection:
        connection.execute(incident.insert(), [row(number) for number in range(1, 20_004)])
    with reading(folder.state) as connection:
        ticks: list[int] = []
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(lambda: ticks.append(1), 100)
        assert lists.counts(connection) == (20_003, 3)
        raw.set_progress_handler(None, 0)
    assert len(ticks) < 5
