"""The detector's network: a depthwise CSP backbone, a two-way pyramid and decoupled heads.

It has the shape of YOLOX-nano, so that its published weights can start it: convolutions carry
their bias and no batch normalisation, as in the exported graph. `load` takes weights from an
ONNX file in graph order, `export` writes them back into the same graph.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
HEAD = 64
# Row and column that each part of the slices begins at (`models/lean.py` makes one step of them).
PARTS = ((0, 0), (1, 0), (0, 1), (1, 1))


class Conv(nn.Module):
    """Convolution and SiLU."""

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, inside, h, w] to [b, outside, h / stride, w / stride]."""
        return functional.silu(self.conv(x), inplace=True)


class Separable(nn.Sequential):
    """Depthwise 3x3, then pointwise."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__(Conv(inside, inside, 3, stride, inside), Conv(inside, outside, 1))


class Bottleneck(nn.Module):
    """Pointwise and separable convolution, added to the input where `add` says so."""

    def __init__(self, width: int, *, add: bool) -> None:
        super().__init__()
        self.first, self.second, self.add = Conv(width, width, 1), Separable(width, width), add

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        y: Tensor = self.second(self.first(x))
        return x + y if self.add else y


class Split(nn.Module):
    """Cross-stage block: half goes through bottlenecks, half around them."""

    def __init__(self, inside: int, outside: int, count: int = 1, *, add: bool = False) -> None:
        super().__init__()
        half = outside // 2
        self.through, self.around = Conv(inside, half, 1), Conv(inside, half, 1)
        self.steps = nn.Sequential(*(Bottleneck(half, add=add) for _ in range(count)))
        self.merge = Conv(2 * half, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, inside, h, w] to [b, outside, h, w]."""
        y: Tensor = self.merge(torch.cat((self.steps(self.through(x)), self.around(x)), 1))
        return y


