from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.doors.lease import (
    Fact,
    Fire,
    Floor,
    Hold,
    Lease,
    Ordered,
    Passed,
    Release,
    Released,
    Sight,
    Terms,
    Wish,
    step,
)

TERMS = Terms(lease=15.0, renewals=3, decide=3.0, after=4.0, silence=60.0)
MAYBE, SURE = Sight(certain=False), Sight(certain=True)
Script = list[tuple[float, Fact]]


def play(script: Script, terms: Terms = TERMS) -> list[tuple[float, Wish]]:
    lease, told = Lease(), []
    for now, fact in script:
        lease, wish = step(lease, fact, now, terms)
        told += [(now, wish)] if wish is not None else []
    return told


def seen(start: float, end: float, fact: Fact = SURE, every: float = 1.0) -> Script:
    return [(start + n * every, fact) for n in range(int((end - start) / every) + 1)]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param([(0, Passed())], [], id="nothing"),
        pytest.param([(0, MAYBE)], [(0, Hold(15.0))], id="held at the first suspicion"),
        pytest.param(
            [(0, MAYBE), (1, MAYBE), (2.9, MAYBE), (3, MAYBE)],
            [(0, Hold(15.0)), (3, Release())],
            id="let go at once when not confirmed",
        ),
        pytest.param(
            [(0, MAYBE), (2, SURE), (3, SURE), (4, Passed()), (6.9, Passed()), (7, Passed())],
            [(0, Hold(15.0)), (7, Release())],
            id="confirmed, then gone for four seconds",
        ),
        pytest.param(
            [*seen(0, 63), (70, Passed())],
            [(0, Hold(15.0)), (8, Hold(15.0)), (16, Hold(15.0)), (24, Hold(15.0)), (39, Release())],
            id="renewed three times and not once more",
        ),
        pytest.param(
            [*seen(0, 39), *seen(40, 98), (99, SURE)],
            [
                *[(now, Hold(15.0)) for now in (0, 8, 16, 24)],
                (39, Release()),
                (99, Hold(15.0)),
            ],
            id="left alone for a minute after that",
        ),
        pytest.param(
            [(0, MAYBE), (3, Passed()), (4, MAYBE), (6, SURE), (10, Passed()), (12, SURE)],
            [(0, Hold(15.0)), (3, Release()), (6, Hold(15.0)), (10, Release())],
            id="after a mere suspicion only what is certain holds, and that once",
        ),
        pytest.param(
            [(0, MAYBE), (1, Released()), (2, SURE)],
            [(0, Hold(15.0)), (1, Release())],
            id="what staff let go is not held again, not even by what is certain",
        ),
        pytest.param(
            [(0, MAYBE), (5, Ordered(60)), *[(5 + 50 * n, Ordered(60)) for n in (1, 2, 3, 4)]],
            [(0, Hold(15.0)), (5, Hold(60)), (55, Hold(60)), (105, Hold(60)), (155, Hold(60))],
            id="ordered as the suspicion lapses: one hold",
        ),
        pytest.param(
            [(0, SURE), (1, Released()), (2, SURE), (60, SURE), (61, SURE)],
            [(0, Hold(15.0)), (1, Release()), (61, Hold(15.0))],
            id="staff let go, and the edge keeps off",
        ),
        pytest.param(
            [(0, Released()), (1, SURE), (2, Ordered(10)), (70, SURE)],
            [(2, Hold(10)), (70, Release())],
            id="staff let go before anything held it",
        ),
        pytest.param(
            [(0, Ordered(30)), (29, Passed()), (30, Passed())],
            [(0, Hold(30)), (30, Release())],
            id="staff hold it",
        ),
        pytest.param(
            [(61 * n, Ordered(60)) for n in range(6)],
            [*[(61 * n, Hold(60)) for n in range(4)], (244, Release()), (305, Hold(60))],
            id="staff hold it as soon as it was let go, four times in a row",
        ),
        pytest.param([(0, Ordered(600))], [(0, Hold(60))], id="nobody holds longer than a minute"),
        pytest.param(
            [(0, SURE), (1, Fire(on=True)), (2, SURE), (3, Ordered(30))],
            [(0, Hold(15.0)), (1, Release())],
            id="fire mode always wins",
        ),
        pytest.param(
            [(0, Fire(on=True)), (1, Ordered(30)), (2, Fire(on=False)), (3, Ordered(30))],
            [(3, Hold(30))],
            id="after the fire",
        ),
        pytest.param(
            [(0, Floor(allowed=False)), (1, SURE), (2, Ordered(10))],
            [(2, Hold(10))],
            id="on another floor only staff hold",
        ),
        pytest.param(
            [(0, SURE), (100, Passed())], [(0, Hold(15.0)), (100, Release())], id="camera gone"
        ),
        pytest.param(
            [(10, SURE), (5, Passed()), (13.9, Passed()), (14, Passed())],
            [(10, Hold(15.0)), (14, Release())],
            id="a clock that goes back",
        ),
    ],
)
def test_what_becomes_of_a_door(script: Script, told: list[tuple[float, Wish]]) -> None:
    assert play(script) == told


