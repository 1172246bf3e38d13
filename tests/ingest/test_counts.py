"""Counts of incidents by time and group: none is 0, unknown is null, and everything is bounded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from house import GUEST, NOON, Folder, running, sign_in
from kept import keep

from ingest.refusal import NotUsable
from ingest.services.counts import CountService, Filter
from ingest.services.spans import MOST, MOST_GROUPS, MOST_SPANS, REST

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BASE = "/api/v1/statistics/counts"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def ask(folder: Folder, start: datetime, end: datetime, **changes: Any) -> Any:
    values: dict[str, Any] = {"what": "opened", "by": None, "step": HOUR, "only": Filter()}
    now = changes.pop("now", NOON + 24 * HOUR)
    service = CountService(folder.reader("state"))
    return service.counts(GUEST, start, end, now, **(values | changes))


def test_none_is_zero_and_what_is_to_come_is_null(folder: Folder) -> None:
    keep(folder, ("opened", NOON), ("acknowledged", NOON + MINUTE))
    found = ask(folder, NOON - HOUR, NOON + 3 * HOUR, now=NOON + 90 * MINUTE)
    assert [one.count for one in found.rows] == [0, 1, 0, None]
    assert [one.time for one in found.rows] == [NOON + n * HOUR for n in (-1, 0, 1, 2)]
    assert {one.group for one in found.rows} == {"all"}
    assert (found.complete, found.step) == (True, 3600)


def test_steps_are_whole_and_cut_off_at_both_ends(folder: Folder) -> None:
    keep(folder, ("opened", NOON), ("reopened", NOON + 50 * MINUTE))
    found = ask(folder, NOON - 10 * MINUTE, NOON + 50 * MINUTE)
    assert [(one.time, one.count) for one in found.rows] == [(NOON - 10 * MINUTE, 0), (NOON, 1)]


def test_times_are_ranks_of_what_was_handled(folder: Folder) -> None:
    for minutes in range(1, 21):
        keep(folder, ("opened", NOON), ("acknowledged", NOON + minutes * MINUTE))
    (one,) = ask(folder, NOON, NOON + HOUR, what="acknowledged", step=None).rows
    assert (one.count, one.median, one.p95) == (20, 600, 1140)
    (none,) = ask(folder, NOON, NOON + HOUR, what="resolved", step=None).rows
    assert (none.count, none.median, none.p95) == (0, None, None)
    (opened,) = ask(folder, NOON, NOON + HOUR, step=None).rows
    assert opened.median is None


def test_each_time_that_it_was_seen_is_an_episode(folder: Folder) -> None:
    keep(folder, ("opened", NOON), ("repeated", NOON + MINUTE), ("resolved", NOON + MINUTE))
    (one,) = ask(folder, NOON, NOON + HOUR, what="episodes").rows
    assert one.count == 2


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("event", {"bin-full": 2, "lamp-fault": 1}),
        ("severity", {"high": 2, "low": 1}),
        ("area", {"b01": 1, "b02": 2}),
        ("device", {"n1/cam": 2, "n2/cam": 1}),
    ],
)
def test_groups(folder: Folder, by: Any, wanted: dict[str, int]) -> None:
    keep(folder, ("opened", NOON))
    keep(folder, ("opened", NOON), area="b02", severity="low")
    keep(folder, ("opened", NOON), area="b02", node="n2", event="lamp-fault")
    found = ask(folder, NOON, NOON + HOUR, by=by)
    assert {one.group: one.count for one in found.rows} == wanted
    assert ask(folder, NOON + HOUR, NOON + 2 * HOUR, by=by).rows == ()


@pytest.mark.parametrize(
    ("only", "count"),
    [
        (Filter(areas=("b02",)), 2),
        (Filter(events=("lamp-fault",)), 1),
        (Filter(severities=("low", "critical")), 1),
        (Filter(devices=("n2/cam",), areas=("b02",)), 1),
        (Filter(devices=("n2/cam",), areas=("b01",)), 0),
        (Filter(areas=("' OR 1=1",)), 0),
    ],
)
def test_only_some(folder: Folder, only: Filter, count: int) -> None:
    keep(folder, ("opened", NOON))
    keep(folder, ("opened", NOON), area="b02", severity="low")
    keep(folder, ("opened", NOON), area="b02", node="n2", event="lamp-fault")
    assert [one.count for one in ask(folder, NOON, NOON + HOUR, only=only).rows] == [count]


def test_a_year_in_minutes_is_answered_in_bounds(folder: Folder) -> None:
    for number in range(MOST_GROUPS + 2):
        keep(folder, ("opened", NOON), device=f"cam{number}")
    start = NOON - 365 * 24 * HOUR
    found = ask(folder, start, NOON + HOUR, by="device", step=MINUTE)
    spans = Counter(one.time for one in found.rows)
    assert len(spans) <= MOST_SPANS
    assert set(spans.values()) == {MOST_GROUPS + 1}
    assert sum(one.count for one in found.rows) == MOST_GROUPS + 2
    assert sum(one.count for one in found.rows if one.group == REST) == 2
    assert found.step % 60 == 0


def test_what_is_older_than_what_is_read_is_null(folder: Folder) -> None:
    keep(folder, ("opened", NOON), *[("repeated", NOON + HOUR)] * MOST)
    begun = time.process_time()
    found = ask(folder, NOON, NOON + 2 * HOUR, what="episodes")
    assert time.process_time() - begun < 10
    assert found.complete is False
    assert [one.count for one in found.rows] == [None, MOST]
    (whole,) = ask(folder, NOON, NOON + 2 * HOUR, what="episodes", step=None).rows
    assert whole.count is None


@pytest.mark.parametrize("only", [Filter(), Filter(events=("bin-full",), devices=("n1/cam",))])
def test_counting_goes_by_time_through_the_index(folder: Folder, on: str, only: Filter) -> None:
    if on != "sqlite":
        pytest.skip("it reads SQLite's plan, and runs with [sqlite]")
    keep(folder, ("opened", NOON))
    asked: list[tuple[str, Any]] = []
    reader = folder.reader("state")
    sa.event.listen(reader, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
    CountService(reader).counts(
        GUEST, NOON, NOON + HOUR, NOON + HOUR, what="opened", by=None, step=None, only=only
    )
    text, values = next(one for one in asked if "transition" in one[0])
    with reader.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        said = " ".join(str(row) for row in plan)
    assert "ix_transition_step (step=? AND at>? AND at<?)" in said
    assert "SCAN" not in said


@pytest.mark.parametrize(("start", "end"), [(HOUR, 0 * HOUR), (0 * HOUR, 367 * 24 * HOUR)])
def test_a_span_that_cannot_be(folder: Folder, start: timedelta, end: timedelta) -> None:
    with pytest.raises(NotUsable, match="must be after start"):
        ask(folder, NOON + start, NOON + end)


@pytest.mark.parametrize("path", [BASE, "/api/v1/statistics/events"])
@pytest.mark.parametrize("start", ["9999-12-31T00:00:00-14:00", "0001-01-01T00:00:00+14:00"])
def test_what_lies_out_of_all_time_is_a_bad_request(folder: Folder, path: str, start: str) -> None:
    with running(folder) as client:
        sign_in(client, "guest")
        span = {"start": start, "end": start.replace("00:00:00", "23:59:59"), "step": 86400}
        answer = client.get(path, params=span)
        assert (answer.status_code, "after start" in answer.text) == (400, True)


def test_the_first_days_and_the_last(folder: Folder) -> None:
    for year in (1970, 2200):
        first = datetime(year, 1, 1, tzinfo=UTC)
        whole = ask(folder, first - 48 * HOUR, first + 48 * HOUR, step=24 * HOUR)
        assert len(whole.rows) == 2
        (alone,) = ask(folder, first - 48 * HOUR, first + 48 * HOUR, step=None).rows
        assert alone.time == whole.rows[0].time


def test_over_rest(folder: Folder) -> None:
    keep(folder, ("opened", NOON))
    span = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}
    with running(folder) as client:
        sign_in(client, "guest")
        found = client.get(BASE, params=span | {"by": "area"}).json()
        assert found == {
            "complete": True,
            "step": 86400,
            "rows": [
                {"time": span["start"], "group": "b01", "label": "b01", "count": 1}
                | {"median": None, "p95": None}
            ],
        }
        for bad in ({"by": "person"}, {"step": 1}, {"what": "all"}, {"severity": "loud"}):
            assert client.get(BASE, params=span | bad).status_code == 422
        assert client.get(BASE).status_code == 422
