"""When incidents come in a week, and warnings from what is kept: real tables, bad input."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from house import GUEST, NOON, Folder, running, sign_in
from kept import keep

from ingest.refusal import NotUsable
from ingest.services.counts import Filter
from ingest.services.trends import TrendService
from ingest.store.engine import writing
from ingest.store.incidents import incident

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
Cells = dict[tuple[int, int], tuple[int | None, int]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def service(folder: Folder) -> TrendService:
    return TrendService(folder.reader("state"), SHANGHAI)


def cells(folder: Folder, start: datetime, end: datetime, **only: tuple[str, ...]) -> Cells:
    found = service(folder).rhythm(GUEST, start, end, NOON + DAY, Filter(**only))
    return {(one.weekday, one.hour): (one.count, one.hours) for one in found.cells}


def test_hours_are_those_of_the_site_and_unknown_ones_are_null(folder: Folder) -> None:
    # NOON in UTC is 20:00 of that Monday in Shanghai.
    keep(folder, ("opened", NOON), ("reopened", NOON + 20 * timedelta(minutes=1)))
    keep(folder, ("opened", NOON + HOUR), ("acknowledged", NOON + HOUR), area="b02")
    found = cells(folder, NOON - WEEK, NOON + 3 * HOUR)
    assert found[0, 20] == (2, 1)
    assert found[0, 21] == (1, 1)
    assert found[0, 22] == (0, 1), "known, and nothing happened"
    assert found[0, 19] == (None, 0), "before the first one ever nothing is known"
    assert len(found) == 168
    assert cells(folder, NOON - WEEK, NOON + 3 * HOUR, areas=("b02",))[0, 20] == (0, 1)


def test_an_empty_house_knows_nothing(folder: Folder) -> None:
    found = service(folder).rhythm(GUEST, NOON, NOON + WEEK, NOON, Filter())
    assert found.since is None
    assert {one.count for one in found.cells} == {None}
    worse = service(folder).worse(GUEST, NOON)
    assert (worse.judged, worse.items, worse.known) == (0, (), 0)
    with pytest.raises(NotUsable):
        service(folder).rhythm(GUEST, NOON, NOON, NOON, Filter())


def happen(folder: Folder, area: str, times: list[datetime], event: str = "bin-full") -> None:
    for at in times:
        keep(folder, ("opened", at), area=area, event=event)


def test_what_gets_worse_is_told_and_what_does_not_is_not(folder: Folder) -> None:
    chance = random.Random(5)
    weeks = 7
    days = [NOON - weeks * WEEK + day * DAY for day in range(weeks * 7)]
    evenly = [at + HOUR * chance.choice(range(12)) for at in days]
    happen(folder, "b01", evenly)
    happen(folder, "b02", evenly)
    more = [NOON - n * HOUR + timedelta(minutes=n) for n in range(1, 20)]
    happen(folder, "b02", more)
    happen(folder, "b03", more[:5])
    trends = service(folder)
    found = trends.worse(GUEST, NOON + timedelta(minutes=40))
    assert found.at == NOON
    assert [(one.area, one.event, one.hours) for one in found.items] == [("b02", "bin-full", 24)]
    (one,) = found.items
    assert one.count > 19
    assert one.usual < 2
    assert one.chance < 0.001
    assert one.skill >= 0.05
    assert found.silent == {"too-few": 1}
    assert found.judged == 2
    with writing(folder.state) as connection:
        connection.execute(incident.update().values(label="drill"))
    assert trends.worse(GUEST, NOON + timedelta(minutes=50)).items == found.items, "kept an hour"
    assert trends.worse(GUEST, NOON + 61 * timedelta(minutes=1)).judged == 0, "drills are none"


def test_too_little_history_is_said(folder: Folder) -> None:
    happen(folder, "b01", [NOON - n * HOUR for n in range(1, 60)])
    found = service(folder).worse(GUEST, NOON)
    assert found.silent == {"too-little-history": 1}
    assert found.known == 58
    assert found.needed > 5 * 168


def test_who_is_limited_to_areas_knows_of_these_alone(folder: Folder) -> None:
    happen(folder, "b01", [NOON - HOUR])
    happen(folder, "b02", [NOON - 2 * HOUR, NOON - HOUR])
    limited = msgspec.structs.replace(GUEST, areas=frozenset({"b01"}))
    trends = service(folder)
    found = trends.rhythm(limited, NOON - DAY, NOON, NOON, Filter(areas=("b01", "b02")))
    assert sum(one.count or 0 for one in found.cells) == 1
    assert trends.worse(limited, NOON).silent == {"too-little-history": 1}
    assert trends.worse(GUEST, NOON).silent == {"too-little-history": 2}


def test_by_rest(folder: Folder) -> None:
    keep(folder, ("opened", NOON - 3 * HOUR))
    keep(folder, ("opened", NOON - HOUR))
    with running(folder) as client:
        sign_in(client, "guest")
        base = "/api/v1/statistics"
        span = {"start": (NOON - DAY).isoformat(), "end": NOON.isoformat()}
        rhythm = client.get(f"{base}/rhythm", params=span).json()
        assert sum(one["count"] or 0 for one in rhythm["cells"]) == 2
        worse = client.get(f"{base}/worse").json()
        assert worse["silent"] == {"too-little-history": 1}
        bad = {**span, "end": "2030-01-01T00:00:00Z"}
        assert client.get(f"{base}/rhythm", params=bad).status_code == 400
        assert client.get(f"{base}/rhythm", params={"start": "x"}).status_code == 422
