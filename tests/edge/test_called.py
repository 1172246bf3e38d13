"""What a thing was called so far: facts and times in, shares out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.called import BELIEVED, Called, call, rest
from edge.detect.detections import Detections
from edge.geometry import Box

NAMES = ("person", "ebike", "bicycle", "wheelchair")
MINE, RIVALS = {1}, np.array([1, 2, 3])
HERE, THERE = (0.1, 0.3, 0.4, 0.8), (0.6, 0.3, 0.9, 0.8)
PERIOD, MEMORY = 0.2, 3.0
KINDS = {"p": 0, "e": 1, "b": 2, "w": 3}


def frame(*rows: tuple[str, float, Box]) -> Detections:
    boxes = np.array([box for _, _, box in rows], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in rows], np.float32)
    return Detections(boxes, scores, np.array([KINDS[kind] for kind, _, _ in rows], int), NAMES)


def place(box: Box) -> Box:
    """Return a box as it is found: of single precision."""
    x1, y1, x2, y2 = (float(np.float32(side)) for side in box)
    return (x1, y1, x2, y2)


def heard(script: str, state: Called | None = None, *, score: float = 0.8) -> Called:
    """Return what a thing HERE was called, a letter a frame; `.` shows nothing."""
    state = state or Called()
    for kind in script:
        rows = [(kind, score, HERE)] if kind != "." else []
        state = call(state, frame(*rows), RIVALS, state.at + PERIOD, MEMORY)
    return state


def share(state: Called, box: Box = HERE) -> float:
    return state.share(place(box), MINE)


@pytest.mark.parametrize(
    ("script", "believed"),
    [
        ("e", True),
        ("we", True),
        ("wwe", True),  # a third and a little, since older ones count less
        ("wwwe", False),
        ("bbbwwe", False),
        ("bbbbbbee", False),
        ("bbbbeee", True),
        ("eeew", True),
        ("ewewew", True),
        ("ewwewwewwe", True),
        ("wwwewwwewwwe", False),
        ("w" * 10 + "." * 12 + "e", False),
        ("w" * 10 + "." * 16 + "e", True),
        ("ppppe", True),
    ],
)
def test_it_is_what_a_third_of_the_newest_frames_call_it(script: str, believed: bool) -> None:
    assert (share(heard(script)) >= BELIEVED) is believed


def test_a_sure_frame_says_more_than_an_unsure_one() -> None:
    unsure = heard("bbbb", score=0.15)
    assert share(heard("e", unsure)) > 0.5
    assert share(heard("e", heard("bbbb", score=0.8), score=0.15)) < 0.1


def test_whatever_it_was_before_an_e_bike_that_stays_one_is_believed_within_two_seconds() -> None:
    state = heard("w" * 500)
    frames = 0
    while share(state) < BELIEVED:
        state, frames = heard("e", state), frames + 1
    assert 1.5 < frames * PERIOD < 2.0


def test_what_stands_beside_it_says_nothing_of_it() -> None:
    state = Called()
    for number in range(10):
        rows = [("w", 0.9, HERE), ("e", 0.5, THERE)][: 1 + number // 9]
        state = call(state, frame(*rows), RIVALS, number * PERIOD, MEMORY)
    assert share(state, THERE) == 1.0
    assert share(state, HERE) == 0.0


def test_it_is_followed_where_it_goes() -> None:
    state = Called()
    for number in range(10):
        x = 0.05 * number
        box = (0.1 + x, 0.3, 0.4 + x, 0.8)
        kind = "e" if number == 9 else "w"
        state = call(state, frame((kind, 0.8, box)), RIVALS, number * PERIOD, MEMORY)
    assert share(state, box) < 0.15


def test_nobody_says_anything_while_nothing_moves_and_it_is_forgotten_all_the_same() -> None:
    state = heard("w" * 10)
    for _ in range(300):
        state = rest(state, state.things.now + PERIOD, MEMORY)
    assert share(state) == 0.0
    assert share(call(state, frame(("e", 0.8, HERE)), RIVALS, state.things.now, MEMORY)) > 0.99


def test_of_what_nobody_follows_nothing_is_doubted() -> None:
    assert share(Called()) == 1.0
    assert share(heard("w"), THERE) == 1.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("ebwp."), st.floats(0.1, 1))))
def test_whatever_comes_a_share_is_one_and_little_is_kept(
    steps: list[tuple[float, str, float]],
) -> None:
    state, now = Called(), 100.0
    for passed, kind, score in steps:
        now += passed
        rows = [(kind, score, HERE)] if kind != "." else []
        state = call(state, frame(*rows), RIVALS, now, MEMORY)
        assert 0 <= share(state) <= 1
        assert len(state.sums) == len(state.things.tracks) <= 1
        assert all(len(sums) <= len(RIVALS) for sums in state.sums.values())
