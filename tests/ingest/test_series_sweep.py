from __future__ import annotations

import random
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from house import GUEST, NOON, Folder
from hypothesis import given, settings
from hypothesis import strategies as st
from series_contract import FIVE, HOUR, KEY, MINUTE, START, lamp, sample, seen

from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.retention import DAY, Keep, Removal, due
from ingest.series.storage import storage
from ingest.series.sweep import SLICE, SeriesSweep
from ingest.series.timeseries import Sample, SeriesKey, from_millis
from ingest.services.series import SeriesService
from ingest.settings import load_settings
from ingest.store import series as tables
from ingest.store.engine import reading as reads
from linli.errors import InputError, StoreError

KEEP = Keep(raw_days=2, rollup_days=10, max_bytes=10**12)
NOW = START


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


class Kept:
    """A folder's series, and the sweep over them."""

    def __init__(self, folder: Folder, keep: Keep = KEEP) -> None:
        self.folder, self.keep = folder, keep
        self.reader = folder.reader("series")
        self.engine = EmbeddedTimeseries(self.reader, folder.series)
        self.sweep = SeriesSweep(self.reader, folder.series, folder.clock, keep)

    def write(self, *samples: Sample) -> None:
        self.engine.write(samples, self.engine.position() + 1)

    def counted(self) -> tuple[int, int]:
        with reads(self.reader) as connection:
            query = "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM rollup)"
            readings, rollups = connection.exec_driver_sql(query).one()
        return readings, rollups

    def all(self) -> None:
        for _ in range(1000):
            if not self.sweep.step():
                return
        raise AssertionError("no end of it")

    def state(self):
        return storage(self.reader, self.keep)


def old(hours: float, value: float = 1, key: SeriesKey = KEY) -> Sample:
    return sample(-60 * hours, value, key)


TEN_DAYS_AGO = NOW - 10 * DAY - DAY // 2
TWO_DAYS_AGO = NOW - 2 * DAY - DAY // 2
OLDEST = {"reading": NOW - 9 * DAY, "rollup": NOW - 30 * DAY}
FRESH = {"reading": NOW - HOUR, "rollup": NOW - HOUR}
EMPTY = {"reading": None, "rollup": None}


@pytest.mark.parametrize(
    ("oldest", "used", "wanted"),
    [
        (EMPTY, 0, None),
        (FRESH, 0, None),
        (FRESH, None, None),
        (OLDEST, 0, Removal("reading", NOW - 2 * DAY, for_room=False)),
        ({**FRESH, "rollup": NOW - 30 * DAY}, 0, Removal("rollup", TEN_DAYS_AGO, False)),
        (
            {"reading": NOW - DAY + 1, "rollup": NOW - DAY},
            10**12 + 1,
            Removal("reading", NOW - DAY + HOUR, True),
        ),
        ({**FRESH, "rollup": NOW - 3 * DAY}, 10**13, Removal("rollup", TWO_DAYS_AGO, True)),
        ({**FRESH, "reading": None}, 10**13, None),
        ({"reading": NOW - DAY, "rollup": NOW - DAY}, 10**12, None),
    ],
)  # fmt: skip
def test_age_goes_first_then_readings_then_means(oldest, used, wanted) -> None:
    assert due(NOW, KEEP, oldest, used) == wanted


def test_readings_go_by_age_and_their_means_stay(folder: Folder) -> None:
    kept = Kept(folder)
    kept.write(old(49.5, 1), old(49.45, 3), old(47.5, 7), old(24 * 11, 9))
    kept.all()
    assert kept.counted() == (1, 2)
    assert kept.engine.detail_since() == NOW - 2 * DAY
    points = kept.engine.query(KEY, NOW - 50 * HOUR, NOW - 49 * HOUR, FIVE)
    assert [(one.mean, one.count) for one in points if one.count] == [(2, 2)]
    state = kept.state()
    assert (state.readings.expired, state.readings.given_up) == (3, 0)
    assert state.readings.since == NOON - timedelta(days=2)
    assert (state.rollups.expired, state.rollups.days) == (1, 10)
    assert kept.sweep.step() is False


def test_nothing_goes_while_nothing_is_due(folder: Folder) -> None:
    kept = Kept(folder)
    assert kept.sweep.step() is False
    kept.write(old(47))
    assert kept.sweep.step() is False
    assert kept.state().readings.since is None


