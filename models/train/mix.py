"""Average detectors of the same graph, add doubt, and write the file that is shipped.

python models/train/mix.py A.onnx:1 B.onnx:2 --doubt wheelchair=3 --version 1.0 --out FILE.onnx
Averages of weights along a training, or of trainings from one start, hold better on pictures unlike
those trained on than any one of them. With doubt the logits of a class are raised: what may be a
wheelchair, a stroller or a bicycle is then not called an e-bike. choose.py finds out how much.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from data import NAMES
from onnx import numpy_helper


def weights(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return all initializers of floating point by name."""
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    return {name: a for name, a in arrays.items() if a.dtype.kind == "f"}


def averaged(files: list[tuple[Path, float]]) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """Return the first file's model and the average of all files' weights."""
    models = [onnx.load(str(path)) for path, _ in files]
    each = [weights(model.graph) for model in models]
    total = sum(share for _, share in files)
    mean = {
        name: sum(w[name].astype(float) * s for w, (_, s) in zip(each, files, strict=True)) / total
        for name in each[0]
    }
    return models[0], mean


def doubting(graph: onnx.GraphProto, mean: dict[str, np.ndarray], doubt: dict[str, float]) -> None:
    """Raise the class layers' biases, in place."""
    raised = np.array([doubt.get(name, 0.0) for name in NAMES])
    for node in graph.node:
        if node.op_type == "Conv" and "cls_preds" in node.input[1]:
            mean[node.input[2]] = mean[node.input[2]] + raised


def main() -> None:
    """Mix and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE[:SHARE]")
    parser.add_argument("--doubt", action="append", default=[], metavar="CLASS=LOGITS")
    parser.add_argument("--side", help="the longest side of pictures that it does best with")
    parser.add_argument("--version", default="0")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    parted = [text.partition(":") for text in args.files]
    model, mean = averaged([(Path(path), float(share or 1)) for path, _, share in parted])
    doubt = {name: float(by) for name, _, by in (text.partition("=") for text in args.doubt)}
    doubting(model.graph, mean, doubt)
    for item in model.graph.initializer:
        if item.name in mean:
            array = numpy_helper.to_array(item)
            item.CopyFrom(numpy_helper.from_array(mean[item.name].astype(array.dtype), item.name))
    facts = {p.key: p.value for p in model.metadata_props if p.key != "step"} | {
        "version": args.version,
        "mixed": " ".join(f"{Path(path).stem}:{share or 1}" for path, _, share in parted),
        "doubt": " ".join(args.doubt),
    }
    if args.side:
        facts["side"] = args.side
    del model.metadata_props[:]
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    onnx.save(model, str(args.out))


if __name__ == "__main__":
    main()
