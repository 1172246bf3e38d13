from __future__ import annotations

import json

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from beside import SHARED, needs_shared
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.decoder import Decoder, Signature
from edge.detect.detector import load_detector
from edge.detect.fastestdet import fastestdet
from linli.cli.models import command

MODEL = SHARED / "models/fastestdet.onnx"
PHOTOGRAPHS = SHARED / "data/coco-val128"
needs_both = needs_shared("models/fastestdet.onnx", "data/coco-val128")
STRIDE = 16


def decoder(width: int = 352, height: int = 352, classes: int = 3) -> Decoder:
    made = fastestdet(
        Signature(((1, 3, height, width),), ((1, 5 + classes, height // 16, width // 16),))
    )
    assert made is not None
    return made


def blank(width: int = 352, height: int = 352, classes: int = 3) -> npt.NDArray[np.float32]:
    return np.zeros((1, 5 + classes, height // STRIDE, width // STRIDE), np.float32)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 21), (21, 0), (7, 12)])
def test_a_box_lies_at_its_cell_and_is_sized_by_the_input(row: int, column: int) -> None:
    output = blank()
    output[0, :, row, column] = [
        0.8,
        np.arctanh(0.5),
        np.arctanh(-0.25),
        0,
        -np.log(3),
        0.1,
        0.5,
        0,
    ]
    found = decoder().decode(output, 0.3)
    x, y = (column + 0.5) * STRIDE, (row - 0.25) * STRIDE
    assert found.boxes[0].tolist() == pytest.approx([x - 88, y - 44, x + 88, y + 44], abs=1e-3)
    assert found.scores.tolist() == pytest.approx([0.4])
    assert found.classes.tolist() == [1]


@pytest.mark.parametrize(
    ("objectness", "best", "floor", "count"),
    [(0.5, 0.5, 0.25, 1), (0.5, 0.5, 0.26, 0), (0.2, 1.0, 0.3, 0), (np.nan, 1.0, 0.1, 0)],
)
def test_a_score_is_objectness_times_class(
    objectness: float, best: float, floor: float, count: int
) -> None:
    output = blank()
    output[0, 0, 3, 7], output[0, 6, 3, 7] = objectness, best
    assert len(decoder().decode(output, floor).scores) == count


def test_a_broken_output_does_not_overflow() -> None:
    output = blank()
    output[0, :, 2, 3] = [1, np.nan, 0, 1e30, -1e30, 1, 0, 0]
    output[0, :, 9, 9] = [1, 1e30, -1e30, 1e30, -1e30, 0, 1, 0]
    found = decoder().decode(output, 0.1)
    assert len(found.scores) == 2
    assert found.finite().classes.tolist() == [1]


@given(
    width=st.sampled_from([320, 352, 512]),
    height=st.sampled_from([192, 256, 352]),
    data=st.data(),
)
def test_any_box_written_into_any_input_size_is_read_back(
    width: int, height: int, data: st.DataObject
) -> None:
    column = data.draw(st.integers(0, width // STRIDE - 1))
    row = data.draw(st.integers(0, height // STRIDE - 1))
    share = np.array(data.draw(st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99))))
    offset = np.array(data.draw(st.tuples(st.floats(-0.99, 0.99), st.floats(-0.99, 0.99))))
    output = blank(width, height)
    output[0, :, row, column] = [
        1,
        *np.arctanh(offset),
        *np.log(share / (1 - share)),
        *(0, 0, 1),
    ]
    found = decoder(width, height).decode(output, 0.5)
    assert found.classes.tolist() == [2]
    box = found.boxes[0]
    centre = ((column + offset[0]) * STRIDE, (row + offset[1]) * STRIDE)
    assert ((box[:2] + box[2:]) / 2).tolist() == pytest.approx(centre, abs=0.01)
    assert (box[2:] - box[:2]).tolist() == pytest.approx(
        (share * [width, height]).tolist(), rel=1e-3
    )


def overlap(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float((high - low).clip(0).prod())
    return shared / float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


@pytest.mark.shared
@needs_both
@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("000000000285", ["bear"]),
        ("000000004395", ["person", "tie"]),  # upright
        ("000000011122", ["stop-sign"]),  # across
        ("000000011760", ["zebra", "zebra", "zebra"]),
    ],
)
def test_the_real_file_finds_what_is_in_known_photographs(
    picture: str, expected: list[str]
) -> None:
    detector = load_detector(MODEL)
    image = cv2.imread(str(PHOTOGRAPHS / "images" / f"{picture}.jpg"))
    seen = detector.detect(np.asarray(image, np.uint8))
    seen = seen.where(seen.scores >= 0.5)
    assert sorted(seen.names[kind] for kind in seen.classes) == expected
    lines = (PHOTOGRAPHS / "labels" / f"{picture}.txt").read_text().splitlines()
    for line in lines:
        kind, *box = (float(value) for value in line.split())
        centre, half = np.array(box[:2]), np.array(box[2:]) / 2
        truth = np.concatenate((centre - half, centre + half))
        same = seen.boxes[seen.classes == int(kind)]
        assert max(overlap(truth, found.astype(np.float64)) for found in same) > 0.75


@pytest.mark.shared
@needs_both
def test_the_real_file_is_as_good_as_its_reference() -> None:
    """The figures are of a decoder written apart from this one, as its authors describe it."""
    result = CliRunner().invoke(command, ["eval", str(MODEL), str(PHOTOGRAPHS), "--json"])
    measured = json.loads(result.stdout)
    assert measured["AP"] == pytest.approx(0.206, abs=0.005)
    assert measured["AP50"] == pytest.approx(0.357, abs=0.005)
    assert measured["per_class"]["person"]["AP50"] == pytest.approx(0.483, abs=0.005)
