"""Figures: times, deadlines and load as facts; null where nothing is known; many incidents."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from house import GUEST, NOON, STAFF, Folder, running, sign_in
from kept import tell

from ingest.duty.deadlines import Deadline, Deadlines
from ingest.duty.figures import Course, handling, load
from ingest.services import statistics
from ingest.services.statistics import MOST, StatisticsService
from ingest.store.engine import writing
from ingest.store.incidents import incident

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOON + 24 * HOUR
BASE = "/api/v1/statistics"
SPAN = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}


def course(seen: float | None, resolved: float | None, **more: Any) -> Course:
    """Return an incident of high severity seen and resolved so many minutes after it opened."""
    values = {"event": "zone-dwell", "severity": "high", "opened": NOON, **more}
    return Course(
        **values,
        seen=None if seen is None else NOON + seen * MINUTE,
        resolved=None if resolved is None else NOON + resolved * MINUTE,
    )


def test_times_are_ranks_of_what_happened() -> None:
    found = handling([course(n, n + 1) for n in range(1, 11)], Deadlines(), LATER)
    assert (found.acknowledge.median, found.acknowledge.p90) == (300, 540)
    assert (found.resolve.count, found.resolve.p90) == (10, 600)


def test_nothing_known_is_not_zero() -> None:
    found = handling([], Deadlines(), LATER)
    assert (found.incidents, found.acknowledge.median, found.flapping) == (0, None, None)
    assert (found.acknowledge_deadline.share, found.resolve_deadline.share) == (None, None)


@pytest.mark.parametrize(
    ("one", "after", "kept", "missed"),
    [
        (course(10, None), 60, 1, 0),  # high: seen within 10 minutes
        (course(10.1, None), 60, 0, 1),
        (course(None, None), 9, 0, 0),  # still runs
        (course(None, None), 11, 0, 1),  # ran out, nobody came
        (course(None, 5), 60, 0, 0),  # went by itself before anybody had to come
        (course(None, 15), 60, 0, 1),
        (course(3, None, event="ebike"), 60, 0, 1),  # of its own kind: 2 minutes
        (course(None, None, event="free"), 999, 0, 0),  # has no deadline
    ],
)
def test_a_deadline_is_kept_missed_or_still_runs(
    one: Course, after: float, kept: int, missed: int
) -> None:
    rules = Deadlines(events={"ebike": Deadline(acknowledge=2 * MINUTE), "free": Deadline()})
    found = handling([one], rules, NOON + after * MINUTE).acknowledge_deadline
    assert (found.kept, found.missed) == (kept, missed)


@pytest.mark.parametrize(
    ("calls", "band"), [(0, "acceptable"), (6, "acceptable"), (7, "manageable"), (13, "too-much")]
)
def test_load_is_held_against_what_one_person_can_take(calls: int, band: str) -> None:
    assert load([NOON + n * 4 * MINUTE for n in range(calls)], 1).band == band


def test_more_than_ten_within_ten_minutes_is_a_flood() -> None:
    steady = load([NOON + n * MINUTE for n in range(10)], 24)
    assert (steady.busiest, steady.flood) == (10, False)
    flood = load([NOON + n * MINUTE / 2 for n in range(11)], 24)
    assert (flood.busiest, flood.flood, flood.band) == (11, True, "acceptable")


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def keep(folder: Folder, number: int, seconds: int) -> None:
    """Keep so many incidents as the book does, of which the figures read what they need."""
    at, seen = NOON.isoformat(), (NOON + timedelta(seconds=seconds)).isoformat()
    body = (
        '{"key":{"site":"c","node":"n","device":"d","event":"zone-dwell"},"severity":"high",'
        f'"count":2,"opened":"{at}","acknowledged":"{seen}","title":"{"x" * 900}"}}'
    )
    row = {"node": "n", "device": "d", "state": "acknowledged", "severity": "high", "urgency": 1}
    rows = [
        {**row, "id": f"i{n}", "number": n, "key": f"k{n}", "last": NOON, "body": body}
        | {"event": "zone-dwell", "site": "c"}
        for n in range(1, number + 1)
    ]
    with writing(folder.state) as connection:
        connection.execute(incident.insert(), rows)


def test_the_figures_over_rest(folder: Folder) -> None:
    keep(folder, 4, 60)
    tell(folder, 1)
    tell(folder, 2, state="dead", reason="refused")
    tell(folder, 3, state="suppressed", reason="below-severity", channel="")
    tell(folder, 4, state="waiting", ended=None)
    with running(folder) as client:
        sign_in(client, "wang")
        found = client.get(f"{BASE}/handling", params=SPAN).json()
        assert found["complete"] is True
        assert found["all"]["acknowledge"] == {"count": 4, "median": 60.0, "p90": 60.0}
        assert found["severities"]["low"]["acknowledge"]["median"] is None
        assert found["all"]["flapping"] == 1.0
        # Each event against its own deadline: seen after a minute, 30 s were allowed.
        allowed = {"events": {"zone-dwell": {"acknowledge": "PT30S"}}}
        boss = sign_in(client, "boss")
        client.put("/api/v1/duty/deadlines", json=allowed, headers=boss)
        found = client.get(f"{BASE}/handling", params=SPAN).json()["events"]["zone-dwell"]
        assert found["acknowledge_deadline"] == {"kept": 0, "missed": 4, "share": 0.0}
        assert found["resolve_deadline"] == {"kept": 0, "missed": 0, "share": None}
        sign_in(client, "wang")
        people = client.get(f"{BASE}/load", params=SPAN).json()["people"]
        assert (people["li"]["calls"], people["li"]["band"]) == (1, "acceptable")
        sent = client.get(f"{BASE}/delivery", params=SPAN)
        assert sent.json() == {
            "channels": {"bot": {"sent": 1, "dead": 1, "delivered": 0.5}},
            "suppressed": {"below-severity": 1},
            "dead": {"refused": 1},
        }
        assert "secret-address" not in sent.text
        wrong = {"start": SPAN["end"], "end": SPAN["start"]}
        assert client.get(f"{BASE}/handling", params=wrong).status_code == 400


@pytest.mark.parametrize("most", [2000, pytest.param(MOST, marks=pytest.mark.full)])
def test_only_so_many_incidents_are_read(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(statistics, "MOST", most)
    keep(folder, most + 1, 60)
    service = StatisticsService(folder.reader("state"))
    begun = time.process_time()
    found = service.handling(GUEST, NOON - HOUR, NOON + HOUR, LATER)
    spent = time.process_time() - begun
    assert (found.complete, found.all.incidents) == (False, most)
    assert spent < 20


def test_whoever_resolves_by_a_link_has_seen_it(folder: Folder) -> None:
    keep(folder, 3, 60)
    at = (NOON + 2 * MINUTE).isoformat()
    with writing(folder.state) as connection:
        for number, actor in enumerate(("person:li", "team:gate", "rule:clear"), 1):
            kept = connection.scalar(sa.select(incident.c.body).where(incident.c.number == number))
            body = json.loads(kept or "")
            del body["acknowledged"]
            body |= {"resolved": at, "resolved_by": actor}
            change = incident.update().where(incident.c.number == number)
            connection.execute(change.values(body=json.dumps(body)))
    found = StatisticsService(folder.reader("state")).handling(GUEST, NOON - HOUR, LATER, LATER)
    assert (found.all.acknowledge.count, found.all.resolve.count) == (2, 3)
    assert found.all.acknowledge.median == 120


def test_a_load_is_over_what_has_passed_of_the_span(folder: Folder) -> None:
    for number in range(12):
        tell(folder, number)
    service = StatisticsService(folder.reader("state"))
    started = NOON - HOUR
    month = service.load(STAFF, started, started + 30 * 24 * HOUR, NOON)
    assert (month.people["li"].per_hour, month.people["li"].band) == (12, "manageable")
    over = service.load(STAFF, started, NOON + HOUR, LATER)
    assert over.people["li"].per_hour == 6
