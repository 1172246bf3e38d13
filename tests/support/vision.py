"""A tiny real ONNX model and clips to match: bright squares are people, nothing else is.

The model has YOLOX's layout for a 416 × 416 input: output [1, 3549, 85], grid not decoded. It finds
the centre of brightness around each stride-32 cell, so a bright square of SQUARE pixels (at the
model's scale) gives one exact box of class 0, whichever cell answers.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, save

WIDTH, HEIGHT, FPS = 416, 240, 10.0
SQUARE = 72
ZONE = ((0.25, 0.0), (0.75, 0.0), (0.75, 1.0), (0.25, 1.0))  # the middle half of the picture
_SIZE, _STRIDE, _KERNEL = 416, 32, 160
_CELLS = _SIZE // _STRIDE
_FULL = (SQUARE / _KERNEL) ** 2  # mean brightness of a window that holds the whole square

Image = npt.NDArray[np.uint8]


def bright_square_model(path: Path) -> Path:
    """Write the model and return its path."""
    axis = (np.arange(_SIZE, dtype=np.float32) + 0.5)[None, None]
    constants = {
        "dark": np.float32(128),
        "range": np.float32(127),
        "tiny": np.float32(1e-6),
        "xs": axis[:, :, None, :],
        "ys": axis[:, :, :, None],
        "gx": np.tile(np.arange(_CELLS, dtype=np.float32), (_CELLS, 1))[None, None],
        "gy": np.tile(np.arange(_CELLS, dtype=np.float32)[:, None], (1, _CELLS))[None, None],
        "stride": np.float32(_STRIDE),
        "most": np.float32(0.8 * _FULL),
        "steep": np.float32(5 / _FULL),
        "zero": np.float32(0),
        "sure": np.float32(0.9),
        "size": np.full((1, 2, _CELLS, _CELLS), np.log(SQUARE / _STRIDE), np.float32),
        "classes": np.eye(1, 80, dtype=np.float32)[:, :, None, None]
        * np.ones((1, 1, _CELLS, _CELLS), np.float32),
        "flat": np.array([1, 85, _CELLS * _CELLS], np.int64),
        "finer": np.array([1, 52 * 52 + 26 * 26, 85], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["images"], ["grey"], axes=[1], keepdims=1),
        node("Sub", ["grey", "dark"], ["above"]),
        node("Relu", ["above"], ["lit"]),
        node("Div", ["lit", "range"], ["light"]),
        *_window("light", "sum"),
        node("Add", ["sum", "tiny"], ["weight"]),
    ]
    for name, axis_name, grid in (("cx", "xs", "gx"), ("cy", "ys", "gy")):
        nodes += [
            node("Mul", ["light", axis_name], [f"{name}_light"]),
            *_window(f"{name}_light", f"{name}_sum"),
            node("Div", [f"{name}_sum", "weight"], [f"{name}_px"]),
            node("Div", [f"{name}_px", "stride"], [f"{name}_cell"]),
            node("Sub", [f"{name}_cell", grid], [name]),
        ]
    nodes += [
        node("Sub", ["sum", "most"], ["over"]),
        node("Mul", ["over", "steep"], ["steeper"]),
        node("Clip", ["steeper", "zero", "sure"], ["objectness"]),
        node("Concat", ["cx", "cy", "size", "objectness", "classes"], ["map"], axis=1),
        node("Reshape", ["map", "flat"], ["columns"]),
        node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        node("ConstantOfShape", ["finer"], ["others"]),
        node("Concat", ["others", "rows"], ["output"], axis=1),
    ]
    return _save(path, nodes, constants, [1, 3549, 85])


def blind_model(path: Path) -> Path:
    """Write a model of the same layout that sees nothing, and is loaded and run in no time."""
    constants = {"zero": np.float32(0), "shape": np.array([1, 3549, 85], np.int64)}
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Expand", ["nothing", "shape"], ["output"]),
    ]
    return _save(path, nodes, constants, [1, 3549, 85])


def model_of_unknown_family(path: Path) -> Path:
    """Write a valid ONNX model whose output no detector family has."""
    nodes = [helper.make_node("ReduceMean", ["images"], ["output"], axes=[1, 2, 3], keepdims=0)]
    return _save(path, nodes, {}, [1])


def square_clip(
    path: Path, *, seconds: float = 10.0, enters: float = 2.0, leaves: float = 7.0
) -> Path:
    """Write an mp4 in which a bright square stands left of ZONE, is inside it from `enters` to
    `leaves` (seconds of media time), and stands right of it afterwards."""
    return _write(path, [_place(n / FPS, enters, leaves) for n in range(round(seconds * FPS))])


def empty_clip(path: Path, *, seconds: float = 4.0) -> Path:
    """Write an mp4 in which nothing is."""
    return _write(path, [None] * round(seconds * FPS))


def square_image(left: int | None) -> Image:
    """Return one frame [HEIGHT, WIDTH, 3] with the square at `left`, none when that is None."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    if left is not None:
        top = (HEIGHT - SQUARE) // 2
        image[top : top + SQUARE, left : left + SQUARE] = 255
    return image


def _place(media: float, enters: float, leaves: float) -> int:
    """Glide between three places in half a second, so that a tracker can follow."""
    places, glide = (16, (WIDTH - SQUARE) // 2, WIDTH - SQUARE - 16), 0.5
    into = min(max((media - enters) / glide + 0.5, 0.0), 1.0)
    out = min(max((media - leaves) / glide + 0.5, 0.0), 1.0)
    return round(places[0] + into * (places[1] - places[0]) + out * (places[2] - places[1]))


def _write(path: Path, places: list[int | None]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"OpenCV cannot write {path}")
    for left in places:
        writer.write(square_image(left))
    writer.release()
    return path


def _window(source: str, result: str) -> list[object]:
    """Average over the window around each cell: down the columns, then along the rows."""
    edge = (_KERNEL - _STRIDE) // 2
    down = {"kernel_shape": [_KERNEL, 1], "strides": [_STRIDE, 1], "pads": [edge, 0, edge, 0]}
    along = {"kernel_shape": [1, _KERNEL], "strides": [1, _STRIDE], "pads": [0, edge, 0, edge]}
    half, node = f"{result}_half", helper.make_node
    return [
        node("AveragePool", [source], [half], count_include_pad=1, **down),
        node("AveragePool", [half], [result], count_include_pad=1, **along),
    ]


def _save(path: Path, nodes: list[object], constants: dict[str, object], shape: list[int]) -> Path:
    graph = helper.make_graph(
        nodes,
        "bright-square",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, _SIZE, _SIZE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    save(model, str(path))
    return path
