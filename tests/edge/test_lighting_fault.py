"""When a lamp that does not do what it was told is a fault, and when it is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lighting.fault import (
    CONFIRM,
    FLICKER_WINDOW,
    GRACE,
    FaultChange,
    Lamp,
    Witness,
    draws,
    tell,
    witness,
)
from edge.lighting.meter import LONGEST_GAP, Meter, advance

READY = GRACE + 1


def _say(
    lamp: Lamp, who: Witness, words: list[tuple[float, bool]]
) -> tuple[Lamp, list[FaultChange]]:
    changes = []
    for now, lit in words:
        lamp, change = witness(lamp, who, lit, now)
        if change is not None:
            changes.append(change)
    return lamp, changes


@pytest.mark.parametrize(
    ("level", "who", "lit", "kind"),
    [
        (1.0, "power", False, "no-power"),
        (1.0, "light", False, "no-light"),
        (0.0, "power", True, "stuck-on"),
        (0.0, "light", True, "stuck-on"),
        (1.0, "answer", False, "no-answer"),
        (0.0, "answer", False, "no-answer"),
        (1.0, "power", True, None),
        (0.0, "light", False, None),
        (1.0, "answer", True, None),
    ],
)
def test_what_was_told_and_what_is_seen(
    level: float, who: Witness, lit: bool, kind: str | None
) -> None:
    lamp = tell(Lamp(), level, 0)
    lamp, changes = _say(lamp, who, [(READY, lit), (READY + CONFIRM, lit)])
    assert [(one.phase, one.kind) for one in changes] == ([("begin", kind)] if kind else [])
    assert lamp.fault == kind


def test_right_after_a_command_nothing_is_a_fault() -> None:
    lamp = tell(Lamp(), 1.0, 0)
    _, changes = _say(lamp, "power", [(now, False) for now in (1, 10, 20, GRACE - 1)])
    assert changes == []
    lamp = tell(tell(lamp, 0.0, 100), 1.0, 200)
    _, changes = _say(lamp, "power", [(now, False) for now in (201, 229)])
    assert changes == []


def test_dimming_does_not_make_it_new() -> None:
    lamp = tell(tell(Lamp(), 1.0, 0), 0.2, 100)
    assert lamp.told == 0


def test_one_word_is_no_fault_and_one_good_word_does_not_end_it() -> None:
    lamp = tell(Lamp(), 1.0, 0)
    lamp, changes = _say(lamp, "power", [(40, False), (240, True), (440, False), (640, True)])
    assert changes == []
    lamp, changes = _say(lamp, "power", [(840, False), (860, False), (1060, True), (1260, False)])
    assert [one.phase for one in changes] == ["begin"]
    lamp, changes = _say(lamp, "power", [(1460, True), (1480, True)])
    assert changes == [FaultChange("end", "no-power")]


def test_a_dead_lamp_is_not_mended_by_being_told_to_be_off() -> None:
    lamp, _ = _say(tell(Lamp(), 1.0, 0), "power", [(40, False), (60, False)])
    lamp = tell(lamp, 0.0, 100)
    lamp, changes = _say(lamp, "power", [(now, False) for now in range(140, 1000, 20)])
    assert (changes, lamp.fault) == ([], "no-power")
    lamp = tell(lamp, 1.0, 1000)
    lamp, changes = _say(lamp, "power", [(1040, True), (1060, True)])
    assert changes == [FaultChange("end", "no-power")]


def test_two_witnesses_are_one_fault() -> None:
    lamp, first = _say(tell(Lamp(), 1.0, 0), "power", [(40, False), (60, False)])
    lamp, second = _say(lamp, "light", [(70, False), (90, False)])
    assert (len(first), second) == (1, [])
    lamp, changes = _say(lamp, "power", [(100, True), (120, True)])
    assert changes == []  # it draws power and gives no light: still broken
    lamp, changes = _say(lamp, "light", [(130, True), (150, True)])
    assert changes == [FaultChange("end", "no-power")]


def test_going_on_and_off_by_itself_is_flicker() -> None:
    lamp = tell(Lamp(), 1.0, 0)
    words = [(READY + 5 * index, index % 2 == 0) for index in range(12)]
    lamp, changes = _say(lamp, "power", words)
    assert [(one.phase, one.kind) for one in changes] == [("begin", "flickering")]
    last = words[-1][0] + 5
    lamp, changes = _say(lamp, "power", [(last + now, True) for now in (0, 20, 40)])
    assert changes == []
    calm = last + FLICKER_WINDOW
    lamp, changes = _say(lamp, "power", [(calm + now, True) for now in (1, 12, 23)])
    assert changes == [FaultChange("end", "flickering")]


def test_being_told_to_go_on_and_off_is_no_flicker() -> None:
    lamp = Lamp()
    for index in range(20):
        now = index * 40.0
        lamp = tell(lamp, float(index % 2), now)
        lamp, change = witness(lamp, "power", bool(index % 2), now + GRACE)
        assert change is None


@pytest.mark.parametrize(
    ("watts", "rated", "level", "lit"),
    [
        (0.6, 12, 0.0, False),  # a driver at rest
        (12, 12, 0.0, True),
        (0.8, 12, 1.0, False),
        (2.4, 12, 0.2, True),
        (0.4, 12, 0.1, False),
        (0.6, 12, 0.05, None),
        (1.0, None, 1.0, True),
        (0.4, None, 1.0, False),
    ],
)
def test_how_much_a_lamp_draws_when_it_is_lit(
    watts: float, rated: float | None, level: float, lit: bool | None
) -> None:
    assert draws(watts, rated, level) is lit


_EVENT = st.tuples(
    st.floats(0.5, 100),
    st.one_of(
        st.tuples(st.just("tell"), st.floats(0, 1)),
        st.tuples(st.sampled_from(["power", "light", "answer"]), st.booleans()),
    ),
)


@given(st.lists(_EVENT, max_size=80))
def test_begin_and_end_take_turns_whatever_is_said(events: list[tuple[float, tuple]]) -> None:
    lamp, now, phases = Lamp(), 0.0, []
    for gap, (what, value) in events:
        now += gap
        if what == "tell":
            lamp = tell(lamp, value, now)
            continue
        lamp, change = witness(lamp, what, value, now)
        if change is not None:
            phases.append(change.phase)
        assert (lamp.fault is not None) == (bool(phases) and phases[-1] == "begin")
    assert phases == [("begin", "end")[index % 2] for index in range(len(phases))]


@given(st.lists(_EVENT, max_size=80))
def test_an_obedient_lamp_has_no_fault(events: list[tuple[float, tuple]]) -> None:
    lamp, now = Lamp(), 0.0
    for gap, (what, value) in events:
        now += gap
        if what == "tell":
            lamp = tell(lamp, value, now)
        else:
            lamp, change = witness(lamp, what, True if what == "answer" else lamp.on, now)
            assert change is None


def test_hours_and_energy_of_an_hour() -> None:
    meter = Meter()
    for _ in range(3600):
        meter = advance(meter, 1.0, 0.5, rated=12.0, watts=None)
    assert meter.burned == pytest.approx(1.0)
    assert meter.used == pytest.approx(6.0)
    assert meter.saved == pytest.approx(6.0)


def test_what_was_measured_wins_over_what_was_worked_out() -> None:
    meter = advance(Meter(), 36.0, 1.0, rated=12.0, watts=15.0)
    assert (meter.used, meter.saved) == (pytest.approx(0.15), pytest.approx(-0.03))
    unrated = advance(Meter(), 36.0, 1.0, rated=None, watts=15.0)
    assert (unrated.used, unrated.saved) == (pytest.approx(0.15), 0.0)


def test_time_that_nobody_watched_counts_as_nothing() -> None:
    assert advance(Meter(), LONGEST_GAP + 1, 1.0, rated=12.0, watts=None) == Meter()
    assert advance(Meter(), -5, 1.0, rated=12.0, watts=None) == Meter()


def test_a_lamp_that_is_off_saves_and_does_not_burn() -> None:
    meter = advance(Meter(), 36.0, 0.0, rated=10.0, watts=None)
    assert (meter.burned, meter.used, meter.saved) == (0.0, 0.0, pytest.approx(0.1))
