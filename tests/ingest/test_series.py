from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import NOON, Folder
from series_contract import (
    FIVE,
    KEY,
    Keep,
    TimeseriesContract,
    agrees_with_the_fake,
    sample,
    seen,
)

from ingest.consumers import series as consumer
from ingest.consumers.series import SeriesJob
from ingest.feed import Feed
from ingest.series.admission import Admission
from ingest.series.bulk import Bulk
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import SeriesKey, Timeseries, grid
from ingest.store import series as tables
from ingest.store.engine import reading, writing
from linli.clock import ManualClock
from linli.errors import StoreError
from linli.events import Reading


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def embedded(folder: Folder) -> EmbeddedTimeseries:
    return EmbeddedTimeseries(folder.reader("series"), folder.series)


def keeping(timeseries: Timeseries) -> Keep:
    return lambda samples: timeseries.write(samples, timeseries.position() + 1)


class TestEmbedded(TimeseriesContract):
    @pytest.fixture
    def timeseries(self, folder: Folder) -> Timeseries:
        return embedded(folder)

    @pytest.fixture
    def keep(self, timeseries: Timeseries) -> Keep:
        return keeping(timeseries)


class TestMemory(TestEmbedded):
    @pytest.fixture
    def timeseries(self) -> Timeseries:
        return MemoryTimeseries()


def test_engine_and_fake_agree(folder: Folder) -> None:
    def make() -> tuple[Timeseries, Keep]:
        with writing(folder.series) as connection:  # a new store for each example is dear
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
        engine = embedded(folder)
        return engine, keeping(engine)

    agrees_with_the_fake(make)()


@pytest.mark.parametrize("make", [embedded, lambda folder: MemoryTimeseries()])
def test_the_first_value_at_a_time_stays(make, folder: Folder) -> None:
    timeseries = make(folder)
    timeseries.write([sample(4, 9), sample(4, 8)], 1)
    timeseries.write([sample(1, 3), sample(4, 77)], 2)
    timeseries.write([], 3)
    assert seen(timeseries, FIVE, 5) == [(6, 3, 9, 2)]
    assert timeseries.position() == 3


def test_what_came_twice_is_counted(folder: Folder) -> None:
    engine = embedded(folder)
    engine.write([sample(4, 9), sample(4, 8)], 1)
    engine.write([sample(1, 3), sample(4, 77)], 2)
    with reading(folder.series) as connection:
        assert connection.execute(tables.cursor.select()).one().repeated == 2


def test_nothing_is_kept_when_the_write_fails(folder: Folder, monkeypatch) -> None:
    engine = embedded(folder)
    broken = Bulk(folder.series, "INSERT INTO nowhere VALUES (:series)", ("series",))
    monkeypatch.setattr(engine, "_fold", broken)
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


def test_readings_wait_until_some_seconds_of_them_are_together(folder: Folder) -> None:
    engine, clock = embedded(folder), ManualClock(NOON)
    patient = SeriesJob(folder.reader("journal"), engine, Feed(), clock=clock, gather=30.0)
    first = folder.put_readings(fps(1, NOON))
    clock.advance(30)
    assert (patient.step(), engine.position()) == (False, first)
    later = folder.put_readings(fps(2, NOON + timedelta(minutes=1)))
    for seconds, position in ((29.0, first), (1.0, later)):
        clock.advance(seconds)
        assert (patient.step(), engine.position()) == (False, position)
    assert seen(engine, FIVE, 5) == [(1.5, 1, 2, 2)]


def test_many_rows_wait_no_longer_and_one_commit_holds_so_many(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "MANY", 4)
    monkeypatch.setattr(consumer, "BATCH", 2)
    engine, clock = embedded(folder), ManualClock(NOON)
    patient = SeriesJob(folder.reader("journal"), engine, Feed(), clock=clock, gather=30.0)
    assert patient.step() is False
    ids = [folder.put_readings(fps(n, NOON + timedelta(seconds=n))) for n in range(7)]
    assert (patient.step(), engine.position()) == (True, ids[3])
    assert (patient.step(), engine.position()) == (False, ids[3]), "the rest is not due yet"
    clock.advance(30)
    assert (patient.step(), engine.position()) == (False, ids[6])


def test_a_device_that_invents_names_is_refused_further_ones_and_only_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = [Reading(n=f"made-up-{number}", v=1, u="1", t=NOON) for number in range(5)]
    monkeypatch.setattr(consumer, "Admission", functools.partial(Admission, most=3))
    folder.put_readings(*names[:2])
    engine = embedded(folder)
    job(folder, engine).step()
    folder.put_readings(*names, fps(4, NOON))
    again = job(folder, engine)
    again.step()
    last = folder.put_readings(names[0], names[4])
    again.step()
    known = engine.keys()
    assert [key.name for key in known] == ["made-up-0", "made-up-1", "made-up-2"]
    assert engine.position() == last
    with reading(folder.series) as connection:
        assert connection.execute(tables.cursor.select()).one().refused == 4
    assert caplog.text.count("readings of further ones are refused") == 1


def test_readings_from_the_future_or_before_time_lie_where_they_were_received(folder) -> None:
    folder.put_readings(fps(4, NOON + timedelta(seconds=61)))
    folder.put_readings(fps(8, datetime(1969, 12, 31, tzinfo=UTC)))
    engine = embedded(folder)
    job(folder, engine).step()
    assert seen(engine, FIVE, 5) == [(4, 4, 4, 1)]
