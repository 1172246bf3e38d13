from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.decoder import Decoder, Signature
from edge.detect.yolox import yolox


def decoder(width: int = 416, height: int = 416, classes: int = 3) -> Decoder:
    cells = sum((width // stride) * (height // stride) for stride in (8, 16, 32))
    made = yolox(Signature(((1, 3, height, width),), ((1, cells, 5 + classes),)))
    assert made is not None
    return made


def blank(width: int = 416, height: int = 416, classes: int = 3) -> npt.NDArray[np.float32]:
    cells = sum((width // stride) * (height // stride) for stride in (8, 16, 32))
    return np.zeros((1, cells, 5 + classes), np.float32)


@pytest.mark.parametrize(
    ("row", "stride", "cell"),
    [
        (0, 8, (0, 0)),
        (51, 8, (51, 0)),
        (52, 8, (0, 1)),
        (2703, 8, (51, 51)),
        (2704, 16, (0, 0)),
        (3379, 16, (25, 25)),
        (3380, 32, (0, 0)),
        (3548, 32, (12, 12)),
    ],
)
def test_a_row_lies_in_its_cell(row: int, stride: int, cell: tuple[int, int]) -> None:
    output = blank()
    output[0, row] = [0.5, 0.25, np.log(2), 0, 0.8, 0.1, 0.5, 0.2]
    found = decoder().decode(output, 0.3)
    x, y = (cell[0] + 0.5) * stride, (cell[1] + 0.25) * stride
    expected = [x - stride, y - stride / 2, x + stride, y + stride / 2]
    assert found.boxes[0].tolist() == pytest.approx(expected, abs=1e-3)
    assert found.scores.tolist() == pytest.approx([0.4])
    assert found.classes.tolist() == [1]


def test_a_network_of_any_size_is_read_by_the_size_it_was_given() -> None:
    made = yolox(Signature(((1, 3, None, None),), ((1, None, 8),)))
    assert made is not None
    assert made.wants.around(416, 234) == (416, 256)
    assert made.wants.around(200, 416) == (224, 416)
    assert made.wants.around(416, 416) == (416, 416)
    output = blank(416, 256)
    last = output.shape[1] - 1
    output[0, last] = [0.5, 0.5, 0, 0, 0.8, 0.1, 0.5, 0.2]
    (box,) = made.sized(416, 256).decode(output, 0.3).boxes
    assert box.tolist() == [12 * 32, 7 * 32, 13 * 32, 8 * 32]


def test_a_network_of_any_size_may_say_what_it_does_best_with() -> None:
    open_size = (((1, 3, None, None),), ((1, None, 8),))
    made = yolox(Signature(*open_size, side=352))
    assert made is not None
    assert (made.wants.width, made.wants.height) == (352, 352)
    assert made.wants.around(352, 198) == (352, 224)
    assert yolox(Signature(*open_size, side=350)) is None


@pytest.mark.parametrize(
    ("objectness", "best", "floor", "count"),
    [(0.5, 0.5, 0.25, 1), (0.5, 0.5, 0.26, 0), (0.2, 1.0, 0.3, 0), (np.nan, 1.0, 0.1, 0)],
)
def test_a_score_is_objectness_times_class(
    objectness: float, best: float, floor: float, count: int
) -> None:
    output = blank()
    output[0, 7, 4], output[0, 7, 6] = objectness, best
    assert len(decoder().decode(output, floor).scores) == count


def test_a_broken_output_does_not_overflow() -> None:
    output = blank()
    output[0, 3] = [np.inf, 0, 1e9, 0, 1, 1, 0, 0]
    found = decoder().decode(output, 0.1)
    assert len(found.scores) == 1
    assert len(found.finite().scores) == 0


@given(
    width=st.sampled_from([320, 416, 640]),
    height=st.sampled_from([192, 256, 416]),
    stride=st.sampled_from([8, 16, 32]),
    data=st.data(),
)
def test_any_box_written_into_any_input_size_is_read_back(
    width: int, height: int, stride: int, data: st.DataObject
) -> None:
    column = data.draw(st.integers(0, width // stride - 1))
    row = data.draw(st.integers(0, height // stride - 1))
    size = data.draw(st.tuples(st.floats(1, 600), st.floats(1, 600)))
    offset = data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1)))
    output = blank(width, height)
    before = sum((width // s) * (height // s) for s in (8, 16, 32) if s < stride)
    index = before + row * (width // stride) + column
    output[0, index] = [*offset, *np.log(np.array(size) / stride), 1, 0, 0, 1]
    (box,) = decoder(width, height).decode(output, 0.5).boxes
    centre = ((column + offset[0]) * stride, (row + offset[1]) * stride)
    assert ((box[:2] + box[2:]) / 2).tolist() == pytest.approx(centre, abs=0.02)
    assert (box[2:] - box[:2]).tolist() == pytest.approx(size, rel=1e-3)
