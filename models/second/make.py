"""Write the second look at e-bikes: EfficientNet-Lite0, asked for nine of its thousand classes.

python models/second/make.py WEIGHTS.pth --out models/builtin/second.onnx [--size 192]
Nothing is trained: what tells motor scooters from tricycles was learnt from photographs, and
rendered pictures would spoil it. Weights are kept in 8 bits with a scale for each channel, and
computed in single precision: the runtime multiplies them out once, when it loads the file.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

sys.path.append(str(Path(__file__).parents[1] / "waste"))

from export import IR, OPSET, Graph
from lite import BLOCKS, MEAN, RANGE, Block, Classifier, Conv, fold, load

LIKE = {"moped": 665, "motor scooter": 670}  # of ImageNet's thousand
UNLIKE = {
    "barrow": 428,
    "bicycle built for two": 444,
    "jinrikisha": 612,
    "mountain bike": 671,
    "shopping cart": 791,
    "tricycle": 870,
    "unicycle": 880,
}
WIDE = 1280
SIZE = 192
NAMES = ("ebike", "other")


class Small(Graph):
    """A graph whose weights are kept in 8 bits."""

    def weight(self, tensor: torch.Tensor) -> str:
        """Add a weight; its first dimension are the channels, each with a scale of its own."""
        values = tensor.detach().cpu().numpy().astype(np.float32)
        if values.ndim < 2:
            return super().weight(tensor)
        scale = np.abs(values).reshape(len(values), -1).max(1) / 127
        scale = np.maximum(scale, 1e-12).reshape(-1, *[1] * (values.ndim - 1))
        whole = self.numbers(np.round(values / scale).astype(np.int8))
        wide = self.node("Cast", whole, to=TensorProto.FLOAT)
        return self.node("Mul", wide, self.numbers(scale.astype(np.float32)))


def network(weights: Path) -> tuple[Classifier, Conv]:
    """Return the published network: blocks and the nine classes, and the layer between them."""
    model = Classifier(len(LIKE) + len(UNLIKE), len(BLOCKS))
    load(weights, model)
    state = torch.load(weights, weights_only=True, map_location="cpu")
    last = Conv(BLOCKS[-1][-1], WIDE, 1)
    fold(last, state, "_conv_head", "_bn1")
    rows = [*LIKE.values(), *UNLIKE.values()]
    model.head = torch.nn.Linear(WIDE, len(rows))
    with torch.no_grad():
        model.head.weight.copy_(state["_fc.weight"][rows])
        model.head.bias.copy_(state["_fc.bias"][rows])
    return model, last


def export(model: Classifier, last: Conv, size: int, path: Path) -> None:
    """Write input [1, 3, size, size] BGR 0..255, output [1, 2]: the shares of the two groups."""
    graph = Small()
    x = graph.node("Div", graph.node("Sub", "images", graph.constant(MEAN)), graph.constant(RANGE))
    x = graph.relu6(graph.conv(model.stem, x))
    for block in model.blocks:
        assert isinstance(block, Block)
        x = graph.block(block, x)
    x = graph.node("Flatten", graph.node("GlobalAveragePool", graph.relu6(graph.conv(last, x))))
    head = graph.weight(model.head.weight), graph.weight(model.head.bias)
    x = graph.node("Softmax", graph.node("Gemm", x, *head, transB=1), axis=1)
    groups = np.zeros((len(LIKE) + len(UNLIKE), 2), np.float32)
    groups[: len(LIKE), 0] = groups[len(LIKE) :, 1] = 1
    graph.nodes.append(helper.make_node("MatMul", [x, graph.numbers(groups)], ["probabilities"]))
    port = helper.make_tensor_value_info
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "linli-second-look",
            [port("images", TensorProto.FLOAT, [1, 3, size, size])],
            [port("probabilities", TensorProto.FLOAT, [1, 2])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    facts = {"names": json.dumps(NAMES), "threshold": "0.5", "version": "1"}
    helper.set_model_props(proto, facts)
    onnx.checker.check_model(proto, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(path))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=SIZE)
    args = parser.parse_args()
    export(*network(args.weights), args.size, args.out)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
