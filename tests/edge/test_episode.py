from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.episode import Change, Seen, Session, Sessions, Sight, Terms, finish, watch

SURE = 0.3
TERMS = Terms(votes=3, of=5, dwell=2.0, gone_after=1.0, cooldown=5.0)
HERE = (0.4, 0.2, 0.5, 0.8)
THERE = (0.8, 0.2, 0.9, 0.8)
Frame = tuple[float, Seen]


def sees(*tracks: int, box: tuple[float, float, float, float] = HERE, score: float = 0.9) -> Seen:
    sights = tuple(Sight(track, box, score, score >= SURE) for track in tracks)
    return Seen(sights, frozenset(tracks))


NOBODY = Seen()


def play(frames: list[Frame], terms: Terms = TERMS) -> list[tuple[str, int, float, float]]:
    """Return (phase, number, now, dwell) of every change."""
    state, told = Sessions(), []
    for now, seen in frames:
        state, changes = watch(state, seen, now, terms)
        told += [
            (change.phase, change.session.number, now, round(change.session.dwell, 3))
            for change in changes
        ]
    return told


def stay(start: float, seconds: float, seen: Seen, step: float = 0.5) -> list[Frame]:
    return [(start + n * step, seen) for n in range(int(seconds / step) + 1)]


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        pytest.param(stay(0, 1.5, sees(1)), [], id="too short"),
        pytest.param(stay(0, 2, sees(1)), [("begin", 1, 2.0, 2.0)], id="long enough"),
        pytest.param(stay(0, 9, sees(1)), [("begin", 1, 2.0, 2.0)], id="begins once"),
        pytest.param(
            [*stay(0, 3, sees(1)), *stay(3.5, 2, NOBODY)],
            [("begin", 1, 2.0, 2.0), ("end", 1, 4.0, 3.0)],
            id="ends when gone",
        ),
        pytest.param(
            [*stay(0, 1.5, sees(1)), *stay(2, 5, NOBODY)], [], id="dropped without a word"
        ),
        pytest.param(
            [*stay(0, 1, sees(1)), (1.2, NOBODY), *stay(1.5, 1, sees(1))],
            [("begin", 1, 2.0, 2.0)],
            id="one miss does not matter",
        ),
        pytest.param(
            [*stay(0, 1, sees(1)), (2, NOBODY), (2.5, sees(1)), (3, sees(1)), (3.5, sees(1))],
            [],
            id="a long gap starts again",
        ),
        pytest.param(
            stay(0, 4.5, sees(1), 1.5),
            [("begin", 1, 3.0, 2.0)],
            id="frames further apart than gone_after, each with the sight",
        ),
        pytest.param(
            [*stay(0, 3, sees(1)), *stay(6, 3, sees(1)), (10, NOBODY)],
            [("begin", 1, 2.0, 2.0), ("end", 1, 10, 7.0)],
            id="a stall splits nothing and counts as gone_after",
        ),
        pytest.param(
            [*stay(0, 3, sees(1)), *stay(6, 3, sees(8)), (10, NOBODY)],
            [("begin", 1, 2.0, 2.0), ("end", 1, 10, 7.0)],
            id="the tracker changed the number over a stall",
        ),
        pytest.param(
            [*stay(0, 1.5, sees(1)), (6, sees(1)), (6.5, sees(1))],
            [("begin", 1, 6, 2.5)],
            id="a stall before it was believed",
        ),
        pytest.param(
            [*stay(0, 3, sees(1)), (6, NOBODY), (6.5, sees(1))],
            [("begin", 1, 2.0, 2.0), ("end", 1, 6, 3.0)],
            id="gone in the first look after a stall",
        ),
        pytest.param(
            [*stay(0, 3, sees(1)), *stay(13.5, 3, sees(1))],
            [("begin", 1, 2.0, 2.0), ("end", 1, 13.5, 3.0), ("begin", 2, 18.5 - 3, 2.0)],
            id="nobody looked for longer than anyone would bridge",
        ),
        pytest.param(
            [
                (0, sees(1)),
                *stay(0.1, 0.7, NOBODY, 0.1),
                (0.9, sees(1)),
                *stay(1, 0.7, NOBODY, 0.1),
                (1.8, sees(1)),
                (1.9, NOBODY),
                (2.2, sees(1)),
            ],
            [],
            id="dwell without the votes",
        ),
        pytest.param(
            [*stay(0, 1, sees(1)), *stay(1.5, 2, sees(2))],
            [("begin", 1, 2.0, 2.0)],
            id="the tracker changed the number",
        ),
        pytest.param(
            [*stay(0, 1, sees(1)), *stay(1.5, 2, sees(2, box=THERE))],
            [("begin", 2, 3.5, 2.0)],
            id="another one elsewhere",
        ),
        pytest.param(
            [*stay(0, 1, sees(1)), *stay(1.5, 2.5, sees(1, 2))],
            [("begin", 1, 2.0, 2.0), ("begin", 2, 3.5, 2.0)],
            id="two at one place are two",
        ),
        pytest.param(
            [*stay(0, 2, sees(1)), *stay(2.5, 0.5, NOBODY), *stay(3.5, 4, sees(1))],
            [("begin", 1, 2.0, 2.0), ("end", 1, 3.0, 2.0)],
            id="back during cooldown",
        ),
        pytest.param(
            [*stay(0, 2, sees(1)), *stay(2.5, 0.5, NOBODY), *stay(3.5, 7, sees(1))],
            [("begin", 1, 2.0, 2.0), ("end", 1, 3.0, 2.0), ("begin", 2, 10.0, 2.0)],
            id="still there after cooldown",
        ),
        pytest.param(
            [*stay(0, 2, sees(1)), *stay(2.5, 0.5, NOBODY), *stay(3.5, 2, sees(7, box=THERE))],
            [("begin", 1, 2.0, 2.0), ("end", 1, 3.0, 2.0), ("begin", 2, 5.5, 2.0)],
            id="cooldown holds nobody else back",
        ),
        pytest.param(stay(0, 9, sees(1, score=0.2)), [], id="never sure"),
        pytest.param(
            [*stay(0, 2, sees(1)), *stay(2.5, 3, sees(1, score=0.2))],
            [("begin", 1, 2.0, 2.0)],
            id="unsure sights keep it going",
        ),
        pytest.param(
            [(0, sees(1)), *stay(0.5, 1.5, sees(1, score=0.2)), *stay(2.5, 1, sees(1))],
            [("begin", 1, 3.5, 3.5)],
            id="votes must be of the last five",
        ),
        pytest.param([(0, sees(1)), (1, NOBODY), (1.5, sees(1))], [], id="exactly gone is gone"),
    ],
)
def test_what_is_told(frames: list[Frame], told: list[tuple[str, int, float, float]]) -> None:
    assert play(frames) == told


