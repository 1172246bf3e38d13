from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import regions
from edge.detect.detections import Detections

HD, NET = (1920, 1080), (416, 416)
NAMES = ("person", "e-bike", "bicycle")


def seen(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), NAMES)


@pytest.mark.parametrize(
    ("picture", "helps"), [(HD, True), ((768, 432), True), ((416, 240), False), ((600, 400), False)]
)
def test_a_closer_look_helps_where_the_whole_is_made_smaller(
    picture: regions.Size, helps: bool
) -> None:
    assert regions.helps(picture, NET) is helps


def test_small_is_what_the_networks_input_has_few_pixels_of() -> None:
    boxes = np.array([[0.5, 0.5, 0.53, 0.6], [0.1, 0.1, 0.4, 0.9]])
    assert regions.small(boxes, HD, NET).tolist() == boxes[:1].tolist()
    assert regions.small(np.empty((0, 4)), HD, NET).shape == (0, 4)
    assert regions.small(boxes[:1], (300, 200), NET).tolist() == boxes[:1].tolist()


def test_apart_are_boxes_whose_middle_nothing_known_has() -> None:
    boxes = np.array([[0.4, 0.4, 0.5, 0.5], [0.8, 0.8, 0.9, 0.9]])
    known = np.array([[0.0, 0.0, 0.6, 0.6]])
    assert regions.apart(boxes, known).tolist() == boxes[1:].tolist()
    assert regions.apart(boxes, np.empty((0, 4))).tolist() == boxes.tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.98), st.floats(0, 0.95)), min_size=1, max_size=12))
def test_each_small_box_is_whole_in_one_window_of_the_inputs_size(
    corners: list[tuple[float, float]],
) -> None:
    boxes = np.array([(x, y, x + 0.02, y + 0.05) for x, y in corners])
    chosen = regions.windows(boxes, HD, NET)
    assert len(chosen) <= len(boxes)
    assert all((c - a, d - b) == NET for a, b, c, d in chosen)
    assert all(a >= 0 and b >= 0 and c <= HD[0] and d <= HD[1] for a, b, c, d in chosen)
    for x1, y1, x2, y2 in boxes * np.array([*HD, *HD]):
        assert any(
            a <= x1 + 1 and b <= y1 + 1 and x2 <= c + 1 and y2 <= d + 1 for a, b, c, d in chosen
        )


def test_a_picture_smaller_than_the_input_is_its_own_window() -> None:
    assert regions.windows(np.array([[0.5, 0.5, 0.6, 0.6]]), (300, 200), NET) == [(0, 0, 300, 200)]


@pytest.mark.parametrize("picture", [HD, (768, 432), (416, 416), (2560, 1440)])
def test_a_sweep_shows_all_and_what_one_window_cuts_the_next_has_whole(
    picture: regions.Size,
) -> None:
    every = regions.sweep(picture, NET, [])
    covered = np.zeros(picture[::-1], bool)
    for x1, y1, x2, y2 in every:
        assert (x2 - x1, y2 - y1) == NET
        covered[y1:y2, x1:x2] = True
    assert covered.all()
    columns = sorted({one[0] for one in every})
    assert all(right - left <= NET[0] * 0.75 + 1 for left, right in pairwise(columns))


def test_a_sweep_keeps_to_the_zones() -> None:
    zone = (0.0, 0.0, 0.1, 0.1)
    assert regions.sweep(HD, NET, [zone]) == [(0, 0, 416, 416)]
    assert regions.sweep(HD, NET, [zone, (0.0, 0.0, 1.0, 1.0)]) == regions.sweep(HD, NET, [])


def test_what_is_found_in_a_window_lies_in_the_picture_and_cut_things_are_left_out() -> None:
    window = (960, 540, 1376, 956)
    found = seen(
        (0.5, 0.5, 0.75, 0.75, 0.9, 0),
        (0.0, 0.2, 0.2, 0.4, 0.8, 0),  # goes on to the left
        (0.5, 0.8, 0.6, 1.0, 0.7, 1),  # goes on below
    )
    lifted = regions.lifted(found, window, HD)
    assert lifted.scores.tolist() == pytest.approx([0.9])
    x1, y1, x2, y2 = (lifted.boxes[0] * np.array([*HD, *HD])).tolist()
    assert (x1, y1, x2, y2) == pytest.approx((1168, 748, 1272, 852), abs=0.5)


def test_at_the_pictures_own_edge_nothing_is_cut() -> None:
    found = seen((0.0, 0.0, 0.2, 0.2, 0.8, 0))
    assert len(regions.lifted(found, (0, 0, 416, 416), HD)) == 1
    assert len(regions.lifted(found, (1, 0, 417, 416), HD)) == 0
    corner = (HD[0] - 416, HD[1] - 416, *HD)
    assert len(regions.lifted(seen((0.8, 0.8, 1.0, 1.0, 0.8, 0)), corner, HD)) == 1


def test_what_several_looks_show_is_there_once_rivals_included() -> None:
    whole = seen((0.1, 0.1, 0.2, 0.3, 0.4, 2), (0.5, 0.5, 0.6, 0.7, 0.6, 0))
    closer = seen((0.1, 0.1, 0.2, 0.31, 0.9, 1), (0.5, 0.5, 0.6, 0.7, 0.3, 1))
    rivals = np.array([0, 1, 1])
    found = regions.merged(whole, [closer], rivals)
    assert [NAMES[kind] for kind in found.classes] == ["e-bike", "person", "e-bike"]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6, 0.3])
    apart = regions.merged(whole, [closer], np.array([0, 1, 2]))
    assert len(apart) == 4
    assert len(regions.merged(seen(), [seen()], rivals)) == 0
