"""Exact labels: which pixels belong to which object, and how much of each can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import cv2
import numpy as np
from scene import LABELS, Placed

SHOWN = 0.2


@dataclass
class Box:
    """A labelled box in pixels and the share of its object that can be seen."""

    label: str
    xyxy: tuple[float, float, float, float]
    shown: float

    def yolo(self, width: int, height: int) -> str:
        """Write `class cx cy w h` as shares of the picture."""
        x0, y0, x1, y1 = self.xyxy
        return (
            f"{LABELS.index(self.label)} {(x0 + x1) / 2 / width:.5f} {(y0 + y1) / 2 / height:.5f} "
            f"{(x1 - x0) / width:.5f} {(y1 - y0) / height:.5f}"
        )


def index_material() -> Any:
    """Return a surface that shines with its object's pass index / 255."""
    mat = bpy.data.materials.new("index")
    mat.use_nodes = True
    tree = mat.node_tree
    tree.nodes.clear()
    info = tree.nodes.new("ShaderNodeObjectInfo")
    scale = tree.nodes.new("ShaderNodeMath")
    scale.operation = "DIVIDE"
    scale.inputs[1].default_value = 255.0
    glow = tree.nodes.new("ShaderNodeEmission")
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(info.outputs["Object Index"], scale.inputs[0])
    tree.links.new(scale.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], out.inputs["Surface"])
    return mat


def silhouette(
    points: np.ndarray, faces: Sequence[tuple[int, ...]], camera: Any, size: tuple[int, int]
) -> int:
    """Count the pixels an object would cover if nothing hid it, off-picture parts included."""
    width, height = size
    view = np.array(camera.matrix_world.inverted())
    local = points @ view[:3, :3].T + view[:3, 3]
    depth = -local[:, 2]
    focal = max(width, height) / 2 / np.tan(camera.data.angle / 2)
    safe = np.maximum(depth, 0.05)
    flat = np.stack(
        [width * 1.5 + local[:, 0] / safe * focal, height * 1.5 - local[:, 1] / safe * focal],
        axis=1,
    )
    canvas = np.zeros((height * 3, width * 3), np.uint8)
    whole = [
        np.clip(flat[list(f)], -9000, 9000).round().astype(np.int32)
        for f in faces
        if (depth[list(f)] > 0.05).all()
    ]
    for polygon in whole:
        cv2.fillConvexPoly(canvas, polygon, 1)
    return int(canvas.sum())


def boxes(ids: np.ndarray, placed: Sequence[Placed], camera: Any) -> list[Box]:
    """Return the visible boxes of what shows at least a fifth of itself. `ids` is [h, w]."""
    found = []
    height, width = ids.shape
    for item in placed:
        mask = ids == item.index
        if mask.sum() < 60:
            continue
        faces = [f for part, _ in item.body.faces for f in part]
        full = silhouette(item.body.points(), faces, camera, (width, height))
        shown = float(mask.sum()) / max(full, 1)
        if shown < SHOWN:
            continue
        ys, xs = np.nonzero(mask)
        found.append(
            Box(
                item.label,
                (float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)),
                shown,
            )
        )
    return found
