"""Make a network of the YOLOX family that takes pictures of any shape from one of a fixed size.

python models/open_size.py yolox_nano.onnx --out yolox_nano_open.onnx

The weights stay as they are. A network of 416 x 416 computes two fifths of a 16:9 picture for the
grey below it; left open, Linli gives it 416 x 256. The new file is kept only when it answers the
old size as the old one does, to the last bit, and other sizes with as many cells as they have.
Runs with Linli's own packages and `onnx`, which `.[dev]` brings.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

from edge.detect.onnx_session import open_session
from linli.errors import InputError

STRIDES = (8, 16, 32)
BATCH_AND_COLOURS = 2


def opened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose height, width and number of cells are left open."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    (pictures,), (answers,) = copy.graph.input, copy.graph.output
    height, width = pictures.type.tensor_type.shape.dim[BATCH_AND_COLOURS:]
    _, cells, _ = answers.type.tensor_type.shape.dim
    for dimension, name in ((height, "height"), (width, "width"), (cells, "cells")):
        dimension.dim_param = name  # one of both is set, so the number goes
    del copy.graph.value_info[:]  # sizes in between, of the old one
    onnx.checker.check_model(copy)
    return copy


def fault(fixed: Path, free: Path) -> str | None:
    """Return in what the opened network differs from the fixed one, None when in nothing."""
    before, after = open_session(fixed), open_session(free)
    _, colours, height, width = before.signature.inputs[0]
    if height is None or width is None:
        return "its size is open already"
    assert colours is not None
    noise = np.random.default_rng(1)
    for rows, columns in ((height, width), (height - 160, width), (height, width - 96)):
        picture = noise.uniform(0, 255, (1, colours, rows, columns)).astype(np.float32)
        try:
            found = after.run(picture)
        except InputError as error:
            return f"{columns} x {rows}: {error}"
        cells = sum((rows // stride) * (columns // stride) for stride in STRIDES)
        if found.shape[1] != cells:
            return f"{columns} x {rows}: {found.shape[1]} cells instead of {cells}"
        if (rows, columns) == (height, width) and not np.array_equal(found, before.run(picture)):
            return f"{columns} x {rows}: other answers than before"
    return None


def main() -> None:
    """Read the command line, open the network, try it, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / arguments.out.name
        onnx.save(opened(onnx.load(str(arguments.file))), str(made))
        wrong = fault(arguments.file, made)
        if not wrong:
            shutil.copyfile(made, arguments.out)
    if wrong:
        sys.exit(f"{arguments.file} cannot be opened: {wrong}")


if __name__ == "__main__":
    main()
