"""A tiny real ONNX classifier: a picture is dark, bright, or too grey to say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, save

SIDE = 16
NAMES = ("dark", "bright")
FACTS = {
    "names": json.dumps(NAMES),
    "categories": json.dumps({"dark": "residual", "bright": "recyclable"}),
    "threshold": "0.8",
    "version": "7",
}
Image = npt.NDArray[np.uint8]


def colour_model(
    path: Path,
    facts: Mapping[str, str] = FACTS,
    *,
    shape: Sequence[int | str] = (1, 3, SIDE, SIDE),
    softmax: bool = True,
) -> Path:
    """Write a model whose logits are [-x, x] with x = (mean of all values - 128) / 16."""
    constants = {
        "middle": np.float32(128),
        "steps": np.float32(16),
        "signs": np.array([[-1, 1]], np.float32),
        "flat": np.array([1, 1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        node("Reshape", ["mean", "flat"], ["one"]),
        node("Sub", ["one", "middle"], ["above"]),
        node("Div", ["above", "steps"], ["x"]),
        node("MatMul", ["x", "signs"], ["logits"]),
        node("Softmax" if softmax else "Identity", ["logits"], ["output"]),
    ]
    port = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "colours",
        [port("images", TensorProto.FLOAT, list(shape))],
        [port("output", TensorProto.FLOAT, [1, len(NAMES)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(facts))
    save(model, str(path))
    return path


def plain(value: int, height: int = 40, width: int = 60) -> Image:
    """Return a picture of one grey."""
    return np.full((height, width, 3), value, np.uint8)
