from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from house import GUEST, NOON, Folder, running, sign_in
from series_contract import FIVE, HOUR, KEY, MINUTE, START, lamp, sample

from ingest.refusal import NotUsable
from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import Sample
from ingest.services.called import Called
from ingest.services.lines import Match, SeriesRow
from ingest.services.series import SeriesService
from linli.events import Reading


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def service(*samples: Sample) -> SeriesService:
    timeseries = MemoryTimeseries()
    timeseries.write(samples, 1)
    return SeriesService(timeseries)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"series": "x"}, "series"),
        ({"end": NOON}, "end"),
        ({"step": 0}, "step"),
        ({"step": 1, "end": NOON + timedelta(days=1)}, "step"),
    ],
)
def test_questions_that_cannot_be_answered(change, where) -> None:
    asked = {"series": str(KEY), "start": NOON, "end": NOON + timedelta(hours=1), "step": 300}
    with pytest.raises(NotUsable) as caught:
        service().query(GUEST, **{**asked, **change})
    assert caught.value.where == where


def rows(house: SeriesService, *series: str, **more) -> list[SeriesRow]:
    span = {"start": START, "end": START + 3 * FIVE, "now": NOON + timedelta(days=366), "step": 300}
    match = more.pop("match", Match())
    return list(house.rows(GUEST, series, match, **{**span, **more}))


def test_lines_are_flat_and_gaps_are_null() -> None:
    house = service(sample(0, 1), sample(1, 4), sample(12, 0), sample(0, 7, lamp(1)))
    found = rows(house, str(KEY))
    assert [(one.time, one.value, one.coverage) for one in found] == [
        (START, 2.5, "full"),
        (START + FIVE, None, "none"),
        (START + 2 * FIVE, 0, "full"),
    ]
    assert {(one.series, one.device) for one in found} == {(str(KEY), "cam-e1")}
    assert [one.value for one in rows(house, str(KEY), of="high")] == [4, None, 0]
    assert [one.value for one in rows(house, str(KEY), of="count")] == [2, None, 1]
    assert len(rows(house)) == 6
    assert [one.device for one in rows(house, match=Match(name=["power"]), end=START + 1)] == [
        "lamp-1"
    ]
    assert rows(house, match=Match(name=["nothing"])) == []


def test_devices_put_together_say_when_one_is_missing() -> None:
    house = service(
        *(sample(0, 10 * one, lamp(one)) for one in (1, 2)), sample(6, 12, lamp(1)), sample(0, 99)
    )
    power = Match(group=["lamp"], name=["power"])
    total = rows(house, match=power, together="sum", step=60)
    assert [(one.value, one.coverage) for one in total] == [
        (30, "full"),
        (12, "partial"),
        (None, "none"),
    ]
    assert {(one.series, one.device) for one in total} == {(None, None)}
    for how, value in {"mean": 15, "low": 10, "high": 20}.items():
        assert rows(house, match=power, together=how)[0].value == value
    with pytest.raises(NotUsable, match="different units: /s, W") as caught:
        rows(house, together="sum")
    assert caught.value.where == "series"


HOUSES = Called(
    area_of={"c001-n07": "b03", "c001-n08": "b04"},
    areas={"b03": ("3 号楼", "Building 3")},
    devices={("c001-n07", "cam-e1"): ("电梯", None), ("c001-n08", "lamp-1"): ("门灯", "Door lamp")},
)


def known(*samples: Sample) -> SeriesService:
    timeseries = MemoryTimeseries()
    timeseries.write(samples, 1)
    return SeriesService(timeseries, called=lambda: HOUSES)


def test_lines_by_building_and_of_a_building() -> None:
    house = known(sample(0, 1), sample(0, 10, lamp(1)), sample(0, 20, lamp(2)))
    power = Match(name=["power"])
    (first, *_) = rows(house, match=power, by="area", together="sum")
    assert (first.line, first.label, first.value) == ("b04", "b04", 30)
    (first, *_) = rows(house, match=power, by="node")
    assert (first.line, first.value) == ("c001-n08", 15)
    found = rows(house, match=power, by="device", lang="en", end=START + FIVE)
    assert [(one.line, one.label) for one in found] == [
        ("c001-n08/lamp-1", "Door lamp"),
        ("c001-n08/lamp-2", "lamp-2"),
    ]
    assert {one.line for one in rows(house, by="name")} == {"fps", "power"}
    for match, devices in (
        (Match(area=["b03"]), {"cam-e1"}),
        (Match(area=["b03", "b04"]), {"cam-e1", "lamp-1", "lamp-2"}),
        (Match(device=["lamp-1", "c001-n08/lamp-2"]), {"lamp-1", "lamp-2"}),
        (Match(device=["c001-n07/lamp-1"]), set()),
        (Match(area=["b09"]), set()),
    ):
        assert {one.device for one in rows(house, match=match)} == devices


def test_what_grew_and_what_was_there_are_told_from_what_is_not_known() -> None:
    house = known(*(sample(minutes, minutes) for minutes in (0, 4, 11, 12)), sample(19, 3))
    asked = {"end": START + 4 * FIVE, "match": Match(name=["fps"])}
    assert [one.value for one in rows(house, of="growth", **asked)] == [None, None, 8, None]
    assert [one.value for one in rows(house, of="growth", by="area", **asked)] == [
        None,
        None,
        8,
        None,
    ]
    now = NOON + timedelta(minutes=12)
    for more in ({}, {"by": "node"}):
        found = rows(house, of="present", now=now, **more, **asked)
        assert [one.value for one in found] == [1, 0, 1, None]


