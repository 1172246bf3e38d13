"""Which cells answer for which object (SimOTA), and the loss that follows."""

import torch
from net import decode
from torch import Tensor
from torch.nn import functional

REACH = 2.0


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Return the IoU [n, m] of boxes [n, 4] and [m, 4] given as centre, width, height."""
    a0, a1, b0, b1 = a[:, None, :2], a[:, None, 2:], b[None, :, :2], b[None, :, 2:]
    low = torch.maximum(a0 - a1 / 2, b0 - b1 / 2)
    high = torch.minimum(a0 + a1 / 2, b0 + b1 / 2)
    inter = (high - low).clamp(min=0).prod(2)
    return inter / (a1.prod(2) + b1.prod(2) - inter + 1e-6)


def assign(
    boxes: Tensor, logits: Tensor, truth: Tensor, grid: Tensor, stride: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Match one picture's predictions to its objects.

    `boxes` [n, 4] decoded, `logits` [n, 1 + classes], `truth` [g, 5] class and box in pixels; the
    class after the last is a thing of no class.
    Returns indices of answering cells, each one's object, and their IoU.
    """
    centre = (grid + 0.5) * stride
    target = truth[:, 1:]
    offset = (centre[None] - target[:, None, :2]).abs()
    near = (offset < REACH * stride[None]).all(2)
    within = (offset < target[:, None, 2:] / 2).all(2)
    candidates = (near | within).any(0).nonzero().squeeze(1)
    if len(candidates) == 0:
        empty = torch.zeros(0, dtype=torch.long)
        return empty, empty, torch.zeros(0)
    iou = overlap(target, boxes[candidates])
    thing = logits[candidates, :1].sigmoid()
    score = (logits[candidates, 1:].sigmoid() * thing).sqrt()
    # A thing of no class of ours (class number `classes`) is wanted as a thing alone.
    wanted = torch.cat((score, thing.sqrt()), 1)[:, truth[:, 0].long()].T
    cost = -wanted.clamp(min=1e-6).log() - torch.log1p(-score.clamp(max=0.999)).sum(1)[None]
    ours = (truth[:, 0] < score.shape[1])[:, None]
    cost = cost + ours * torch.log1p(-wanted.clamp(max=0.999)) - 3 * torch.log(iou + 1e-8)
    cost = cost + 1e5 * (~(near & within)[:, candidates])
    count = iou.topk(min(10, iou.shape[1]), 1).values.sum(1).int().clamp(min=1)
    match = torch.zeros_like(cost, dtype=torch.bool)
    for g, k in enumerate(count.tolist()):
        match[g, cost[g].topk(k, largest=False).indices] = True
    twice = match.sum(0) > 1
    if twice.any():
        best = cost[:, twice].argmin(0)
        match[:, twice] = False
        match[best, twice.nonzero().squeeze(1)] = True
    chosen = match.any(0)
    owner = match[:, chosen].int().argmax(0)
    return candidates[chosen], owner, iou[owner, chosen.nonzero().squeeze(1)]


def detection_loss(
    output: Tensor, truths: list[Tensor], grid: Tensor, stride: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts for raw `output` [b, n, 5 + classes]."""
    boxes = decode(output[..., :4], grid, stride)
    classes = output.shape[2] - 5
    object_target = torch.zeros(output.shape[:2])
    picked, wanted_box, wanted_class, raw_class = [], [], [], []
    for i, truth in enumerate(truths):
        if len(truth) == 0:
            continue
        with torch.no_grad():
            cell, owner, iou = assign(boxes[i], output[i, :, 4:], truth, grid, stride)
        object_target[i, cell] = 1.0
        picked.append(boxes[i, cell])
        wanted_box.append(truth[owner, 1:])
        raw_class.append(output[i, cell, 5:])
        named = functional.one_hot(truth[owner, 0].long(), classes + 1)[:, :classes]
        wanted_class.append(named * iou[:, None])
    count = max(float(object_target.sum()), 1.0)
    loss_object = (
        functional.binary_cross_entropy_with_logits(output[..., 4], object_target, reduction="sum")
        / count
    )
    if not picked:
        return loss_object, {"object": loss_object.item(), "box": 0.0, "class": 0.0}
    a, b = torch.cat(picked), torch.cat(wanted_box)
    low = torch.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = torch.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    inter = (high - low).clamp(min=0).prod(1)
    iou = inter / (a[:, 2:].prod(1) + b[:, 2:].prod(1) - inter + 1e-6)
    loss_box = 5 * (1 - iou**2).sum() / count
    loss_class = (
        functional.binary_cross_entropy_with_logits(
            torch.cat(raw_class), torch.cat(wanted_class), reduction="sum"
        )
        / count
    )
    parts = {"object": loss_object.item(), "box": loss_box.item(), "class": loss_class.item()}
    return loss_object + loss_box + loss_class, parts
