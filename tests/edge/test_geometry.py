from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.geometry import contains, iou, widened
from edge.settings import Zone
from edge.zones import anchors, inside

L_SHAPE = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0))
unit = st.floats(0, 1)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((0, 0, 1, 1), (0, 0, 1, 1), 1.0),
        ((0, 0, 1, 1), (0.5, 0, 1, 1), 0.5),
        ((0, 0, 0.5, 1), (0.5, 0, 1, 1), 0.0),
        ((0, 0, 0.6, 1), (0.4, 0, 1, 1), 0.2),
        ((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5), 0.0),
    ],
)
def test_iou(left: tuple[float, ...], right: tuple[float, ...], expected: float) -> None:
    assert iou(np.array([left]), np.array([right])) == pytest.approx(expected)


@given(st.lists(st.tuples(unit, unit, unit, unit), min_size=1, max_size=6))
def test_iou_is_a_share_and_the_same_both_ways(rows: list[tuple[float, ...]]) -> None:
    corners = np.array(rows)
    boxes = np.concatenate(
        (np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])), 1
    )
    overlaps = iou(boxes, boxes)
    assert ((overlaps >= 0) & (overlaps <= 1 + 1e-9)).all()
    assert np.allclose(overlaps, overlaps.T)


def test_widened() -> None:
    assert widened(np.array([[0.4, 0.2, 0.6, 0.6]]), 0.5)[0] == pytest.approx([0.3, 0.0, 0.7, 0.8])


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((0.2, 0.2), True),
        ((0.8, 0.2), True),
        ((0.2, 0.8), True),
        ((0.8, 0.8), False),
        ((1.2, 0.2), False),
    ],
)
def test_points_in_a_polygon_with_a_dent(point: tuple[float, float], expected: bool) -> None:
    polygon = np.array(L_SHAPE)
    assert contains(polygon, np.array([point])).tolist() == [expected]
    assert contains(polygon[::-1], np.array([point])).tolist() == [expected]


@given(unit, unit, st.integers(0, 3))
def test_inside_does_not_depend_on_where_the_polygon_begins(x: float, y: float, by: int) -> None:
    square = np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])
    point = np.array([(x, y)])
    turned = contains(np.roll(square, by, axis=0), point)[0]
    assert turned == contains(square, point)[0]
    if 0.25 < x < 0.75 and 0.25 < y < 0.75:
        assert turned


def test_anchors() -> None:
    boxes = np.array([[0.2, 0.1, 0.4, 0.9]])
    assert anchors(boxes, "bottom-center")[0] == pytest.approx([0.3, 0.9])
    assert anchors(boxes, "center")[0] == pytest.approx([0.3, 0.5])


@pytest.mark.parametrize(
    ("box", "anchor", "expected"),
    [
        ((0.4, 0.1, 0.6, 0.8), "bottom-center", True),
        ((0.4, 0.1, 0.6, 0.4), "bottom-center", False),
        ((0.4, 0.1, 0.6, 1.0), "bottom-center", True),
        ((0.9, 0.1, 1.0, 1.0), "bottom-center", True),
        ((0.4, 0.1, 0.6, 0.8), "center", False),
    ],
)
def test_who_stands_in_a_zone_drawn_to_the_edge(
    box: tuple[float, ...], anchor: str, expected: bool
) -> None:
    lower_half = Zone(id="z", points=((0, 0.5), (1, 0.5), (1, 1), (0, 1)), anchor=anchor)  # type: ignore[arg-type]
    assert inside(lower_half, np.array([box])).tolist() == [expected]


def test_a_zone_with_nobody() -> None:
    zone = Zone(id="z", points=((0, 0), (1, 0), (1, 1)))
    assert inside(zone, np.empty((0, 4))).tolist() == []
