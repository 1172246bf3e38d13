from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import CAMERA, GUEST, NODE, NOON, SITE, Folder, running, sign_in
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.consumers.series import SeriesJob
from ingest.feed import Feed
from ingest.refusal import NotUsable
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import Sample, SeriesKey, Timeseries, grid, to_millis
from ingest.services.series import SeriesService
from ingest.store import series as tables
from ingest.store.engine import reading
from linli.errors import StoreError
from linli.events import Reading

KEY = SeriesKey(site=SITE, node=NODE, device=CAMERA, group="camera", name="fps", unit="/s")
OTHER = SeriesKey(site=SITE, node=NODE, device=CAMERA, group="bin", name="level", unit="1")
START = to_millis(NOON)
MINUTE, FIVE = 60_000, 300_000


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def embedded(folder: Folder) -> EmbeddedTimeseries:
    return EmbeddedTimeseries(folder.reader("series"), folder.series)


@pytest.fixture(params=["embedded", "memory"])
def timeseries(request, folder: Folder) -> Timeseries:
    return embedded(folder) if request.param == "embedded" else MemoryTimeseries()


def sample(minutes: float, value: float, key: SeriesKey = KEY, quality: str | None = None):
    time = START + int(minutes * MINUTE)
    return Sample(key=key, time=time, value=value, quality=quality)


def seen(timeseries: Timeseries, step: int, minutes: int = 15, key: SeriesKey = KEY):
    points = timeseries.query(key, START, START + minutes * MINUTE, step)
    return [(point.mean, point.low, point.high, point.count) for point in points]


NONE = (None, None, None, 0)


@pytest.mark.parametrize("step", [FIVE, MINUTE * 5 - 1])
def test_steps_have_mean_low_high_and_gaps_are_none(timeseries: Timeseries, step: int) -> None:
    timeseries.write([sample(0, 1), sample(1, 4), sample(12, 0)], 7)
    if step == FIVE:
        assert seen(timeseries, step) == [(2.5, 1, 4, 2), NONE, (0, 0, 0, 1)]
    else:
        assert sum(count for *_, count in seen(timeseries, step, 20)) == 3
    assert timeseries.position() == 7


def test_short_steps_come_from_the_readings(timeseries: Timeseries) -> None:
    timeseries.write([sample(0, 1), sample(1, 4)], 1)
    assert seen(timeseries, MINUTE, 3) == [(1, 1, 1, 1), (4, 4, 4, 1), NONE]


def test_late_and_repeated_readings_keep_the_rollup_right(timeseries: Timeseries) -> None:
    timeseries.write([sample(4, 9)], 1)
    timeseries.write([sample(1, 3), sample(4, 77)], 2)
    timeseries.write([], 3)
    assert seen(timeseries, FIVE, 5) == [(6, 3, 9, 2)]
    assert timeseries.position() == 3


def test_what_is_not_good_is_kept_out_of_charts(timeseries: Timeseries) -> None:
    timeseries.write([sample(0, 999, quality="stuck"), sample(1, 5)], 1)
    timeseries.write([sample(6, 999, quality="stuck")], 2)
    assert seen(timeseries, FIVE, 10) == [(5, 5, 5, 1), NONE]


def test_series_are_apart(timeseries: Timeseries) -> None:
    timeseries.write([sample(0, 1), sample(0, 0.8, OTHER)], 1)
    assert timeseries.keys() == sorted([KEY, OTHER], key=str)
    assert seen(timeseries, FIVE, 5, OTHER) == [(0.8, 0.8, 0.8, 1)]
    missing = SeriesKey(site="x", node="x", device="x", group="x", name="x", unit="x")
    assert seen(timeseries, FIVE, 5, missing) == [NONE]
    assert timeseries.query(KEY, START, START, FIVE) == []


