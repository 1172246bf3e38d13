"""Which level a group of lamps gets: a table of facts, and what holds whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import astral
import astral.sun
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lighting.controller import (
    Group,
    Terms,
    Wish,
    decide,
    hear_light,
    hear_people,
    take_over,
)
from edge.lighting.sun import NIGHT, SUNSET, elevation

TERMS = Terms(people=("pir",), light=("lux",), hold=60, settle=120, silent_after=3600)
HALL = Terms(people=("pir",), daylight=False)
NOON, DUSK, MIDNIGHT = 50.0, -3.0, -40.0


def _heard(
    terms: Terms = TERMS, *, occupied: bool = False, lux: float | None = 5.0, now: float = 0.0
) -> Group:
    group = hear_people(Group(), terms, "pir", occupied, now)
    return group if lux is None else hear_light(group, terms, "lux", lux, now)


def _after(group: Group, terms: Terms, seconds: float, sun: float | None) -> tuple[Group, Wish]:
    """Decide every second from 0 to `seconds`."""
    wish = Wish(0, 0, "idle")
    for now in range(int(seconds) + 1):
        group, wish = decide(group, terms, now, sun)
    return group, wish


@pytest.mark.parametrize(
    ("occupied", "lux", "sun", "level", "cause"),
    [
        (True, 5, MIDNIGHT, 1.0, "people"),
        (False, 5, MIDNIGHT, 0.2, "idle"),
        (True, 20_000, NOON, 0.0, "daylight"),
        (False, 20_000, NOON, 0.0, "daylight"),
        (False, 5, NOON, 0.2, "idle"),  # a storm
        (True, 5, NOON, 1.0, "people"),
        (False, 500, MIDNIGHT, 0.2, "idle"),  # somebody shines at the sensor
        (False, 500, DUSK, 0.0, "daylight"),
        (False, 5, DUSK, 0.2, "idle"),
        (False, 70, NOON, 0.2, "idle"),  # between the thresholds: as it was, first dark
        (False, None, NOON, 0.0, "daylight"),  # never heard: the sun alone
        (False, None, DUSK, 0.2, "idle"),
        (False, None, None, 0.2, "idle"),  # nothing known: dark
        (False, 500, None, 0.0, "daylight"),
    ],
)
def test_facts_and_levels(
    occupied: bool, lux: float | None, sun: float | None, level: float, cause: str
) -> None:
    _, wish = decide(_heard(occupied=occupied, lux=lux), TERMS, 1.0, sun)
    assert (wish.level, wish.cause) == (level, cause)


def test_a_place_without_daylight_is_dark_at_noon() -> None:
    _, wish = decide(_heard(HALL, lux=None), HALL, 1.0, NOON)
    assert (wish.level, wish.cause) == (0.2, "idle")


def test_somebody_is_lit_at_once_and_for_the_hold_time_after() -> None:
    group, wish = decide(_heard(HALL), HALL, 0, None)
    group = hear_people(group, HALL, "pir", True, 10)
    group, wish = decide(group, HALL, 10, None)
    assert (wish.level, wish.ramp) == (1.0, HALL.ramp_up)
    group = hear_people(group, HALL, "pir", False, 40)
    group, wish = decide(group, HALL, 99, None)
    assert wish.level == 1.0
    group, wish = decide(group, HALL, 101, None)
    assert (wish.level, wish.ramp, wish.cause) == (0.2, HALL.ramp_down, "idle")


def test_somebody_who_came_and_went_between_two_looks_is_lit() -> None:
    group, _ = decide(_heard(HALL), HALL, 0, None)
    group = hear_people(group, HALL, "pir", True, 10.1)
    group = hear_people(group, HALL, "pir", False, 10.2)
    _, wish = decide(group, HALL, 11, None)
    assert (wish.level, wish.cause) == (1.0, "people")


def test_a_sensor_of_people_that_is_silent_means_light() -> None:
    group, wish = decide(Group(), HALL, 0, None)
    assert (wish.level, wish.cause) == (1.0, "unknown")  # never heard
    group = hear_people(Group(), HALL, "pir", False, 0)
    group, wish = decide(group, HALL, 3599, None)
    assert wish.cause == "idle"
    group, wish = decide(group, HALL, 3600, None)
    assert (wish.level, wish.cause) == (1.0, "unknown")


def test_one_silent_sensor_of_two_is_enough_for_light() -> None:
    terms = Terms(people=("a", "b"), daylight=False)
    group = hear_people(Group(), terms, "a", False, 0)
    _, wish = decide(group, terms, 0, None)
    assert (wish.level, wish.cause) == (1.0, "unknown")


def test_without_any_sensor_of_people_it_is_lit_from_dusk_to_dawn() -> None:
    terms = Terms()
    assert decide(Group(), terms, 0, MIDNIGHT)[1].level == 1.0
    assert decide(Group(), terms, 0, NOON)[1].level == 0.0


def test_it_gets_dark_at_once_and_bright_after_a_while() -> None:
    group, _ = decide(_heard(lux=20_000), TERMS, 0, NOON)
    group = hear_light(group, TERMS, "lux", 20, 10)
    group, wish = decide(group, TERMS, 10, NOON)
    assert wish.level == 0.2
    group = hear_light(group, TERMS, "lux", 20_000, 20)
    for now in range(20, 140):
        group, wish = decide(group, TERMS, now, NOON)
        assert wish.level == 0.2
    group, wish = decide(group, TERMS, 140, NOON)
    assert wish.level == 0.0


def test_a_gap_in_the_clouds_does_not_put_the_lamps_out() -> None:
    group, _ = decide(_heard(lux=20), TERMS, 0, NOON)
    for now in range(0, 1000, 10):
        group = hear_light(group, TERMS, "lux", 20 if now % 100 == 0 else 20_000, now)
        group, wish = decide(group, TERMS, now, NOON)
        assert wish.level == 0.2


def test_the_light_of_the_lamps_themselves_is_no_daylight() -> None:
    terms = Terms(people=("pir",), light=("lux",), own_light=200)
    group, _ = decide(_heard(terms, occupied=True, lux=5), terms, 0, DUSK)
    for now in range(1, 1000):
        group = hear_light(group, terms, "lux", 205, now)
        group, wish = decide(group, terms, now, DUSK)
        assert wish.level == 1.0


def test_lamps_that_nobody_told_of_their_own_light_do_not_blink_on_and_on() -> None:
    group, changes, before = _heard(occupied=True, lux=5), 0, 0.0
    for now in range(6 * 3600):
        if now % 10 == 0:
            group = hear_light(group, TERMS, "lux", 5 + 200 * group.level, now)
            group = hear_people(group, TERMS, "pir", True, now)
        group, wish = decide(group, TERMS, now, DUSK)
        changes += wish.level != before
        before = wish.level
    assert changes < 20  # with a fixed settling time it would be 180


def test_staff_decide_and_it_ends_by_itself() -> None:
    group = take_over(_heard(HALL, occupied=True, lux=None), 0.0, 0, 600)
    group, wish = decide(group, HALL, 599, None)
    assert (wish.level, wish.cause) == (0.0, "override")
    group, wish = decide(group, HALL, 600, None)
    assert (wish.level, wish.cause) == (1.0, "people")


def test_staff_can_give_it_back() -> None:
    group = take_over(_heard(HALL, lux=None), 0.7, 0, 600)
    group, _ = decide(group, HALL, 1, None)
    _, wish = decide(take_over(group, 0.7, 100, 0), HALL, 100, None)
    assert wish.cause == "idle"


def test_the_sun_agrees_with_the_tables_and_a_lost_clock_says_nothing() -> None:
    shanghai = astral.Observer(31.23, 121.47)
    for day in (datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 6, 21, tzinfo=UTC)):
        height = partial(elevation, shanghai.latitude, shanghai.longitude)
        for edge in (astral.sun.sunrise(shanghai, day), astral.sun.sunset(shanghai, day)):
            found = height(edge)
            assert found is not None
            assert abs(found - SUNSET) < 0.1
        dawn = height(astral.sun.dawn(shanghai, day, depression=6))
        assert dawn is not None
        assert abs(dawn - NIGHT) < 0.1
    assert elevation(31.23, 121.47, datetime(1970, 1, 1, tzinfo=UTC)) is None
    assert elevation(89.9, 0.0, datetime(2026, 6, 21, tzinfo=UTC)) is not None  # no sunset there


# What holds whatever happens ----------------------------------------------------------------------

_STEP = st.tuples(
    st.floats(0.1, 400),  # seconds since the step before
    st.one_of(st.none(), st.booleans()),  # what the sensor of people says
    st.one_of(st.none(), st.floats(0, 100_000)),  # lux
    st.one_of(st.none(), st.floats(-90, 90)),  # the sun
    st.one_of(st.none(), st.tuples(st.floats(0, 1), st.floats(0, 2000))),  # staff
)
_TERMS = st.builds(
    Terms,
    people=st.just(("pir",)),
    light=st.just(("lux",)),
    daylight=st.booleans(),
    low=st.floats(0, 0.5),
    full=st.floats(0.5, 1),
    hold=st.floats(5, 600),
    settle=st.floats(0, 600),
    own_light=st.floats(0, 300),
    silent_after=st.floats(60, 7200),
)


@settings(max_examples=150, deadline=None)
@given(terms=_TERMS, steps=st.lists(_STEP, max_size=60))
def test_nobody_in_the_dark_no_flicker_and_staff_obeyed(
    terms: Terms, steps: list[tuple[float, bool | None, float | None, float | None, object]]
) -> None:
    group, now, before, raised = Group(), 0.0, 0.0, None
    for gap, occupied, lux, sun, staff in steps:
        now += gap
        if occupied is not None:
            group = hear_people(group, terms, "pir", occupied, now)
        if lux is not None:
            group = hear_light(group, terms, "lux", lux, now)
        if isinstance(staff, tuple):
            group = take_over(group, staff[0], now, staff[1])
        group, wish = decide(group, terms, now, sun)
        asked = group.override
        _check(group, terms, wish, now)
        if wish.level > before:
            raised = now
        elif wish.level < before and asked is None:
            assert raised is not None
            assert now - raised >= terms.hold  # up and down again at once would be a flicker
        before = wish.level


def _check(group: Group, terms: Terms, wish: Wish, now: float) -> None:
    assert 0 <= wish.level <= 1
    if group.override is not None:
        assert wish.level == group.override.level
        assert now < group.override.until
        return
    said = group.people.get("pir")
    known = said is not None and now - said.heard < terms.silent_after
    anybody = not known or (said is not None and said.occupied)
    if group.dark and anybody:
        assert wish.level >= terms.full  # nobody, and nobody who may be there, stands in the dark
    if not terms.daylight:
        assert group.dark


@settings(max_examples=60, deadline=None)
@given(
    readings=st.lists(st.floats(0, 400), min_size=50, max_size=400),
    own=st.floats(0, 400),
    told=st.floats(0, 400),
)
def test_daylight_that_dances_switches_rarely(
    readings: list[float], own: float, told: float
) -> None:
    """Whatever the light does, and however wrong `own_light` is, lamps go out rarely."""
    terms = Terms(light=("lux",), settle=120, own_light=told)
    group, outs, before = Group(), 0, 0.0
    for index, lux in enumerate(readings):
        now = index * 10.0
        group = hear_light(group, terms, "lux", lux + own * group.level, now)
        group, wish = decide(group, terms, now, DUSK)
        outs += wish.level < before
        before = wish.level
    assert outs <= 1 + len(readings) * 10.0 / 240


def test_a_day_of_the_sun_alone_switches_twice() -> None:
    terms, group, changes, before = Terms(), Group(), [], 1.0
    start = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Shanghai
    for minute in range(24 * 60):
        when = start + timedelta(minutes=minute)
        group, wish = decide(group, terms, minute * 60.0, elevation(31.23, 121.47, when))
        if wish.level != before:
            changes.append(when)
        before = wish.level
    observer = astral.Observer(31.23, 121.47)
    rise = astral.sun.sunrise(observer, start.date())
    sets = astral.sun.sunset(observer, start.date() + timedelta(days=1))
    assert len(changes) == 2
    assert timedelta(0) <= changes[0] - rise <= timedelta(minutes=4)
    assert timedelta(0) <= changes[1] - sets <= timedelta(minutes=4)
