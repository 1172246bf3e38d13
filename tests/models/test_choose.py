import numpy as np
import pytest
from choose import iou, match

A = (0.0, 0.0, 10.0, 10.0)
B = (20.0, 20.0, 30.0, 30.0)
NEAR_A = (1.0, 0.0, 11.0, 10.0)


@pytest.mark.parametrize(
    ("boxes", "scores", "truth", "found", "false"),
    [
        ([A], [0.9], [A], 1, 0),
        ([A, NEAR_A], [0.9, 0.8], [A], 1, 1),
        ([A, B], [0.9, 0.8], [A], 1, 1),
        ([NEAR_A], [0.9], [A, B], 1, 0),
        ([], [], [A], 0, 0),
        ([A], [0.9], [], 0, 1),
    ],
)
def test_each_object_is_found_once(
    boxes: list[tuple[float, ...]],
    scores: list[float],
    truth: list[tuple[float, ...]],
    found: int,
    false: int,
) -> None:
    one, two = (np.array(v, float).reshape(-1, 4) for v in (boxes, truth))
    assert match(one, np.array(scores), two, 0.3) == (found, false)


def test_overlap_of_shifted_boxes() -> None:
    assert iou(np.array([A]), np.array([NEAR_A]))[0, 0] == pytest.approx(90 / 110)
