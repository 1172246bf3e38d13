"""Who is on duty: patterns, dated shifts, swaps, holidays, changes of clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.duty.roster import Dated, Roster, Shift, Swap, gaps, next_turn, on_duty, turns

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
DAY = Shift(begin="08:00", end="20:00", people=("wang",))
NIGHT = Shift(begin="20:00", end="08:00", people=("li",))
WEEK = Roster(team="desk", shifts=(DAY, NIGHT))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def who(roster: Roster, text: str) -> tuple[str, ...]:
    turn = on_duty(roster, at(text), SHANGHAI)
    return turn.people if turn else ()


@pytest.mark.parametrize(
    ("moment", "people"),
    [
        ("2026-03-02T08:00", ("wang",)),
        ("2026-03-02T19:59", ("wang",)),
        ("2026-03-02T20:00", ("li",)),
        ("2026-03-03T02:00", ("li",)),
        ("2026-03-03T07:59", ("li",)),
    ],
)
def test_day_and_night(moment: str, people: tuple[str, ...]) -> None:
    assert who(WEEK, moment) == people


def test_the_next_turn_is_the_one_that_begins_next() -> None:
    turn = next_turn(WEEK, at("2026-03-02T10:00"), SHANGHAI)
    assert turn is not None
    assert (turn.begin, turn.people) == (at("2026-03-02T20:00"), ("li",))


def test_guards_work_in_a_cycle_of_four_days() -> None:
    names = ("a", "b", "c", "d")
    shifts = tuple(
        Shift(begin="08:00", end="08:00", days=(number,), people=(name,))
        for number, name in enumerate(names)
    )
    roster = Roster(team="guards", cycle=4, anchor=date(2026, 3, 2), shifts=shifts)
    days = ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"]
    assert [who(roster, f"{day}T09:00") for day in days] == [("a",), ("b",), ("c",), ("d",), ("a",)]
    assert who(roster, "2026-03-01T09:00") == ("d",)


def test_weekends_and_nobody() -> None:
    office = Roster(
        team="office",
        shifts=(Shift(begin="09:00", end="17:00", days=tuple(range(5)), people=("a",)),),
    )
    assert who(office, "2026-03-06T10:00") == ("a",)  # a Friday
    assert who(office, "2026-03-07T10:00") == ()
    turn = next_turn(office, at("2026-03-07T10:00"), SHANGHAI)
    assert turn is not None
    assert turn.begin == at("2026-03-09T09:00")


def test_holidays() -> None:
    roster = Roster(
        team="office",
        shifts=(
            Shift(begin="09:00", end="17:00", people=("a",), holidays="never"),
            Shift(begin="10:00", end="12:00", people=("b",), holidays="only"),
        ),
        holidays=(date(2026, 10, 1),),
    )
    assert who(roster, "2026-10-01T09:30") == ()
    assert who(roster, "2026-10-01T10:30") == ("b",)
    assert who(roster, "2026-10-02T10:30") == ("a",)


def test_a_dated_shift_counts_for_its_hours_only() -> None:
    roster = msgspec.structs.replace(
        WEEK, dated=(Dated(day=date(2026, 3, 2), begin="12:00", end="14:00", people=("zhao",)),)
    )
    moments = [f"2026-03-02T{clock}" for clock in ("11:59", "12:00", "13:59", "14:00")]
    assert [who(roster, moment) for moment in moments] == [
        ("wang",),
        ("zhao",),
        ("zhao",),
        ("wang",),
    ]


def test_swaps_and_who_is_away() -> None:
    roster = msgspec.structs.replace(
        WEEK,
        swaps=(
            Swap(begin=at("2026-03-02T10:00"), end=at("2026-03-02T12:00"), person="wang", by="sun"),
            Swap(begin=at("2026-03-02T14:00"), end=at("2026-03-02T15:00"), person="wang"),
        ),
    )
    assert who(roster, "2026-03-02T11:00") == ("sun",)
    assert who(roster, "2026-03-02T12:00") == ("wang",)
    assert who(roster, "2026-03-02T14:30") == ()
    assert gaps(roster, at("2026-03-02T08:00"), at("2026-03-03T08:00"), SHANGHAI) == [
        (at("2026-03-02T14:00"), at("2026-03-02T15:00"))
    ]


def test_two_on_one_shift_are_told_once_each() -> None:
    twice = Roster(
        team="desk",
        shifts=(
            Shift(begin="08:00", end="20:00", people=("a", "b")),
            Shift(begin="10:00", end="12:00", people=("b", "c")),
        ),
    )
    assert who(twice, "2026-03-02T11:00") == ("a", "b", "c")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 11), (date(2026, 10, 24), 13)])
def test_the_night_of_a_change_of_clocks(day: date, hours: int) -> None:
    start = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    found = turns(WEEK, start, start + timedelta(days=2), BERLIN)
    night = next(turn for turn in found if turn.people == ("li",) and turn.begin > start)
    assert night.end - night.begin == timedelta(hours=hours)


def test_too_much_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 62 days"):
        turns(WEEK, at("2026-01-01T00:00"), at("2026-06-01T00:00"), SHANGHAI)


clocks = st.integers(0, 95).map(lambda n: f"{n // 4:02d}:{n % 4 * 15:02d}")
shifts = st.builds(
    Shift,
    begin=clocks,
    end=clocks,
    people=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2).map(tuple),
    days=st.lists(st.integers(0, 6), max_size=3).map(tuple),
)


@given(
    st.lists(shifts, min_size=1, max_size=4).map(tuple),
    st.integers(0, 10 * 24 * 60).map(lambda n: at("2026-03-01T00:00") + timedelta(minutes=n)),
)
def test_turns_neither_overlap_nor_disagree_with_a_look_at_one_moment(
    some: tuple[Shift, ...], now: datetime
) -> None:
    roster = Roster(team="desk", shifts=some)
    found = turns(roster, now - timedelta(days=3), now + timedelta(days=3), SHANGHAI)
    assert all(one.end <= other.begin for one, other in itertools.pairwise(found))
    assert all(turn.begin < turn.end for turn in found)
    inside = next((turn for turn in found if turn.begin <= now < turn.end), None)
    alone = on_duty(roster, now, SHANGHAI)
    assert (inside.people if inside else None) == (alone.people if alone else None)
