"""Closer looks: windows of the picture at its own resolution, where the whole would lose an object.

Pure. A window is x1, y1, x2, y2 in pixels of the picture and as large as the network's input, so
that nothing in it is made smaller. What is seen in several windows is one object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edge.detect.decoder import Candidates
from edge.detect.detections import Detections, Ints
from edge.detect.detector import suppress
from edge.detect.letterbox import Image
from edge.geometry import Box, Floats

Window = tuple[int, int, int, int]
Size = tuple[int, int]

LOST = 64.0
"""Pixels of the network's input: what is smaller than that on both sides, it often misses."""
_GAIN = 1.5  # times larger than in the whole picture, or a closer look shows nothing new
_LAP = 0.25  # of a window: a small thing cut by one window of a sweep is whole in the next
_CUT = 1.0  # pixels: a box this near to a window's inner edge goes on beyond it


def scale(picture: Size, wanted: Size) -> float:
    """Return how much smaller the whole picture (width, height) is in an input `wanted`."""
    return min(wanted[0] / picture[0], wanted[1] / picture[1], 1.0)


def helps(picture: Size, wanted: Size) -> bool:
    """Tell whether a closer look shows more than the whole picture."""
    return 1 / scale(picture, wanted) >= _GAIN


def small(boxes: Floats, picture: Size, wanted: Size) -> Floats:
    """Return those of boxes [n, 4] in 0..1 that the whole picture makes too small to be seen."""
    sides = (boxes[:, 2:] - boxes[:, :2]) * np.array(picture) * scale(picture, wanted)
    few: Floats = boxes[sides.max(axis=1, initial=0) < LOST]
    return few


def apart(boxes: Floats, known: Floats) -> Floats:
    """Return those of boxes [n, 4] whose middle is in none of `known` [m, 4]."""
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    within = np.all((middle >= known[None, :, :2]) & (middle <= known[None, :, 2:]), axis=2)
    hit = np.any(within, axis=1)
    few: Floats = boxes[~hit]
    return few


def windows(boxes: Floats, picture: Size, wanted: Size) -> list[Window]:
    """Return windows that show boxes [n, 4] in 0..1, in their order, each box in one of them."""
    chosen: list[Window] = []
    for x1, y1, x2, y2 in boxes * np.array([*picture, *picture]):
        if any(a <= x1 and b <= y1 and x2 <= c and y2 <= d for a, b, c, d in chosen):
            continue
        chosen.append(_around(((x1 + x2) / 2, (y1 + y2) / 2), picture, wanted))
    return chosen


def sweep(picture: Size, wanted: Size, zones: Sequence[Box]) -> list[Window]:
    """Return windows that together show all of the zones (boxes in 0..1), or of the picture."""
    columns, rows = (_starts(*sides) for sides in zip(picture, wanted, strict=True))
    across, down = (min(*sides) for sides in zip(picture, wanted, strict=True))
    every = [(x, y, x + across, y + down) for y in rows for x in columns]
    touched = [one for one in every if any(_touches(one, zone, picture) for zone in zones)]
    return touched if zones else every


def lifted(found: Detections, window: Window, picture: Size) -> Detections:
    """Return what was found in a window in 0..1 of the picture, without what its edge cuts off."""
    x1, y1, x2, y2 = window
    wide, high = x2 - x1, y2 - y1
    margin = np.array([_CUT / wide, _CUT / high])
    low = (found.boxes[:, :2] > margin) | (np.array([x1, y1]) <= 0)
    high_end = (found.boxes[:, 2:] < 1 - margin) | (np.array([x2, y2]) >= np.array(picture))
    whole = (low & high_end).all(axis=1)
    boxes = found.boxes[whole] * np.array([wide, high] * 2) + np.array([x1, y1] * 2)
    boxes = np.clip(boxes / np.array([*picture, *picture]), 0, 1).astype(np.float32)
    return Detections(boxes, found.scores[whole], found.classes[whole], found.names)


def merged(whole: Detections, closer: Iterable[Detections], kinds: Ints) -> Detections:
    """Return what the whole picture and closer looks show, each thing once, best score first.

    `kinds` [classes] are equal for classes that cannot be in the same place.
    """
    parts = [whole, *closer]
    every = Candidates(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
    )
    kept = suppress(every, kinds)
    return Detections(kept.boxes, kept.scores, kept.classes, whole.names)


def cut(image: Image, window: Window) -> Image:
    """Return a window of a picture, not copied."""
    x1, y1, x2, y2 = window
    return image[y1:y2, x1:x2]


def _around(middle: Sequence[float], picture: Size, wanted: Size) -> Window:
    starts, ends = [], []
    for centre, side, need in zip(middle, picture, wanted, strict=True):
        start = int(min(max(centre - need / 2, 0), max(side - need, 0)))
        starts.append(start)
        ends.append(min(start + need, side))
    return (starts[0], starts[1], ends[0], ends[1])


def _touches(window: Window, zone: Box, picture: Size) -> bool:
    wide, high = picture
    across = window[0] <= zone[2] * wide and zone[0] * wide <= window[2]
    return across and window[1] <= zone[3] * high and zone[1] * high <= window[3]


def _starts(side: int, need: int) -> list[int]:
    if side <= need:
        return [0]
    count = int(np.ceil((side - need) / (need * (1 - _LAP)))) + 1
    return [int(start) for start in np.linspace(0, side - need, count)]
