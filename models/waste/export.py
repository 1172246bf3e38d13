"""Write the trained classifier as ONNX: weights kept in half precision, computed in single."""

from pathlib import Path

import numpy as np
import onnx
from lite import MEAN, RANGE, Block, Classifier, Conv
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

OPSET, IR = 17, 8


class Graph:
    """Collects nodes and weights; values are called by the order they are made in."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node and return the name of its output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: float) -> str:
        """Add a number."""
        return self.numbers(np.array(value, np.float32))

    def weight(self, tensor: Tensor) -> str:
        """Add a weight in half precision; the runtime casts it once, when it loads the file."""
        name = self.numbers(tensor.detach().cpu().numpy().astype(np.float16))
        return self.node("Cast", name, to=TensorProto.FLOAT)

    def conv(self, layer: Conv, x: str) -> str:
        """Add a convolution."""
        inner, (left, right) = layer.conv, layer.pad[:2]
        assert inner.bias is not None
        return self.node(
            "Conv",
            x,
            self.weight(inner.weight),
            self.weight(inner.bias),
            strides=list(inner.stride),
            group=inner.groups,
            pads=[left, left, right, right],
        )

    def relu6(self, x: str) -> str:
        """Add an activation."""
        return self.node("Clip", x, self.constant(0.0), self.constant(6.0))

    def block(self, block: Block, x: str) -> str:
        """Add a block."""
        y = x if block.expand is None else self.relu6(self.conv(block.expand, x))
        y = self.conv(block.narrow, self.relu6(self.conv(block.filter, y)))
        return self.node("Add", x, y) if block.add else y

    def numbers(self, value: np.ndarray) -> str:
        """Add numbers as they are."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name


def export(
    model: Classifier, size: tuple[int, int], temperature: float, facts: dict[str, str], path: Path
) -> None:
    """Write `model` for input [1, 3, height, width] BGR 0..255, output [1, classes] probabilities.

    `temperature` divides the logits before the softmax; `facts` become the file's metadata.
    """
    graph = Graph()
    x = graph.node("Sub", "images", graph.constant(MEAN))
    x = graph.node("Div", x, graph.constant(RANGE))
    x = graph.relu6(graph.conv(model.stem, x))
    for block in model.blocks:
        assert isinstance(block, Block)
        x = graph.block(block, x)
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    weight, bias = model.head.weight / temperature, model.head.bias / temperature
    x = graph.node("Gemm", x, graph.weight(weight), graph.weight(bias), transB=1)
    graph.nodes.append(helper.make_node("Softmax", [x], ["probabilities"], axis=1))
    port = helper.make_tensor_value_info
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "linli-waste",
            [port("images", TensorProto.FLOAT, [1, 3, *size])],
            [port("probabilities", TensorProto.FLOAT, [1, model.head.out_features])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    helper.set_model_props(proto, facts)
    onnx.checker.check_model(proto, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(path))