def test_a_visible_track_outside_the_zone_hands_nothing_over() -> None:
    outside = Seen((Sight(2, HERE, 0.9, sure=True),), frozenset({1, 2}))
    frames = [*stay(0, 1, sees(1)), *stay(1.5, 2, outside)]
    assert play(frames) == [("begin", 2, 3.5, 2.0)]


def test_a_hand_over_goes_to_the_nearest() -> None:
    left, right = (0.1, 0.2, 0.3, 0.8), (0.35, 0.2, 0.55, 0.8)
    first, second = Sight(1, left, 0.9, sure=True), Sight(2, right, 0.9, sure=True)
    both = Seen((first, second), frozenset({1, 2}))
    again = (replace(second, track=3), replace(first, track=4))
    renamed = Seen(again, frozenset({3, 4}))
    state, _ = watch(Sessions(), both, 0.0, TERMS)
    state, _ = watch(state, renamed, 0.2, TERMS)
    assert {session.number: session.track for session in state.sessions} == {1: 4, 2: 3}


def test_without_cooldown_the_next_begins_at_once() -> None:
    terms = replace(TERMS, cooldown=0, dwell=0, votes=1, of=1)
    frames = [(0.0, sees(1)), (1.0, NOBODY), (1.2, sees(1))]
    assert play(frames, terms) == [
        ("begin", 1, 0.0, 0.0),
        ("end", 1, 1.0, 0.0),
        ("begin", 2, 1.2, 0.0),
    ]


def test_finish_ends_only_what_began() -> None:
    state = Sessions()
    for now, seen in stay(0, 2, sees(1)):
        state, _ = watch(state, seen, now, TERMS)
    state, _ = watch(state, sees(1, 2, box=THERE), 2.5, TERMS)
    state, changes = finish(state)
    assert [(change.phase, change.session.number) for change in changes] == [("end", 1)]
    assert finish(state)[1] == []


def test_sessions_in_cooldown_are_bounded_and_the_oldest_go_first() -> None:
    quiet = [
        Session(n, "cooldown", n, (0, 0, 0, 0), 0.0, 1.0, (True,), 0.9, ended=2.0)
        for n in range(300)
    ]
    state, changes = watch(Sessions(tuple(quiet), 299, 2.0), sees(999), 2.5, TERMS)
    assert changes == []
    assert [session.number for session in state.sessions] == [*range(44, 300), 300]


boxes = st.sampled_from([HERE, THERE, (0.42, 0.2, 0.52, 0.8), (0.1, 0.1, 0.9, 0.9)])
sights = st.builds(
    Sight, track=st.integers(1, 4), box=boxes, score=st.floats(0.1, 1), sure=st.booleans()
)
frames_of_any_kind = st.lists(
    st.tuples(
        st.one_of(st.floats(-5, 5), st.floats(0, 0.5)),
        st.lists(sights, max_size=3, unique_by=lambda sight: sight.track),
        st.frozensets(st.integers(1, 4)),
    ),
    max_size=40,
)
any_terms = st.builds(
    Terms,
    votes=st.integers(1, 3),
    of=st.integers(3, 5),
    dwell=st.floats(0, 2),
    gone_after=st.floats(0.1, 3),
    cooldown=st.floats(0, 3),
)


@given(frames_of_any_kind, any_terms)
def test_an_end_follows_a_begin_and_each_comes_once_even_when_time_jumps(
    frames: list[tuple[float, list[Sight], frozenset[int]]], terms: Terms
) -> None:
    state, now = Sessions(), 50.0
    told: list[Change] = []
    for passed, seen, outside in frames:
        now += passed
        visible = outside | {sight.track for sight in seen}
        state, changes = watch(state, Seen(tuple(seen), visible), now, terms)
        told += changes
        numbers = [session.number for session in state.sessions]
        assert len(set(numbers)) == len(numbers)
        assert all(session.dwell >= 0 for session in state.sessions)
    state, changes = finish(state)
    told += changes
    counts = Counter((change.session.number, change.phase) for change in told)
    assert all(count == 1 for count in counts.values())
    order = [(change.session.number, change.phase) for change in told]
    for number in {number for number, _ in order}:
        phases = [phase for other, phase in order if other == number]
        assert phases == ["begin", "end"]
    for change in told:
        assert change.session.dwell >= 0
        if change.phase == "begin":
            assert change.session.dwell >= terms.dwell
            assert sum(change.session.ballots) >= terms.votes
