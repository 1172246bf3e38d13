from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.counting import LineCounter
from edge.lines import Crossings, Point, cross
from edge.settings import Line

DOOR = Line(id="door", points=((0.5, 0.8), (0.5, 0.2)))  # upwards: in is from left to right
LEFT, RIGHT, ON = (0.3, 0.5), (0.7, 0.5), (0.505, 0.5)
ABOVE_LEFT, ABOVE_RIGHT = (0.3, 0.05), (0.7, 0.05)
SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 2, 19, tzinfo=UTC)


def walk(*points: Point, number: int = 1) -> tuple[int, int]:
    state = Crossings()
    for point in points:
        state = cross(state, DOOR, [(number, point)])
    return state.ins, state.outs


@pytest.mark.parametrize(
    ("points", "counted"),
    [
        pytest.param([LEFT], (0, 0), id="stands"),
        pytest.param([LEFT, RIGHT], (1, 0), id="in"),
        pytest.param([RIGHT, LEFT], (0, 1), id="out"),
        pytest.param([LEFT, ON, RIGHT], (1, 0), id="over the line itself"),
        pytest.param([LEFT, ON, LEFT, ON, LEFT], (0, 0), id="turns round on it"),
        pytest.param([LEFT, RIGHT, LEFT, RIGHT], (2, 1), id="to and fro"),
        pytest.param([ABOVE_LEFT, ABOVE_RIGHT], (0, 0), id="past its end"),
        pytest.param([LEFT, ABOVE_LEFT, ABOVE_RIGHT, RIGHT], (0, 0), id="around it"),
        pytest.param([ON, RIGHT], (0, 0), id="begins on it"),
    ],
)
def test_who_goes_over_a_line(points: list[Point], counted: tuple[int, int]) -> None:
    assert walk(*points) == counted


def test_turned_round_the_line_swaps_in_and_out() -> None:
    turned = msgspec.structs.replace(DOOR, points=(DOOR.points[1], DOOR.points[0]))
    state = cross(cross(Crossings(), turned, [(1, LEFT)]), turned, [(1, RIGHT)])
    assert (state.ins, state.outs) == (0, 1)


def test_each_object_has_its_own_side() -> None:
    state = cross(Crossings(), DOOR, [(1, LEFT), (2, RIGHT)])
    state = cross(state, DOOR, [(1, LEFT), (2, RIGHT)])
    assert (state.ins, state.outs) == (0, 0)
    state = cross(state, DOOR, [(1, RIGHT), (2, LEFT)])
    assert (state.ins, state.outs) == (1, 1)


def test_sides_remembered_are_bounded() -> None:
    state = cross(Crossings(), DOOR, [(number, LEFT) for number in range(2000)])
    assert len(state.places) == 512
    state = cross(state, DOOR, [(0, RIGHT), (1999, RIGHT)])
    assert state.ins == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=40))
def test_in_and_out_of_one_object_alternate(points: list[Point]) -> None:
    ins, outs = walk(*points)
    assert abs(ins - outs) <= len(points) // 2 + 1
    long = msgspec.structs.replace(DOOR, points=((0.5, 1.0), (0.5, 0.0)))
    state = Crossings()
    for point in points:
        state = cross(state, long, [(1, point)])
    assert abs(state.ins - state.outs) <= 1


def counter(line: Line = DOOR) -> LineCounter:
    return LineCounter(line, SHANGHAI)


def test_a_report_each_minute_says_what_came_since_the_last() -> None:
    one = counter()
    assert one.see([(1, LEFT)], 0.0, START) is None
    assert one.see([(1, RIGHT)], 1.0, START) is None
    first = one.see([], 60.0, START + timedelta(seconds=60))
    assert first is not None
    assert (first.group, dict(first.counts)) == ("door", {"in": 1, "out": 0, "occupancy": 1})
    assert one.see([(1, LEFT)], 61.0, START) is None
    second = one.report(62.0, START)
    assert dict(second.counts) == {"in": 0, "out": 1, "occupancy": 0}


def test_nobody_is_fewer_than_nobody() -> None:
    one = counter()
    for number in range(3):
        one.see([(number, RIGHT)], 0.0, START)
        one.see([(number, LEFT)], 0.0, START)
    one.see([(9, LEFT)], 0.0, START)
    one.see([(9, RIGHT)], 0.0, START)
    assert dict(one.report(1.0, START).counts) == {"in": 1, "out": 3, "occupancy": 1}


@pytest.mark.parametrize(
    ("hours", "inside"),
    [(0, 1), (7.9, 1), (8.1, 0), (30, 0)],  # START is 03:00 on the wall; emptied at 11:00
)
def test_the_occupancy_begins_anew_at_its_hour(hours: float, inside: int) -> None:
    one = counter(msgspec.structs.replace(DOOR, empty_at="11:00"))
    one.see([(1, LEFT)], 0.0, START)
    one.see([(1, RIGHT)], 0.0, START)
    one.see([], 1.0, START + timedelta(hours=hours))
    assert one.report(2.0, START).counts["occupancy"] == inside