FACTS = st.one_of(
    st.just(MAYBE),
    st.just(SURE),
    st.builds(Ordered, st.floats(1, 1000)),
    st.just(Released()),
    st.builds(Fire, st.booleans()),
    st.builds(Floor, st.booleans()),
    st.just(Passed()),
)
TERMS_OF_ANY = st.builds(
    Terms,
    lease=st.floats(5, 60),
    renewals=st.integers(0, 3),
    decide=st.floats(0.5, 10),
    after=st.floats(0, 30),
    silence=st.floats(5, 120),
)


@given(st.lists(st.tuples(st.floats(0, 20), FACTS), max_size=120), TERMS_OF_ANY)
@settings(max_examples=300)
def test_no_door_is_held_longer_than_its_bounds_and_never_in_a_fire(
    script: list[tuple[float, Fact]], terms: Terms
) -> None:
    now, lease, fire = 0.0, Lease(), False
    relay = held = -inf  # until when the relay itself holds; since when it holds without a break
    for passed, fact in script:
        now += passed
        if now >= relay:
            held = -inf
        lease, wish = step(lease, fact, now, terms)
        fire = fact.on if isinstance(fact, Fire) else fire
        if isinstance(wish, Hold):
            assert 0 < wish.seconds <= 60
            assert not fire
            held = now if held == -inf else held
            relay = now + wish.seconds
            assert relay - held <= 60 * (1 + terms.renewals) + 1e-6
        elif isinstance(wish, Release):
            relay = held = -inf
        if fire:
            assert not lease.held
            assert relay <= now


def test_an_order_as_a_suspicion_lapses_is_bounded_by_the_whole_hold() -> None:
    terms = Terms(lease=15.0, renewals=0, decide=3.0, after=4.0, silence=60.0)
    assert play([(0, MAYBE), (5, Ordered(60)), (60, Passed())], terms) == [
        (0, Hold(15.0)),
        (5, Hold(55.0)),
        (60, Release()),
    ]


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from([MAYBE, SURE])), max_size=200))
def test_held_by_itself_it_rests_between_two_holds(script: list[tuple[float, Fact]]) -> None:
    now, lease, ended, doubted = 0.0, Lease(), -inf, False
    for passed, fact in script:
        now += passed
        before = lease
        lease, wish = step(lease, fact, now, TERMS)
        if before.held and (not lease.held or (isinstance(wish, Hold) and lease.since == now)):
            ended, doubted = now, before.reason == "suspicion"
        if isinstance(wish, Hold) and not before.held:
            certain = fact == SURE
            assert now - ended >= TERMS.silence or (doubted and certain)
        assert not (before.held and now - before.since > 15 * 4 and lease.held)
