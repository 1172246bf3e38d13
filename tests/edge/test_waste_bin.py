"""One bin: bad echoes, lids, fires, lorries and forgotten rounds, by hand and by chance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.waste.bin import QUANTITIES, BinFact, BinState, judge, take
from edge.waste.terms import Terms

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
TERMS = Terms(depth=1.1, brim=0.1, tare=10, load=60)
Said = tuple[float, str, float]
"""Minutes since the start, what, and how much."""


def play(
    said: Iterable[Said], state: BinState | None = None, terms: Terms = TERMS
) -> tuple[BinState, list[BinFact]]:
    facts: list[BinFact] = []
    state = state or BinState()
    for minutes, quantity, value in said:
        state, more = take(state, quantity, value, START + timedelta(minutes=minutes), terms)
        facts += more
    return state, facts


def told(facts: Iterable[BinFact]) -> list[tuple[str, str, str]]:
    return [(one.event, one.phase, one.label) for one in facts]


def echoes(*levels: float, every: float = 10, start: float = 0) -> list[Said]:
    return [(start + i * every, "distance", 1.1 - level) for i, level in enumerate(levels)]


def level_after(*levels: float) -> float | None:
    return play(echoes(*levels))[0].level(START + timedelta(minutes=10 * len(levels)))


def test_a_level_is_believed_when_two_agree_and_follows_what_is_gradual() -> None:
    assert level_after() is None
    assert level_after(0.3) is None
    assert level_after(0.3, 0.32) == pytest.approx(0.31)
    assert level_after(0.3, 0.32, 0.36, 0.4, 0.45) == pytest.approx(0.4)


@pytest.mark.parametrize("bad", [[0.95], [0.95, 0.96], [0.0], [0.9, 0.1], [-5.0], [3.0]])
def test_one_or_two_bad_echoes_move_nothing(bad: list[float]) -> None:
    said = echoes(0.5, 0.5, 0.5, *bad, 0.52, 0.52, 0.52)
    state, facts = play(said)
    assert facts == []
    for count in range(3, len(said) + 1):
        assert play(said[:count])[0].level(START + timedelta(hours=2)) == pytest.approx(
            0.5, abs=0.05
        )
    assert state.odd == sum(not -0.15 <= one <= 1.3 for one in bad)


def test_a_jump_that_stays_is_believed_at_the_third_reading() -> None:
    assert level_after(0.2, 0.2, 0.2, 0.7, 0.7) == pytest.approx(0.2)
    assert level_after(0.2, 0.2, 0.2, 0.7, 0.7, 0.7) == pytest.approx(0.7)


def test_an_open_lid_and_one_just_closed_say_nothing() -> None:
    before = echoes(0.4, 0.4, 0.4)
    lid: list[Said] = [(30, "open", 1), *echoes(0.9, 0.9, 0.9, every=1, start=31), (35, "open", 0)]
    state, facts = play([*before, *lid, *echoes(0.95, every=1, start=35.5)])
    assert facts == []
    assert state.echo.raw == pytest.approx((0.4, 0.4, 0.4))
    state, _ = play(echoes(0.45, 0.46, 0.47, start=40), state)
    assert state.level(START + timedelta(hours=1)) == pytest.approx(0.46)


def test_full_ends_only_well_below_and_says_when_it_overflows() -> None:
    state, facts = play(echoes(0.8, 0.86, 0.9, 0.9, 0.84, 0.86, 0.84, 0.84))
    assert told(facts) == [("bin-full", "begin", "full")]
    state, facts = play(echoes(1.1, 1.1, 1.1, 1.1, start=100), state)
    assert told(facts) == [("bin-full", "update", "overflowing")]
    assert facts[0].severity == "high"
    state, facts = play(echoes(0.1, 0.1, 0.1, start=200), state)
    assert told(facts) == [("bin-full", "end", "overflowing")]
    assert state.emptied == START + timedelta(minutes=220)
    assert state.open == {}


def test_a_full_bin_whose_lid_stands_open_overflows() -> None:
    state, _ = play([*echoes(0.9, 0.9, 0.9), (21, "open", 1)])
    _, facts = judge(state, START + timedelta(minutes=30), TERMS)
    assert facts == []
    _, facts = judge(state, START + timedelta(minutes=31), TERMS)
    assert told(facts) == [("bin-full", "update", "overflowing")]


def test_weight_and_picture_are_witnesses_too_and_the_fullest_counts() -> None:
    weights: list[Said] = [(i, "weight", 55) for i in range(3)]
    state, facts = play([*echoes(0.2, 0.2, 0.2, every=1), *weights])
    assert told(facts) == [("bin-full", "begin", "full")]
    assert state.level(START) == pytest.approx(0.9)
    _, facts = play([(0, "fill-level", 1.0), (0, "overflowing", 1), (5, "overflowing", 0)])
    assert told(facts) == [
        ("bin-full", "begin", "full"),
        ("bin-full", "update", "overflowing"),
        ("bin-full", "update", "full"),
    ]


def test_a_fire_is_critical_at_its_first_reading() -> None:
    state, facts = play([(0, "temperature", 21), (5, "temperature", 71)])
    assert [(one.event, one.severity) for one in facts] == [("bin-fire", "critical")]
    state, facts = play([(10, "temperature", 40), (14, "temperature", 35)], state)
    assert facts == []
    _, facts = play([(15, "temperature", 30)], state)
    assert told(facts) == [("bin-fire", "end", "overheating")]


def test_a_quick_rise_is_a_fire_and_a_summer_day_is_none() -> None:
    _, facts = play([(0, "temperature", 28), (9, "temperature", 47)])
    assert told(facts) == [("bin-fire", "begin", "overheating")]
    summer: list[Said] = [(i * 10, "temperature", 30 + i) for i in range(35)]
    assert play(summer)[1] == []


def test_a_sensor_that_burnt_ends_no_fire() -> None:
    state, _ = play([(0, "temperature", 90)])
    assert judge(state, START + timedelta(days=2), TERMS)[1] == []


def test_a_lorry_tips_a_bin_for_a_moment_and_the_wind_for_longer() -> None:
    assert play([(0, "tilt", 80), (1.5, "tilt", 3)])[1] == []
    state, facts = play([(0, "tilt", 80), (2, "tilt", 82)])
    assert told(facts) == [("bin-tipped", "begin", "tipped")]
    assert facts[0].since == START
    assert told(play([(30, "tilt", 2)], state)[1]) == [("bin-tipped", "end", "tipped")]


def test_a_switch_that_only_knows_whether_it_leans_tells_too() -> None:
    _, facts = play([(0, "tilted", 1), (3, "tilted", 1)])
    assert told(facts) == [("bin-tipped", "begin", "tipped")]
    assert play([(0, "tilt", -80), (3, "tilt", -80)])[1] != []


def test_nobody_came() -> None:
    state, _ = play(echoes(0.9, 0.9))
    due = state.open["bin-full"].since + TERMS.empty_within
    assert judge(state, due - timedelta(seconds=1), TERMS)[1] == []
    state, facts = judge(state, due, TERMS)
    assert told(facts) == [("bin-overdue", "begin", "not-emptied")]
    _, facts = play(echoes(0.0, 0.0, 0.0, start=800), state)
    assert sorted(told(facts)) == [
        ("bin-full", "end", "full"),
        ("bin-overdue", "end", "not-emptied"),
    ]


def test_silence_ends_nothing_and_an_old_level_is_none() -> None:
    state, _ = play(echoes(0.9, 0.9))
    later = START + timedelta(days=3)
    state, _ = judge(state, START + timedelta(hours=13), TERMS)
    assert state.level(later) is None
    assert judge(state, later, TERMS)[1] == []


_QUANTITIES = st.sampled_from(sorted(QUANTITIES))
_VALUES = st.one_of(st.floats(-5, 5), st.floats(0, 200), st.just(float("nan")))


@given(st.lists(st.tuples(st.floats(0, 600), _QUANTITIES, _VALUES), max_size=40))
def test_whatever_comes_each_condition_begins_before_it_changes_or_ends(
    said: list[tuple[float, str, float]],
) -> None:
    minutes = 0.0
    going: dict[str, datetime] = {}
    state = BinState()
    for after, quantity, value in said:
        minutes += after
        now = START + timedelta(minutes=minutes)
        state, facts = take(state, quantity, value, now, TERMS)
        for fact in facts:
            assert (fact.event in going) == (fact.phase != "begin")
            assert fact.since <= fact.at
            if fact.phase == "end":
                assert going.pop(fact.event) == fact.since
            else:
                assert going.setdefault(fact.event, fact.since) == fact.since
        assert set(going) == set(state.open)
        level = state.level(now)
        assert level is None or -0.15 <= level <= 1.3
