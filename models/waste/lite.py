"""The classifier's network: the first blocks of EfficientNet-Lite0, and one linear layer.

It has the published network's shape, so that its weights can start it, and input as the detectors:
BGR 0..255. Batch normalisation is folded into the convolutions when loaded: there is too little
data here to estimate its statistics anew.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

# Of each block: kernel, stride, how much wider inside, channels out.
BLOCKS = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (3, 1, 6, 24),
    (5, 2, 6, 40),
    (5, 1, 6, 40),
    (3, 2, 6, 80),
    (3, 1, 6, 80),
    (3, 1, 6, 80),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
    (5, 2, 6, 192),
    (5, 1, 6, 192),
    (5, 1, 6, 192),
    (5, 1, 6, 192),
    (3, 1, 6, 320),
)
STEM = 32
MEAN = RANGE = 127.5
EPSILON = 1e-3


class Conv(nn.Module):
    """Convolution with bias, padded as TensorFlow does: what is uneven goes right and below."""

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        total = kernel - stride
        self.pad = (total // 2, total - total // 2) * 2
        even = total % 2 == 0
        self.conv = nn.Conv2d(
            inside, outside, kernel, stride, total // 2 if even else 0, groups=groups
        )
        self.even = even

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, inside, h, w] to [b, outside, h / stride, w / stride]."""
        x = x if self.even else functional.pad(x, self.pad)
        y: Tensor
        if self.conv.groups == 1 or not torch.is_grad_enabled():
            y = self.conv(x)
        else:  # on CPUs the way back through these takes twice as long at half precision
            with torch.autocast(x.device.type, enabled=False):
                y = self.conv(x.float())
        return y


class Block(nn.Module):
    """Widen, filter each channel, narrow; added to the input where shapes allow."""

    def __init__(self, inside: int, kernel: int, stride: int, wider: int, outside: int) -> None:
        super().__init__()
        width = inside * wider
        self.expand = Conv(inside, width, 1) if wider > 1 else None
        self.filter = Conv(width, width, kernel, stride, width)
        self.narrow = Conv(width, outside, 1)
        self.add = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, inside, h, w] to [b, outside, h / stride, w / stride]."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.narrow(functional.relu6(self.filter(y)))
        return x + y if self.add else y


class Classifier(nn.Module):
    """The whole network: input [b, 3, h, w] BGR 0..255, output [b, classes] logits."""

    def __init__(self, classes: int, blocks: int) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2)
        widths = (STEM, *(width for *_, width in BLOCKS))
        self.blocks = nn.ModuleList(Block(widths[n], *BLOCKS[n]) for n in range(blocks))
        self.head = nn.Linear(widths[blocks], classes)

    def start(self, x: Tensor, blocks: int) -> Tensor:
        """Return the map that the first `blocks` blocks make of pictures [b, 3, h, w]."""
        x = functional.relu6(self.stem((x - MEAN) / RANGE))
        for block in self.blocks[:blocks]:
            x = block(x)
        return x

    def rest(self, x: Tensor, blocks: int) -> Tensor:
        """Return logits [b, classes] from the map that the first `blocks` blocks made."""
        for block in self.blocks[blocks:]:
            x = block(x)
        y: Tensor = self.head(x.mean((2, 3)))
        return y

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.rest(self.start(x, 0), 0)


def load(path: Path, model: Classifier) -> None:
    """Fill all but the head from the published weights (a PyTorch state)."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    fold(model.stem, state, "_conv_stem", "_bn0")
    with torch.no_grad():  # they were trained on RGB
        model.stem.conv.weight.copy_(model.stem.conv.weight.flip(1))
    for number, block in enumerate(model.blocks):
        prefix = f"_blocks.{number}."
        assert isinstance(block, Block)
        if block.expand is not None:
            fold(block.expand, state, f"{prefix}_expand_conv", f"{prefix}_bn0")
        fold(block.filter, state, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        fold(block.narrow, state, f"{prefix}_project_conv", f"{prefix}_bn2")


def fold(target: Conv, state: dict[str, Tensor], conv: str, norm: str) -> None:
    """Fill a convolution from a published one and the normalisation that follows it."""
    weight = state[f"{conv}.weight"]
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = target.conv.bias
    assert bias is not None
    if weight.shape != target.conv.weight.shape:
        raise ValueError(f"{conv} is {tuple(weight.shape)}")
    with torch.no_grad():
        target.conv.weight.copy_(weight * scale[:, None, None, None])
        bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
