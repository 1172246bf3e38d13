"""A whole week of one corridor, judged by the light there really was."""

from __future__ import annotations

import lit_week
import pytest
from lit_week import SENSOR_DIES, SENSOR_LIVES, Week, corridor, live


@pytest.fixture(scope="module")
def week() -> Week:
    return live(corridor())


def test_nobody_walks_in_the_dark(week: Week) -> None:
    assert week.passages > 500
    assert week.occupied > 4 * 3600
    assert week.unwalkable == 0


def test_everybody_has_full_light_but_in_the_hour_after_the_sensor_died(week: Week) -> None:
    assert week.not_full == week.not_full_unknown
    assert week.not_full < 600


def test_the_lamps_do_not_flicker(week: Week) -> None:
    assert week.shortest_on() >= corridor().hold
    assert week.most_in_an_hour() <= 60


def test_energy_is_saved_and_hours_are_counted(week: Week) -> None:
    assert 0 < week.used < week.dusk_to_dawn < week.always_on
    assert week.used / week.always_on < 0.25
    assert 40 < week.burned < 7 * 15


def test_a_silent_sensor_costs_light_and_not_darkness(week: Week) -> None:
    silent = [
        row
        for row in week.rows
        if SENSOR_DIES * 24 + 1 < row[0] < SENSOR_LIVES * 24 and row[1] < 20
    ]
    assert len(silent) > 300
    assert all(level == 1.0 for _, _, level, _, _ in silent)


def test_the_lamp_that_died_is_told_once_and_soon(week: Week) -> None:
    (found,) = week.faults
    at, fault = found
    assert (fault.lamp.id, fault.change.kind) == ("lamp-1", "no-power")
    assert 0 < at - lit_week.LAMP_DIES * 86400 < 600


def test_not_saying_what_the_lamps_add_to_the_light_sensor_costs_minutes_and_no_flicker() -> None:
    week = live(corridor(own_light=0.0), seed=7, days=2)
    assert week.occupied > 3600
    assert week.not_full <= 120
    assert week.shortest_on() >= corridor().hold