def test_the_newest_reading_of_each() -> None:
    house = known(sample(0, 1), sample(3, 4), sample(2, 10, lamp(1)))
    first, second = house.latest(GUEST, Match(), START, START + HOUR)
    assert (first.area, first.area_label, first.label) == ("b03", "3 号楼", "电梯")
    assert (first.time, first.value) == (START + 3 * MINUTE, 4)
    assert (second.area_label, second.label) == ("b04", "门灯")
    assert house.latest(GUEST, Match(name=["power"]), START + 3 * MINUTE, START + HOUR) == ()
    with pytest.raises(NotUsable):
        house.latest(GUEST, Match(), START, START)


def test_lines_of_one_camera_are_told_apart_by_what_it_watches() -> None:
    bins = [msgspec.structs.replace(KEY, group=group) for group in ("bin-1", "bin-2")]
    house = known(*(sample(0, 1, key) for key in bins))
    assert [one.label for one in rows(house, end=START + 1)] == ["电梯 · bin-1", "电梯 · bin-2"]


def test_without_a_step_there_are_about_500_points() -> None:
    house = service(sample(0, 1))
    for span, points in {
        HOUR: 12,
        24 * HOUR: 288,
        7 * 24 * HOUR: 404,
        366 * 24 * HOUR: 500,
    }.items():
        found = rows(house, str(KEY), end=START + span, step=None)
        assert len(found) == pytest.approx(points, abs=2)


def test_without_a_step_many_lines_have_fewer_points() -> None:
    house = service(*(sample(0, 1, lamp(one)) for one in range(600)))
    found = rows(house, end=START + 24 * HOUR, step=None)
    assert 600 * 20 <= len(found) <= 20_000
    with pytest.raises(NotUsable, match="600 series of 288 points"):
        rows(house, end=START + 24 * HOUR)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"end": START}, "end"),
        ({"end": START - 1}, "end"),
        ({"step": 0}, "step"),
        ({"step": 1, "end": START + 2 * HOUR}, "step"),
        ({"together": "sum", "step": 300, "end": START + 10**12}, "step"),
        ({"series": ("a/b",)}, "series"),
        ({"series": (str(KEY),) * 10, "step": 1, "end": START + HOUR}, "series"),
    ],
)
def test_lines_that_cannot_be_answered(change, where) -> None:
    with pytest.raises(NotUsable) as caught:
        rows(service(), *change.pop("series", (str(KEY),)), **change)
    assert caught.value.where == where


def test_readings_of_any_quality_page_by_page() -> None:
    house = service(sample(0, 1), sample(1, 999, quality="stuck"), sample(2, 3))

    def read(**more):
        page = house.readings(GUEST, str(KEY), NOON, NOON + timedelta(hours=1), **more)
        return [(one.value, one.quality) for one in page.items], page.next

    assert read() == ([(1, "good"), (999, "stuck"), (3, "good")], None)
    assert read(quality="good") == ([(1, "good"), (3, "good")], None)
    assert read(quality="other") == ([(999, "stuck")], None)
    first, following = read(limit=2)
    assert len(first) == 2
    assert following == str(START + 2 * MINUTE)
    assert read(limit=2, cursor=following) == ([(3, "good")], None)
    with pytest.raises(NotUsable):
        read(cursor="x")


def fps(value: float, at: datetime, quality: str = "good") -> Reading:
    return Reading(n="fps", v=value, u="/s", t=at, q=quality)


POINT = {"time": "2026-03-02T12:00:00Z", "mean": 4.0, "low": 4.0, "high": 4.0, "count": 1}
GAP = {"time": "2026-03-02T12:05:00Z", "mean": None, "low": None, "high": None, "count": 0}


def test_series_over_http(folder: Folder) -> None:
    folder.put_readings(fps(4, NOON), fps(900, NOON + timedelta(seconds=30), "stuck"))
    with running(folder) as client:
        sign_in(client, "guest")
        house = client.app.state.house
        items: list[dict] = []
        for _ in range(500):
            house.wake()
            items = client.get("/api/v1/series").json()["items"]
            if items:
                break
        (one,) = items
        asked = {
            "series": one["series"],
            "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T20:10:00+08:00",
        }
        answer = client.get("/api/v1/series/query", params=asked).json()
        single = client.get("/api/v1/series/readings", params=asked).json()
        flat = {"from": START, "to": START + 2 * FIVE, "step": 300}
        lines = client.get("/api/v1/series/points", params={**flat, "name": "fps"})
        total = client.get("/api/v1/series/points", params={**flat, "together": "sum"}).json()
        storage = client.get("/api/v1/series/storage").json()
        wrong = client.get("/api/v1/series/points", params={"from": 5, "to": 5, "series": "x"})
    assert answer["points"] == [{**POINT, "coverage": "full"}, {**GAP, "coverage": "none"}]
    assert [(one["value"], one["quality"]) for one in single["items"]] == [
        (4, "good"),
        (900, "stuck"),
    ]
    device = {"series": one["series"], "device": one["device"], "line": one["series"]}
    device["label"] = "1 号电梯"
    assert json.loads(lines.text) == [
        {"time": START, "value": 4.0, "coverage": "full", **device},
        {"time": START + FIVE, "value": None, "coverage": "none", **device},
    ]
    assert [row["value"] for row in total] == [4.0, None]
    assert storage["max_bytes"] == 40 * 1024**3
    assert 0 < storage["bytes"] < 200_000
    assert storage["readings"]["since"] is None
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
