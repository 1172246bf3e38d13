"""Make a network of the YOLOX family that answers the same in less time.

python models/lean.py yolox_nano.onnx --out yolox_nano_lean.onnx [--version N]

The first layer comes as eight slices of the picture, put side by side and convolved by 3 x 3: that
is one convolution by 6 x 6 in steps of two with the same weights in other places. Pooling over 9
and 13 cells is pooling over 5 again and again. Nothing is learnt and nothing rounded on purpose: a
sum is taken in another order. The new file is kept only when it answers as the old one does but for
that. Runs with Linli's own packages and `onnx`, which `.[dev]` brings.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx

from edge.detect.onnx_session import open_session
from linli.errors import InputError

# Row and column of the picture that each part of the slices begins at, as YOLOX joins them.
PARTS = ((0, 0), (1, 0), (0, 1), (1, 1))
POOLS = (5, 9, 13)
ANOTHER_ORDER = 1e-4  # of answers up to some hundreds: what another order of a sum may change
SIZES = ((416, 416), (256, 416))


def lean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy with a first layer of one step and pools one after the other.

    Raises ValueError for a network that has neither.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    changed = [_one_step(copy.graph), _pools_in_turn(copy.graph)]
    if not any(changed):
        raise ValueError("nothing in it can be done in less")
    del copy.graph.value_info[:]
    onnx.checker.check_model(copy)
    return copy


def _one_step(graph: onnx.GraphProto) -> bool:
    slices, name = [], {graph.input[0].name}
    for node in graph.node:
        if node.op_type == "Slice" and node.input[0] in name:
            slices.append(node)
            name.add(node.output[0])
    joined = next((one for one in graph.node if slices and set(one.input) <= name), None)
    first = next((one for one in graph.node if joined and one.input[0] == joined.output[0]), None)
    if joined is None or first is None or (joined.op_type, first.op_type) != ("Concat", "Conv"):
        return False
    weights = next(one for one in graph.initializer if one.name == first.input[1])
    small = onnx.numpy_helper.to_array(weights)
    large = np.zeros((small.shape[0], small.shape[1] // 4, 6, 6), small.dtype)
    for number, (row, column) in enumerate(PARTS):
        channels = slice(number * large.shape[1], (number + 1) * large.shape[1])
        large[:, :, row::2, column::2] = small[:, channels]
    weights.CopyFrom(onnx.numpy_helper.from_array(large, weights.name))
    first.input[0] = graph.input[0].name
    _say(first, kernel_shape=[6, 6], strides=[2, 2], pads=[2] * 4)
    for node in (*slices, joined):
        graph.node.remove(node)
    return True


def _pools_in_turn(graph: onnx.GraphProto) -> bool:
    pools = [node for node in graph.node if node.op_type == "MaxPool"]
    sizes = [tuple(_said(node, "kernel_shape")) for node in pools]
    if sizes != [(side, side) for side in POOLS] or len({node.input[0] for node in pools}) > 1:
        return False
    for before, node in pairwise(pools):
        node.input[0] = before.output[0]
        _say(node, kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4)
    return True


def _said(node: onnx.NodeProto, name: str) -> list[int]:
    return next((list(one.ints) for one in node.attribute if one.name == name), [])


def _say(node: onnx.NodeProto, **said: list[int]) -> None:
    kept = [one for one in node.attribute if one.name not in said]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in said.items())


def fault(before: Path, after: Path) -> str | None:
    """Return in what one network answers otherwise than the other, None when in nothing."""
    old, new = open_session(before), open_session(after)
    if old.signature != new.signature:
        return f"it takes and gives {new.signature} instead of {old.signature}"
    noise = np.random.default_rng(1)
    height, width = old.signature.inputs[0][2:]
    for rows, columns in SIZES if height is None or width is None else [(height, width)]:
        picture = noise.uniform(0, 255, (1, 3, rows, columns)).astype(np.float32)
        try:
            apart = float(np.abs(new.run(picture) - old.run(picture)).max())
        except InputError as error:
            return f"{columns} x {rows}: {error}"
        if not apart <= ANOTHER_ORDER:  # so that a NaN fails it
            return f"{columns} x {rows}: answers are {apart:.2g} apart"
    return None


def main() -> None:
    """Read the command line, make the network, try it, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", help="what the file says of itself; as before without it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / arguments.out.name
        try:
            model = lean(onnx.load(str(arguments.file)))
            said = {one.key: one.value for one in model.metadata_props}
            version = {"version": arguments.version} if arguments.version else {}
            onnx.helper.set_model_props(model, said | version)
            onnx.save(model, str(made))
            wrong = fault(arguments.file, made)
        except ValueError as error:
            wrong = str(error)
        if not wrong:
            shutil.copyfile(made, arguments.out)
    if wrong:
        sys.exit(f"{arguments.file} stays as it is: {wrong}")


if __name__ == "__main__":
    main()
