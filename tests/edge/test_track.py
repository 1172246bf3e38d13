from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.track import FollowRules, Objects, Tracks, follow, hold

RULES = FollowRules(life=2.0, unwatched=10.0)
Row = tuple[float, float, float, int]  # centre x, centre y, score, kind


def objects(*rows: Row) -> Objects:
    table = np.array([(x - 0.05, y - 0.15, x + 0.05, y + 0.15) for x, y, _, _ in rows])
    return Objects(
        table.reshape(-1, 4).astype(np.float32),
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.int64),
        np.array([row[2] >= 0.3 for row in rows], np.bool_),
    )


def run(*frames: tuple[float, list[Row]]) -> list[dict[int, float]]:
    """Return, for each (time, rows), the visible ids with their centre x."""
    state, seen = Tracks(), []
    for now, rows in frames:
        state = follow(state, objects(*rows), now, RULES)
        seen.append({t.id: round((t.box[0] + t.box[2]) / 2, 3) for t in state.visible()})
    return seen


def test_someone_walking_keeps_the_number() -> None:
    frames = [(n / 5, [(0.1 + 0.03 * n, 0.5, 0.9, 0)]) for n in range(20)]
    assert [list(seen) for seen in run(*frames)] == [[1]] * 20


def test_two_who_cross_keep_their_numbers() -> None:
    frames = [
        (n / 5, [(0.1 + 0.04 * n, 0.5, 0.9, 0), (0.9 - 0.04 * n, 0.6, 0.8, 0)]) for n in range(20)
    ]
    seen = run(*frames)
    assert seen[0] == {1: 0.1, 2: 0.9}
    assert seen[-1] == {1: 0.86, 2: 0.14}


@pytest.mark.parametrize(
    ("gap", "number"),
    [(0.4, 1), (1.0, 1), (2.0, 1), (2.4, 2)],
)
def test_a_number_outlives_a_gap_by_clock_time(gap: float, number: int) -> None:
    walked = 0.05 * min(gap, 1.0)  # a slow walk of 0.05 per second
    seen = run(
        (0.0, [(0.5, 0.5, 0.9, 0)]),
        (0.2, [(0.51, 0.5, 0.9, 0)]),
        (0.3, []),
        (0.1 + gap, []),
        (0.2 + gap, [(0.51 + walked, 0.5, 0.9, 0)]),
    )
    assert list(seen[-1]) == [number]
    assert seen[2] == {}


@pytest.mark.parametrize(("gap", "number"), [(3.0, 1), (9.9, 1), (10.1, 2)])
def test_a_number_outlives_a_gap_in_which_nobody_looked(gap: float, number: int) -> None:
    seen = run((0.0, [(0.5, 0.5, 0.9, 0)]), (gap, [(0.5, 0.5, 0.9, 0)]))
    assert list(seen[-1]) == [number]


def test_the_prediction_carries_a_fast_one_over_a_gap() -> None:
    fast = [(n / 5, [(0.1 + 0.05 * n, 0.5, 0.9, 0)]) for n in range(5)]
    seen = run(*fast, (1.0, []), (1.2, []), (1.4, [(0.45, 0.5, 0.9, 0)]))
    assert seen[-1] == {1: 0.45}


def test_who_was_hidden_for_long_is_met_where_the_way_goes_on() -> None:
    fast = [(n / 5, [(0.1 + 0.06 * n, 0.5, 0.9, 0)]) for n in range(5)]
    hidden = [(1.0 + n / 5, []) for n in range(7)]
    seen = run(*fast, *hidden, (2.4, [(0.82, 0.5, 0.9, 0)]))
    assert seen[-1] == {1: 0.82}


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_noise_in_the_boxes_does_no_more_at_high_rates(fps: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.004, (6 * fps, 2))
    walking = [
        (n / fps, [(0.2 + 0.1 * n / fps + noise[n, 0], 0.5 + noise[n, 1], 0.9, 0)])
        for n in range(4 * fps)
    ]
    hidden = [(4 + n / fps, []) for n in range(fps)]
    seen = run(*walking, *hidden, (5.0, [(0.7, 0.5, 0.9, 0)]))
    assert seen[-1] == {1: 0.7}


