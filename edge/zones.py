"""Zones: which objects stand in a polygon of the picture."""

from __future__ import annotations

import numpy as np

from edge.geometry import Floats, Mask, contains
from edge.settings import Anchor, Zone

# The picture cuts off people at its edge, and zones are often drawn up to it: both meet at exactly
# 0 or 1, where inside and outside are a matter of rounding. Anchors are therefore kept this far in.
_MARGIN = 1e-3


def anchors(boxes: Floats, anchor: Anchor) -> Floats:
    """Return the points [n, 2] that stand for boxes [n, 4], never quite at the picture's edge."""
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = boxes[:, 3] if anchor == "bottom-center" else (boxes[:, 1] + boxes[:, 3]) / 2
    points: Floats = np.clip(np.stack((x, y), axis=1), _MARGIN, 1 - _MARGIN)
    return points


def inside(zone: Zone, boxes: Floats) -> Mask:
    """Tell which boxes [n, 4] are in the zone by its anchor."""
    if not len(boxes):
        return np.empty(0, np.bool_)
    return contains(np.array(zone.points, np.float64), anchors(boxes, zone.anchor))
