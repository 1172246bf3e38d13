"""What every engine of readings does; a test class inherits it and says how readings get in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import Coverage, Figure, Readable, Sample, SeriesKey, to_millis

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = to_millis(NOON)
MINUTE, FIVE, HOUR = 60_000, 300_000, 3_600_000
KEY = SeriesKey(
    site="c001", node="c001-n07", device="cam-e1", group="camera", name="fps", unit="/s"
)
OTHER = SeriesKey(
    site="c001", node="c001-n07", device="cam-e1", group="bin", name="level", unit="1"
)
MISSING = SeriesKey(site="x", node="x", device="x", group="x", name="x", unit="x")

Keep = Callable[[Sequence[Sample]], None]


def sample(
    minutes: float, value: float, key: SeriesKey = KEY, quality: str | None = None
) -> Sample:
    return Sample(key=key, time=START + int(minutes * MINUTE), value=value, quality=quality)


def lamp(number: int) -> SeriesKey:
    return SeriesKey(
        site="c001", node="c001-n08", device=f"lamp-{number}", group="lamp", name="power", unit="W"
    )


def seen(
    timeseries: Readable, step: int, minutes: int = 15, key: SeriesKey = KEY
) -> list[tuple[float | None, float | None, float | None, int]]:
    points = timeseries.query(key, START, START + minutes * MINUTE, step)
    return [(point.mean, point.low, point.high, point.count) for point in points]


def coverage(timeseries: Readable, step: int, minutes: int) -> list[Coverage]:
    points = timeseries.query(KEY, START, START + minutes * MINUTE, step)
    return [point.coverage for point in points]


NONE = (None, None, None, 0)


class TimeseriesContract:
    """Fixtures `timeseries` and `keep` come from whoever inherits it; both begin empty."""

    @pytest.fixture
    def timeseries(self) -> Readable:
        raise NotImplementedError

    @pytest.fixture
    def keep(self, timeseries: Readable) -> Keep:
        raise NotImplementedError

    def test_nothing_is_known_at_first(self, timeseries: Readable) -> None:
        assert timeseries.keys() == []
        assert seen(timeseries, FIVE, 5) == [NONE]
        assert timeseries.samples(KEY, START, START + HOUR, 10) == []
        assert timeseries.detail_since() == 0

    def test_steps_have_mean_low_high_and_gaps_are_none(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        keep([sample(0, 1), sample(1, 4), sample(12, 0)])
        assert seen(timeseries, FIVE) == [(2.5, 1, 4, 2), NONE, (0, 0, 0, 1)]
        assert coverage(timeseries, FIVE, 15) == ["full", "none", "full"]

    def test_odd_steps_count_every_reading_once(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(0, 1), sample(1, 4), sample(12, 0)])
        assert sum(count for *_, count in seen(timeseries, FIVE - 1, 20)) == 3

    def test_short_steps_come_from_the_readings(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(0, 1), sample(1, 4)])
        assert seen(timeseries, MINUTE, 3) == [(1, 1, 1, 1), (4, 4, 4, 1), NONE]

    def test_late_readings_come_to_what_was_there(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(4, 9)])
        keep([sample(1, 3)])
        assert seen(timeseries, FIVE, 5) == [(6, 3, 9, 2)]

    def test_what_is_not_good_is_in_no_mean_but_can_be_asked_for(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        keep([sample(0, 999, quality="stuck"), sample(1, 5)])
        keep([sample(6, 999, quality="stuck")])
        assert seen(timeseries, FIVE, 10) == [(5, 5, 5, 1), NONE]
        (total,) = timeseries.combine([KEY], START + FIVE, START + 2 * FIVE, FIVE)
        assert (total.sum, total.series) == (None, 0)
        found = timeseries.samples(KEY, START, START + 7 * MINUTE, 10)
        assert [(one.value, one.quality) for one in found] == [
            (999, "stuck"),
            (5, None),
            (999, "stuck"),
        ]
        assert timeseries.samples(KEY, START, START + 7 * MINUTE, 2) == found[:2]
        assert timeseries.samples(KEY, START + 1, START + 6 * MINUTE, 10) == [sample(1, 5)]

    def test_series_are_apart(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(0, 1), sample(0, 0.8, OTHER)])
        assert timeseries.keys() == sorted([KEY, OTHER], key=str)
        assert seen(timeseries, FIVE, 5, OTHER) == [(0.8, 0.8, 0.8, 1)]
        assert seen(timeseries, FIVE, 5, MISSING) == [NONE]
        assert timeseries.query(KEY, START, START, FIVE) == []

    @pytest.mark.parametrize("step", [MINUTE, FIVE, 2 * FIVE])
    def test_many_series_at_once_are_as_one_by_one(
        self, timeseries: Readable, keep: Keep, step: int
    ) -> None:
        keep([sample(0, 1), sample(1, 4), sample(12, 0), sample(2, 9, quality="stuck")])
        keep([sample(3, 7, key=OTHER), sample(12, 8, key=OTHER)])
        unknown = replace(KEY, device="nobody")
        found = timeseries.each([KEY, OTHER, unknown], START, START + 15 * MINUTE, step)
        assert found == {
            one: timeseries.query(one, START, START + 15 * MINUTE, step)
            for one in (KEY, OTHER, unknown)
        }
        assert timeseries.each([], START, START + FIVE, step) == {}

    def test_series_of_some_nodes(self, timeseries: Readable, keep: Keep) -> None:
        elsewhere = replace(KEY, node="n' OR '1'='1")
        keep([sample(0, 1), sample(0, 2, key=elsewhere)])
        assert timeseries.keys([KEY.node]) == [KEY]
        assert timeseries.keys([elsewhere.node, "nobody"]) == [elsewhere]
        assert len(timeseries.keys()) == 2
        assert timeseries.keys(names=[KEY.name]) == sorted([KEY, elsewhere], key=str)
        assert timeseries.keys([KEY.node, "nobody"], [KEY.name, "nothing"]) == [KEY]
        assert timeseries.keys([KEY.node], ["nothing"]) == []

    def test_points_lie_on_multiples_of_the_step(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(0, 1)])
        points = timeseries.query(KEY, START + 1, START + FIVE + 1, FIVE)
        assert [point.time for point in points] == [NOON, NOON + timedelta(minutes=5)]
        assert points[0].mean == 1

    def test_a_step_with_fewer_readings_than_usual_is_partial(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        """Thirty readings in each five minutes; a network that lost some, then all."""
        whole = [sample(at / 6, 1) for at in range(90)]
        some = [sample(15 + at / 6, 1) for at in range(12)]
        keep([*whole, *some, sample(25, 7)])
        assert coverage(timeseries, FIVE, 30) == ["full"] * 3 + ["partial", "none", "partial"]

    def test_one_reading_more_or_less_is_no_gap(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(minutes, 1) for minutes in (0, 2, 4, 5.5, 7.5, 10, 12, 14)])
        assert coverage(timeseries, FIVE, 15) == ["full"] * 3

    def test_many_series_together_count_each_device_once(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        busy = [sample(minute / 2, 10, lamp(1)) for minute in range(10)]
        keep([*busy, sample(1, 40, lamp(2)), sample(6, 12, lamp(1)), sample(0, 999, OTHER)])
        lamps = [lamp(1), lamp(2), lamp(3)]
        first, second, third = timeseries.combine(lamps, START, START + 3 * FIVE, FIVE)
        assert (first.mean, first.sum, first.low, first.high) == (25, 50, 10, 40)
        assert (first.series, first.coverage) == (2, "full")
        assert (second.sum, second.series, second.coverage) == (12, 1, "partial")
        assert (third.mean, third.sum, third.series, third.coverage) == (None, None, 0, "none")
        (whole,) = timeseries.combine([*lamps, lamp(1)], START, START + 2 * FIVE, 2 * FIVE)
        assert whole.sum == pytest.approx((10 * 10 + 12) / 11 + 40)
        assert timeseries.combine([], START, START + FIVE, FIVE)[0].coverage == "none"
        assert timeseries.combine([MISSING], START, START + FIVE, FIVE)[0].coverage == "none"

    def test_another_figure_of_each_series_is_put_together(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        keep([sample(minute, 10 + minute, lamp(1)) for minute in range(15)])
        keep([sample(0, 7, lamp(2)), sample(6, 3, lamp(2)), sample(11, 8, lamp(2))])
        lamps = [lamp(1), lamp(2), lamp(3)]

        def totals(of: Figure) -> list[float | None]:
            found = timeseries.combine(lamps, START, START + 3 * FIVE, FIVE, of)
            return [one.sum for one in found]

        assert totals("low") == [10 + 7, 15 + 3, 20 + 8]
        assert totals("high") == [14 + 7, 19 + 3, 24 + 8]
        assert totals("count") == [6, 6, 6]
        # The first step has none before it, and a meter that fell has no growth.
        assert totals("growth") == [None, 5, 5 + 5]
        (last,) = timeseries.combine(lamps, START + 2 * FIVE, START + 3 * FIVE, FIVE, "growth")
        assert (last.sum, last.mean, last.series) == (10, 5, 2)

    def test_the_newest_good_reading_of_each_series(self, timeseries: Readable, keep: Keep) -> None:
        keep([sample(0, 1), sample(3, 4), sample(4, 999, quality="stuck"), sample(1, 7, lamp(1))])
        keys = [KEY, lamp(1), MISSING]
        found = timeseries.latest(keys, START, START + HOUR)
        assert found == [sample(3, 4), sample(1, 7, lamp(1))]
        assert timeseries.latest(keys, START, START + 3 * MINUTE) == [
            sample(0, 1),
            sample(1, 7, lamp(1)),
        ]
        assert timeseries.latest([KEY], START + 4 * MINUTE, START + HOUR) == []
        assert timeseries.latest([], START, START + HOUR) == []


VALUES = st.tuples(
    st.integers(0, 40), st.floats(-10, 10, width=32), st.sampled_from([None, None, "bad"])
)
PROPERTY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def agrees_with_the_fake(make: Callable[[], tuple[Readable, Keep]]) -> Callable[[], None]:
    """Return a property test: an engine and the fake answer alike, whatever comes in what order.

    `make` returns a fresh engine that keeps the first reading of a series at a time.
    """

    @PROPERTY
    @given(
        st.lists(VALUES, max_size=25),
        st.sampled_from([MINUTE, 7 * MINUTE, FIVE, 2 * FIVE]),
        st.integers(1, 4),
    )
    def check(values: list[tuple[int, float, str | None]], step: int, pieces: int) -> None:
        engine, keep = make()
        fake = MemoryTimeseries()
        samples = [sample(minutes, value, quality=quality) for minutes, value, quality in values]
        for index in range(pieces):
            keep(samples[index::pieces])
            fake.write(samples[index::pieces], index)
        for mine, its in zip(seen(engine, step, 45), seen(fake, step, 45), strict=True):
            assert mine[3] == its[3]
            assert mine[:3] == (pytest.approx(its[:3], abs=1e-9) if its[3] else NONE[:3])
        assert coverage(engine, step, 45) == coverage(fake, step, 45)

    return check