def test_points_lie_on_multiples_of_the_step(timeseries: Timeseries) -> None:
    timeseries.write([sample(0, 1)], 1)
    points = timeseries.query(KEY, START + 1, START + FIVE + 1, FIVE)
    assert [point.time for point in points] == [NOON, NOON + timedelta(minutes=5)]
    assert points[0].mean == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.floats(-10, 10), st.sampled_from([None, None, "bad"])),
        max_size=25,
    ),
    st.sampled_from([MINUTE, 7 * MINUTE, FIVE, 2 * FIVE]),
    st.integers(1, 4),
)
def test_engine_and_fake_agree(tmp_path_factory, values, step, pieces) -> None:
    folder = Folder(tmp_path_factory.mktemp("series"))
    engine, fake = embedded(folder), MemoryTimeseries()
    samples = [sample(minutes, value, quality=quality) for minutes, value, quality in values]
    for index in range(pieces):
        for one in (engine, fake):
            one.write(samples[index::pieces], index)
    for mine, its in zip(seen(engine, step, 45), seen(fake, step, 45), strict=True):
        assert mine[3] == its[3]
        assert mine[:3] == (pytest.approx(its[:3]) if its[3] else (None, None, None))
    folder.close()


def test_nothing_is_kept_when_the_write_fails(folder: Folder, monkeypatch) -> None:
    engine = embedded(folder)
    monkeypatch.setattr("ingest.series.embedded._ROLL_UP", "INSERT INTO nowhere VALUES (?,?,?,?)")
    with pytest.raises(StoreError):
        engine.write([sample(0, 1)], 5)
    monkeypatch.undo()
    assert (engine.position(), engine.keys()) == (0, [])
    engine.write([sample(0, 1)], 5)
    assert seen(engine, FIVE, 5) == [(1, 1, 1, 1)]
    assert embedded(folder).position() == 5


def test_ids_print_and_parse() -> None:
    assert SeriesKey.parse(str(KEY)) == KEY
    with pytest.raises(ValueError, match="site/node"):
        SeriesKey.parse("a/b/c")
    assert list(grid(7, 21, 5)) == [5, 10, 15, 20]


def job(folder: Folder, timeseries: Timeseries) -> SeriesJob:
    return SeriesJob(folder.reader("journal"), timeseries, Feed())


def fps(value: float, at: datetime, quality: str = "good") -> Reading:
    return Reading(n="fps", v=value, u="/s", t=at, q=quality)


def test_readings_go_from_the_journal_into_the_series(folder: Folder, caplog) -> None:
    folder.put_readings(fps(4, NOON), fps(6, NOON + timedelta(minutes=1)))
    folder.put_event(folder.event())
    folder.put("telemetry", "camera", b"garbage")
    last = folder.put_readings(fps(1, NOON, "stuck"))
    engine = embedded(folder)
    assert job(folder, engine).step() is False
    assert job(folder, engine).step() is False
    assert (engine.position(), engine.keys()) == (last, [KEY])
    assert seen(engine, FIVE, 5) == [(5, 4, 6, 2)]
    with reading(folder.series) as connection:
        assert connection.execute(tables.cursor.select()).one().poisoned == 1
    assert "garbage" not in caplog.text


def test_readings_from_the_future_or_before_time_lie_where_they_were_received(folder) -> None:
    folder.put_readings(fps(4, NOON + timedelta(seconds=61)))
    folder.put_readings(fps(8, datetime(1969, 12, 31, tzinfo=UTC)))
    engine = embedded(folder)
    job(folder, engine).step()
    assert seen(engine, FIVE, 5) == [(4, 4, 4, 1)]


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
        SeriesService(MemoryTimeseries()).query(GUEST, **{**asked, **change})
    assert caught.value.where == where


def test_series_over_http(folder: Folder) -> None:
    folder.put_readings(fps(4, NOON))
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
    assert answer["points"] == [
        {"time": "2026-03-02T12:00:00Z", "mean": 4.0, "low": 4.0, "high": 4.0, "count": 1},
        {"time": "2026-03-02T12:05:00Z", "mean": None, "low": None, "high": None, "count": 0},
    ]
