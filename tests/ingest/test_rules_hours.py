from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rules.hours import ALWAYS, FOREVER, Hours
from ingest.store.engine import from_micros, to_micros
from linli.hours import DAYS, Window, is_open

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def window(begin: str, end: str, *days: str) -> Window:
    return msgspec.convert({"from": begin, "to": end, **({"days": days} if days else {})}, Window)


def stretch(hours: Hours, zone: ZoneInfo, when: str) -> tuple[bool, str, str]:
    found = hours.at(to_micros(datetime.fromisoformat(when).replace(tzinfo=zone)))
    start, end = (
        from_micros(instant).astimezone(zone).strftime("%a %d %H:%M")
        for instant in (found.start, found.end)
    )
    return found.open, start, end


def test_without_windows_it_is_always_open() -> None:
    assert Hours((), SHANGHAI).at(0) == ALWAYS == (True, -FOREVER, FOREVER)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-03-02T21:59", (False, "Mon 02 06:00", "Mon 02 22:00")),
        ("2026-03-02T22:00", (True, "Mon 02 22:00", "Tue 03 06:00")),
        ("2026-03-03T05:59", (True, "Mon 02 22:00", "Tue 03 06:00")),
        ("2026-03-03T06:00", (False, "Tue 03 06:00", "Tue 03 22:00")),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(when: str, expected: tuple) -> None:
    assert stretch(Hours([window("22:00", "06:00")], SHANGHAI), SHANGHAI, when) == expected


def test_days_are_those_of_the_beginning() -> None:
    hours = Hours([window("22:00", "06:00", "sat")], SHANGHAI)
    expected = (True, "Sat 07 22:00", "Sun 08 06:00")
    assert stretch(hours, SHANGHAI, "2026-03-08T05:00") == expected
    assert stretch(hours, SHANGHAI, "2026-03-08T23:00") == (False, "Sun 08 06:00", "Sat 14 22:00")


def test_windows_that_touch_are_one() -> None:
    week = [window("00:00", "24:00", *DAYS[:5]), window("08:00", "12:00", "sat")]
    hours = Hours(week, SHANGHAI)
    expected = (True, "Mon 02 00:00", "Sat 07 00:00")
    assert stretch(hours, SHANGHAI, "2026-03-04T12:00") == expected
    assert Hours([window("00:00", "24:00")], SHANGHAI).at(0) == ALWAYS
    assert Hours([window("07:00", "07:00")], SHANGHAI).at(0) == ALWAYS


def test_summer_time_moves_the_wall_clock_and_no_window() -> None:
    night = Hours([window("22:00", "06:00")], BERLIN)
    for day, hours_open in ((28, 7), (27, 8)):  # the clock goes from 2 to 3 on the 29th
        found = night.at(to_micros(datetime(2026, 3, day, 23, tzinfo=BERLIN)))
        assert (found.end - found.start) / 3_600_000_000 == hours_open


times = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
windows = st.builds(
    lambda begin, end, days: window(begin, end, *days),
    times,
    st.one_of(times, st.just("24:00")),
    st.sets(st.sampled_from(DAYS), min_size=1).map(sorted),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(windows, min_size=1, max_size=3), st.integers(0, 60 * 24 * 14))
def test_stretches_follow_each_other_and_alternate(some: list[Window], minute: int) -> None:
    hours = Hours(some, SHANGHAI)
    instant = to_micros(datetime(2026, 3, 2, tzinfo=SHANGHAI)) + minute * 60_000_000
    found = hours.at(instant)
    assert found.start <= instant < found.end
    if found != ALWAYS:
        after = hours.at(found.end)
        assert after.open != found.open
        assert Hours(some, SHANGHAI).at(found.end - 1).open == found.open


@given(
    st.lists(
        st.builds(
            Window,
            begin=st.sampled_from(["00:00", "06:30", "22:00", "24:00"]),
            end=st.sampled_from(["00:00", "06:30", "07:00", "22:00", "24:00"]),
            days=st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 14 * 1440 - 1),
)
def test_the_wall_clock_says_the_same_without_looking_for_stretches(
    windows: list[Window], minutes: int
) -> None:
    now = datetime(2026, 3, 2, tzinfo=SHANGHAI) + timedelta(minutes=minutes)
    assert is_open(windows, now) == Hours(windows, SHANGHAI).at(to_micros(now)).open


def test_the_wall_clock_without_windows_is_always_open() -> None:
    assert is_open((), datetime(2026, 3, 2, 4, tzinfo=SHANGHAI))
