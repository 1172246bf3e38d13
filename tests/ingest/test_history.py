"""What happened in a span of time: newest first, with names, bounded whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from house import GUEST, NOON, Folder, running, sign_in

from ingest.refusal import NotUsable
from ingest.services import history as asked
from ingest.services import spans
from ingest.services.history import Happened, HistoryService
from ingest.store import state
from ingest.store.engine import to_micros, writing
from ingest.store.incidents import incident, transition

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def put(folder: Folder, *minutes: float, **changes: Any) -> None:
    """Keep an event for each of these minutes after noon."""
    one = {"name": "bin-full", "area": "b03", "node": "n1", "device": "cam", "phase": "begin"}
    one |= {"severity": "high", "dwell": None, "confidence": 0.5, "late": 2.0} | changes
    late = timedelta(seconds=one.pop("late"))
    with writing(folder.state) as connection:
        last = connection.scalar(sa.select(sa.func.max(state.event.c.id))) or 0
        rows = [
            one
            | {
                "id": number,
                "event_id": f"e{number}",
                "source": "s",
                "stream": "x",
                "sequence": number,
                "time": to_micros(NOON + minute * MINUTE),
                "received": to_micros(NOON + minute * MINUTE + late),
            }
            for number, minute in enumerate(minutes, start=last + 1)
        ]
        connection.execute(state.event.insert(), rows)


def keep(folder: Folder, *steps: tuple[str, float], **changes: Any) -> None:
    """Keep an incident and what happened to it, each so many minutes after noon."""
    one = {"event": "bin-full", "area": "b03", "node": "n1", "device": "cam", "severity": "high"}
    one |= changes
    with writing(folder.state) as connection:
        number = (connection.scalar(sa.select(sa.func.max(incident.c.number))) or 0) + 1
        body = (
            f'{{"key":{{"site":"c","node":"{one["node"]}","device":"{one["device"]}",'
            f'"event":"{one["event"]}"}},"number":{number},"area":"{one["area"]}",'
            f'"severity":"{one["severity"]}"}}'
        )
        row = one | {"id": f"i{number}", "number": number, "key": f"k{number}", "state": "open"}
        row |= {"urgency": 1, "last": NOON, "body": body}
        connection.execute(incident.insert(), row)
        rows = [
            {"incident": f"i{number}", "step": step, "at": NOON + at * MINUTE, "recorded": NOON}
            | {"actor": "user:wang" if step == "acknowledged" else "rule:edge", "body": "{}"}
            for step, at in steps
        ]
        connection.execute(transition.insert(), rows)


def service(folder: Folder) -> HistoryService:
    return HistoryService(folder.reader("state"))


def events(folder: Folder, only: Happened = Happened(), **more: Any) -> list[str]:  # noqa: B008
    """Return the ids of all events of the day, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = service(folder).events(GUEST, NOON, NOON + DAY, only=only, cursor=cursor, **more)
        found += [one.id for one in page.items]
        if page.next is None:
            return found
        cursor = page.next


def test_events_newest_first_with_names(folder: Folder) -> None:
    put(folder, 0, 2, 1, dwell=30.0)
    put(folder, -1, 24 * 60)  # outside of the day
    page = service(folder).events(GUEST, NOON, NOON + DAY, only=Happened())
    assert [one.time for one in page.items] == [NOON + n * MINUTE for n in (2, 1, 0)]
    first = page.items[0]
    assert (first.event, first.phase, first.delay, first.dwell) == ("bin-full", "begin", 2, 30)
    assert (first.area_label, first.device_label, page.next) == ("b03", "cam", None)