def test_a_first_jump_wider_than_the_box_overlap_is_followed() -> None:
    seen = run((0.0, [(0.3, 0.5, 0.9, 0)]), (0.2, [(0.39, 0.5, 0.9, 0)]))
    assert seen[-1] == {1: 0.39}


def test_the_unsure_keep_a_track_but_start_none() -> None:
    seen = run(
        (0.0, [(0.5, 0.5, 0.2, 0)]),
        (0.2, [(0.5, 0.5, 0.9, 0)]),
        (0.4, [(0.5, 0.5, 0.15, 0), (0.9, 0.5, 0.15, 0)]),
        (0.6, [(0.5, 0.5, 0.9, 0)]),
    )
    assert [list(ids) for ids in seen] == [[], [1], [1], [1]]


def test_an_unsure_box_does_not_take_a_track_from_a_sure_one() -> None:
    seen = run((0.0, [(0.5, 0.5, 0.9, 0)]), (0.2, [(0.5, 0.5, 0.2, 0), (0.52, 0.5, 0.9, 0)]))
    assert seen[-1] == {1: 0.52}


def test_kinds_are_not_mixed() -> None:
    seen = run((0.0, [(0.5, 0.5, 0.9, 0)]), (0.2, [(0.5, 0.5, 0.9, 1)]))
    assert list(seen[-1]) == [2]


rows = st.lists(
    st.tuples(st.floats(0.05, 0.95), st.floats(0.15, 0.85), st.floats(0.1, 1), st.integers(0, 1)),
    max_size=5,
)


@given(st.lists(st.tuples(st.floats(-3, 3), rows), max_size=12))
def test_whatever_comes_numbers_are_unique_and_times_go_forward(
    steps: list[tuple[float, list[Row]]],
) -> None:
    state, now, frames = Tracks(), 100.0, 0
    for passed, frame in steps:
        now += passed
        before = state
        state = follow(state, objects(*frame), now, RULES)
        frames += len(frame)
        assert state.now >= before.now
        ids = [track.id for track in state.tracks]
        assert len(set(ids)) == len(ids)
        assert all(track.id <= state.last for track in state.tracks)
        assert all(track.first <= track.seen <= state.now for track in state.tracks)
        assert len(state.visible()) <= len(frame)
        assert sum(track.frames for track in state.tracks) <= frames


def test_those_whose_time_is_over_are_counted_once_they_were_followed() -> None:
    both, one = objects((0.2, 0.5, 0.9, 0), (0.7, 0.5, 0.8, 0)), objects((0.2, 0.5, 0.9, 0))
    state = follow(Tracks(), both, 0.0, RULES)
    gone = follow(state, one, 2.1, RULES)
    assert (len(gone.tracks), gone.ended) == (1, 0), "seen once, it was not followed"
    state = follow(state, both, 0.2, RULES)
    state = follow(state, one, 2.1, RULES)
    assert (len(state.tracks), state.ended) == (2, 0)
    state = follow(state, one, 2.3, RULES)
    assert (len(state.tracks), state.ended) == (1, 1)
    assert follow(state, one, 2.4, RULES).ended == 1


def test_held_ones_whose_time_is_over_are_counted_too() -> None:
    state = Tracks()
    for now in (0.0, 0.2):
        state = follow(state, objects((0.2, 0.5, 0.9, 0), (0.7, 0.5, 0.8, 0)), now, RULES)
    state = follow(state, objects((0.2, 0.5, 0.9, 0)), 0.4, RULES)
    state = hold(state, 2.3, RULES)
    assert (len(state.tracks), state.ended) == (1, 1)