def test_a_late_reading_comes_to_means_whose_readings_are_gone(folder: Folder) -> None:
    kept = Kept(folder)
    kept.write(old(49.5, 1), old(49.45, 3))
    kept.all()
    kept.write(old(49.48, 8), old(49.48, 8))
    kept.write(old(49.48, 8))
    kept.all()
    kept.write(old(100, 5))
    kept.all()
    assert kept.counted()[0] == 0
    points = kept.engine.query(KEY, NOW - 101 * HOUR, NOW - 49 * HOUR, FIVE)
    found = [(one.mean, one.low, one.high, one.count) for one in points if one.count]
    assert found == [(5, 5, 5, 1), (4, 1, 8, 3)]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 240), st.integers(-50, 50), st.sampled_from([None, None, "bad"])),
        min_size=1,
        max_size=40,
        unique_by=lambda one: one[0],
    ),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_means_never_shrink_in_whatever_order_readings_come_and_go(
    tmp_path_factory, values, chance: random.Random, pieces: int
) -> None:
    """Shuffled, late by days, some twice while they are kept, swept in between."""
    with (
        closing(Folder(tmp_path_factory.mktemp("series"))) as folder,
        closing(Folder(tmp_path_factory.mktemp("truth"))) as other,
    ):
        kept, truth = Kept(folder), Kept(other)
        samples = [old(52 - at / 60, value) for at, value, _ in values]
        samples = [
            Sample(key=KEY, time=one.time, value=one.value, quality=quality)
            for one, (*_, quality) in zip(samples, values, strict=True)
        ]
        chance.shuffle(samples)
        for index in range(pieces):
            part = samples[index::pieces]
            kept.write(*part, *chance.sample(part, len(part) // 2))
            kept.write(*chance.sample(part, len(part) // 2))
            for _ in range(chance.randrange(3)):
                kept.sweep.step()
        truth.write(*samples)
        span = (KEY, NOW - 53 * HOUR, NOW - 47 * HOUR, FIVE)
        assert kept.engine.query(*span) == truth.engine.query(*span)


def test_slices_are_small_and_go_on_over_all_series(folder: Folder, monkeypatch) -> None:
    monkeypatch.setattr("ingest.series.sweep.SLICE", 10)
    kept = Kept(folder)
    kept.write(*(old(50 + at / 60, 1, lamp(one)) for one in range(4) for at in range(7)), old(1))
    sizes = []
    while kept.sweep.step():
        sizes.append(kept.counted()[0])
    assert sizes == [19, 9, 1]
    assert kept.state().readings.expired == 28
    assert SLICE >= 1000


def small(folder: Folder, rows: int) -> Kept:
    """Series of a week, and a budget of a little less than they take."""
    kept = Kept(folder, Keep(raw_days=30, rollup_days=1000, max_bytes=10**12))
    if kept.state().bytes is None:
        pytest.skip("the room of a database server is not ours to count")
    minutes = 7 * 24 * 60
    kept.write(*(sample(-minutes * (at + 1) / rows, at % 50) for at in range(rows)))
    return kept


def test_for_want_of_room_the_oldest_readings_go_and_means_stay(folder: Folder, caplog) -> None:
    kept = small(folder, 40_000)
    before, means = kept.counted()
    size = kept.state().bytes
    assert size is not None
    budget = Keep(raw_days=30, rollup_days=1000, max_bytes=size * 9 // 10)
    kept.keep, kept.sweep = budget, SeriesSweep(kept.reader, folder.series, folder.clock, budget)
    kept.all()
    readings, rollups = kept.counted()
    state = kept.state()
    assert 0 < readings < before
    assert rollups == means
    assert state.bytes is not None
    assert state.bytes <= budget.max_bytes
    assert state.readings.given_up == before - readings
    assert state.readings.given_up_before == from_millis(kept.engine.detail_since())
    assert (state.rollups.given_up, state.rollups.given_up_before) == (0, None)
    oldest = kept.engine.samples(KEY, 0, NOW, 1)[0]
    assert kept.engine.detail_since() <= oldest.time < kept.engine.detail_since() + HOUR
    said = [one.message for one in caplog.records]
    assert len(said) == 1
    assert "single readings are given up, their five-minute means stay" in said[0]
    # Freed pages are used again: as much once more does not make the file larger.
    pages = folder.path.joinpath("series.db").stat().st_size
    kept.write(*(sample(-(at % 600) / 10 - 0.01, 1, lamp(at // 600)) for at in range(1200)))
    assert folder.path.joinpath("series.db").stat().st_size == pages


def test_means_go_when_no_readings_are_left_to_give_up(folder: Folder, caplog) -> None:
    kept = small(folder, 5000)
    budget = Keep(raw_days=30, rollup_days=1000, max_bytes=1)
    kept.sweep = SeriesSweep(kept.reader, folder.series, folder.clock, budget)
    kept.all()
    readings, rollups = kept.counted()
    # What was measured just now stays on the fullest of disks.
    assert 0 < readings <= 5000 // 7 // 24 * 2
    assert 0 < rollups <= 288
    assert kept.state().rollups.given_up > 1500
    assert len(caplog.records) == 2
    assert "five-minute means are given up" in caplog.records[1].message
    folder.clock.jump(26 * 3600)
    kept.all()
    assert len(caplog.records) == 4


def test_a_sweep_that_fails_leaves_everything(folder: Folder, monkeypatch) -> None:
    kept = Kept(folder)
    kept.write(old(50))

    def broken(*_: object) -> None:
        raise StoreError("disk full", where="series.db")

    monkeypatch.setattr("ingest.series.sweep._note", broken)
    with pytest.raises(StoreError):
        kept.sweep.step()
    assert kept.counted() == (1, 1)
    with reads(kept.reader) as connection:
        assert connection.execute(tables.retention.select()).all() == []


def test_short_steps_are_lengthened_where_readings_are_gone(folder: Folder) -> None:
    kept = Kept(folder)
    kept.write(old(50, 4), sample(-1, 6))
    kept.all()
    service = SeriesService(kept.engine, kept.state)
    gone, here = NOON - timedelta(hours=51), NOON - timedelta(hours=1)
    assert service.step_from(gone, 60) == 300
    assert service.step_from(gone, 301) == 600
    assert service.step_from(here, 60) == 60
    points = service.query(GUEST, str(KEY), gone, NOON - timedelta(hours=49), 60)
    assert [one.mean for one in points if one.coverage != "none"] == [4]
    assert seen(kept.engine, MINUTE, 1) == [(None, None, None, 0)]


def test_settings_that_keep_means_for_less_than_readings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ingest.toml"
    text = '[site]\nid = "c001"\nlabel = "x"\n[series]\nraw_days = 30\nrollup_days = {}\n'
    path.write_text(text.format(29), encoding="utf-8")
    with pytest.raises(InputError, match="less than raw_days"):
        load_settings(path)
    path.write_text(text.format(30), encoding="utf-8")
    assert load_settings(path).series.rollup_days == 30