@pytest.mark.parametrize("most", [1, 2, 3, 1000])
def test_every_page_goes_on_where_the_one_before_ended(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Also where all are of one moment, and where only so many are looked at for each page."""
    monkeypatch.setattr(asked, "FIRST", 1)
    monkeypatch.setattr(asked, "MOST", most)
    put(folder, 5, 5, 5, 1)
    put(folder, 3, 5, area="b04")
    assert events(folder, limit=2) == ["e6", "e3", "e2", "e1", "e5", "e4"]
    assert events(folder, Happened(areas=["b04"]), limit=1) == ["e6", "e5"]
    assert events(folder, Happened(areas=["b09"])) == []


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (Happened(events=["lamp-fault"]), ["e2"]),
        (Happened(devices=["n1/cam"]), ["e1"]),
        (Happened(severities=["low"], phases=["end"]), ["e3"]),
        (Happened(devices=["' OR 1=1"]), []),
    ],
)
def test_only_some(folder: Folder, only: Happened, found: list[str]) -> None:
    put(folder, 1)
    put(folder, 1, name="lamp-fault", node="n2")
    put(folder, 1, severity="low", phase="end", device="x")
    assert events(folder, only) == found


def test_what_an_older_version_kept_is_told_as_far_as_it_is_known(folder: Folder) -> None:
    nothing = dict.fromkeys(("area", "device", "phase", "severity", "confidence"))
    put(folder, 1, **nothing)
    (one,) = service(folder).events(GUEST, NOON, NOON + DAY, only=Happened()).items
    assert (one.area, one.phase, one.dwell, one.device_label) == (None, None, None, "")


def test_steps_of_incidents_tell_what_and_never_who(folder: Folder) -> None:
    keep(folder, ("opened", 0), ("acknowledged", 5), ("updated", 6))
    keep(folder, ("opened", 3), area="b04", event="lamp-fault")
    read = service(folder)
    found = read.steps(GUEST, NOON, NOON + DAY, only=Happened()).items
    assert [(one.number, one.step, one.by) for one in found] == [
        (1, "updated", "rule"),
        (1, "acknowledged", "user"),
        (2, "opened", "rule"),
        (1, "opened", "rule"),
    ]
    only = Happened(steps=["opened"], areas=["b04"])
    (one,) = read.steps(GUEST, NOON, NOON + DAY, only=only).items
    assert (one.title, one.area_label, one.device_label) == ("lamp-fault", "b04", "cam")
    page = read.steps(GUEST, NOON, NOON + DAY, only=Happened(), limit=3)
    (last,) = read.steps(GUEST, NOON, NOON + DAY, only=Happened(), cursor=page.next).items
    assert (last.number, last.step) == (1, "opened")


def figures(folder: Folder, end: datetime = NOON + 2 * HOUR, **changes: Any) -> Any:
    values: dict[str, Any] = {"by": None, "step": HOUR, "only": Happened()}
    now = changes.pop("now", NOON + DAY)
    return service(folder).figures(GUEST, NOON, end, now, **(values | changes))


def test_figures_of_events_by_time(folder: Folder) -> None:
    put(folder, *range(10), late=1.0)
    put(folder, 70, late=600.0, phase="end", dwell=90.0)
    put(folder, 71, phase="end", dwell=30.0, area="b04")
    first, second, third = figures(folder, NOON + 3 * HOUR, now=NOON + 90 * MINUTE).rows
    assert (first.count, first.delay_median, first.delay_p95) == (10, 1, 1)
    assert first.dwell_max is None
    assert (second.count, second.delay_p95, second.dwell_max) == (2, 600, 90)
    assert third.count is None  # is still to come
    found = figures(folder, by="area", step=None, only=Happened(phases=["end"]))
    assert [(one.group, one.count) for one in found.rows] == [("b03", 1), ("b04", 1)]
    assert (found.step, found.complete) == (7200, True)


def test_more_than_is_read_is_not_known(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MOST", 3)
    put(folder, *range(0, 120, 20))
    found = figures(folder)
    assert not found.complete
    assert [one.count for one in found.rows] == [None, 3]
    assert asked.MOST < spans.MOST


def test_over_rest(folder: Folder) -> None:
    put(folder, 1)
    keep(folder, ("opened", 1))
    span = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}
    with running(folder) as client:
        sign_in(client, "guest")
        base = "/api/v1/history"
        (one,) = client.get(f"{base}/events", params=span | {"area": "b03,b04"}).json()["items"]
        assert (one["id"], one["area_label"]) == ("e1", "b03")
        (step,) = client.get(f"{base}/incidents", params=span | {"step": "opened"}).json()["items"]
        assert (step["number"], step["device_label"]) == (1, "cam")
        rows = client.get("/api/v1/statistics/events", params=span | {"area": "*"}).json()["rows"]
        assert [row["count"] for row in rows] == [1]
        for bad in ({"cursor": "x"}, {"cursor": "1"}, {"area": ",".join(map(str, range(501)))}):
            assert client.get(f"{base}/events", params=span | bad).status_code == 400
        for bad in ({"limit": 0}, {"phase": "middle"}, {"lang": "fr"}, {"start": "now"}):
            assert client.get(f"{base}/events", params=span | bad).status_code == 422
        listed = client.get("/api/v1/incidents/precision", params={"area": "b09"}).json()
        assert listed["items"] == []
        stats = client.get("/api/v1/stats", params={"area": "b09"}).json()
        assert stats["streams"] == []


def test_a_cursor_of_no_time_is_refused(folder: Folder) -> None:
    with pytest.raises(NotUsable):
        service(folder).steps(GUEST, NOON, NOON + DAY, only=Happened(), cursor=f"{2**63 - 1}.1")