class Pools(nn.Module):
    """Maxima over three neighbourhoods beside the value itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = Conv(width, width // 2, 1), Conv(width * 2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        x = self.first(x)
        pooled = [functional.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13)]
        y: Tensor = self.last(torch.cat((x, *pooled), 1))
        return y


class Level(nn.Module):
    """One pyramid level's head: classes on one branch, box and objectness on the other."""

    def __init__(self, inside: int, classes: int) -> None:
        super().__init__()
        self.stem = Conv(inside, HEAD, 1)
        self.classify = nn.Sequential(Separable(HEAD, HEAD), Separable(HEAD, HEAD))
        self.classes = nn.Conv2d(HEAD, classes, 1)
        self.regress = nn.Sequential(Separable(HEAD, HEAD), Separable(HEAD, HEAD))
        self.box = nn.Conv2d(HEAD, 4, 1)
        self.object = nn.Conv2d(HEAD, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map to [b, h * w, 5 + classes]: box, objectness and class logits."""
        x = self.stem(x)
        boxes = self.regress(x)
        y = torch.cat((self.box(boxes), self.object(boxes), self.classes(self.classify(x))), 1)
        return y.flatten(2).transpose(1, 2)


class Detector(nn.Module):
    """The whole network; input [b, 3, s, s] BGR 0..255, output [b, n, 5 + classes] logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.dark2 = nn.Sequential(Separable(16, 32, 2), Split(32, 32, 1, add=True))
        self.dark3 = nn.Sequential(Separable(32, 64, 2), Split(64, 64, 3, add=True))
        self.dark4 = nn.Sequential(Separable(64, 128, 2), Split(128, 128, 3, add=True))
        self.dark5 = nn.Sequential(Separable(128, 256, 2), Pools(256), Split(256, 256))
        self.lateral, self.down4 = Conv(256, 128, 1), Split(256, 128)
        self.reduce, self.down3 = Conv(128, 64, 1), Split(128, 64)
        self.rise4, self.up4 = Separable(64, 64, 2), Split(128, 128)
        self.rise5, self.up5 = Separable(128, 128, 2), Split(256, 256)
        self.heads = nn.ModuleList(Level(width, classes) for width in (64, 128, 256))

    def backbone(self) -> list[nn.Module]:
        """Return the parts before the pyramid."""
        return [self.stem, self.dark2, self.dark3, self.dark4, self.dark5]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits for all cells of the three levels, finest first."""
        x = torch.cat([x[..., row::2, column::2] for row, column in PARTS], 1)
        c3 = self.dark3(self.dark2(self.stem(x)))
        c4 = self.dark4(c3)
        p5 = self.lateral(self.dark5(c4))
        p4 = self.reduce(
            self.down4(torch.cat((functional.interpolate(p5, scale_factor=2.0), c4), 1))
        )
        out3 = self.down3(torch.cat((functional.interpolate(p4, scale_factor=2.0), c3), 1))
        out4 = self.up4(torch.cat((self.rise4(out3), p4), 1))
        out5 = self.up5(torch.cat((self.rise5(out4), p5), 1))
        return torch.cat([h(f) for h, f in zip(self.heads, (out3, out4, out5), strict=True)], 1)


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [m for m in model.modules() if isinstance(m, nn.Conv2d)]


def _of_slices(large: np.ndarray) -> np.ndarray:
    """Return the weights [o, 3, 6, 6] of a first layer in one step as those of slices."""
    return np.concatenate([large[:, :, row::2, column::2] for row, column in PARTS], axis=1)


def _in_one(small: np.ndarray) -> np.ndarray:
    """Return the weights [o, 12, 3, 3] of slices as those of one step."""
    large = np.zeros((small.shape[0], small.shape[1] // 4, 6, 6), small.dtype)
    for (row, column), part in zip(PARTS, np.split(small, 4, axis=1), strict=True):
        large[:, :, row::2, column::2] = part
    return large


def load(path: Path, model: Detector, take: list[list[int]] | None = None) -> None:
    """Fill `model` from an ONNX file of the same shape.

    `take` gives, per class of ours, the source classes whose weights are averaged; without it
    the class layers must match.
    """
    graph = onnx.load(str(path)).graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    nodes = [n for n in graph.node if n.op_type == "Conv"]
    ours = _convolutions(model)
    if len(nodes) != len(ours):
        raise ValueError(f"{path}: {len(nodes)} convolutions, expected {len(ours)}")
    for node, conv in zip(nodes, ours, strict=True):
        weight, bias = (values[name].copy() for name in node.input[1:3])
        if weight.shape[2:] == (6, 6):
            weight = _of_slices(weight)
        if "cls_preds" in node.input[1] and take is not None:
            weight = np.stack([weight[list(t)].mean(0) for t in take])
            bias = np.array([bias[list(t)].mean() for t in take], np.float32)
        if tuple(weight.shape) != tuple(conv.weight.shape):
            raise ValueError(
                f"{path}: {node.input[1]} is {weight.shape}, expected {tuple(conv.weight.shape)}"
            )
        conv.weight.data = torch.from_numpy(weight)
        if conv.bias is not None:
            conv.bias.data = torch.from_numpy(bias)


def export(
    source: Path, model: Detector, names: list[str], target: Path, facts: dict[str, str]
) -> None:
    """Write `model` into the graph of `source` (the file it was started from).

    Output [1, n, 5 + classes] as before: raw box, then objectness and classes after a sigmoid.
    `facts` and the class names (`names`, JSON) go into the file's metadata.
    """
    proto = onnx.load(str(source))
    graph = proto.graph
    values = {i.name: i for i in graph.initializer}
    for node, conv in zip(
        [n for n in graph.node if n.op_type == "Conv"], _convolutions(model), strict=True
    ):
        for name, tensor in zip(node.input[1:3], (conv.weight, conv.bias), strict=True):
            assert tensor is not None
            array = tensor.detach().float().numpy().copy()
            if list(values[name].dims)[2:] == [6, 6]:
                array = _in_one(array)
            values[name].CopyFrom(numpy_helper.from_array(array, name))
    shapes = {n.input[1] for n in graph.node if n.op_type == "Reshape"}
    old = next(int(numpy_helper.to_array(values[s])[1]) for s in shapes)
    for name in shapes:
        shape = numpy_helper.to_array(values[name]).copy()
        shape[1] = 5 + len(names)
        values[name].CopyFrom(numpy_helper.from_array(shape, name))
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = 5 + len(names)
    # The weights fit any sides that are multiples of 32: a wide picture needs no grey below it.
    for port, axis, name in ((graph.input, 2, "height"), (graph.input, 3, "width")):
        port[0].type.tensor_type.shape.dim[axis].dim_param = name
    graph.output[0].type.tensor_type.shape.dim[1].dim_param = "cells"
    del graph.value_info[:]
    if old != 5 + len(names):
        onnx.checker.check_model(proto)
    del proto.metadata_props[:]
    for key, value in {**facts, "names": json.dumps(names)}.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(target))


def cells(size: int) -> tuple[Tensor, Tensor]:
    """Return the cells' corners [n, 2] in grid units and their strides [n, 1] for input `size`."""
    grids, strides = [], []
    for s in STRIDES:
        n = size // s
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        grids.append(torch.stack((x, y), 2).view(-1, 2).float())
        strides.append(torch.full((n * n, 1), float(s)))
    return torch.cat(grids), torch.cat(strides)


def decode(raw: Tensor, grid: Tensor, stride: Tensor) -> Tensor:
    """Turn raw boxes [..., n, 4] into centre x, y, width, height in input pixels."""
    return torch.cat(((raw[..., :2] + grid) * stride, raw[..., 2:].clamp(max=8).exp() * stride), -1)
