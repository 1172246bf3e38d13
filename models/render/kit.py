"""Meshes and materials for rendered scenes: a builder of lofted parts, and Cycles shaders.

Objects are built in metres with x forward, y left, z up, the origin on the floor.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

Vec = Sequence[float]
Size = float | tuple[float, float]


def _unit(v: np.ndarray) -> np.ndarray:
    return v / max(float(np.linalg.norm(v)), 1e-9)


@dataclass
class Builder:
    """One object's triangles and quads, each with a material; filled part by part."""

    name: str
    verts: list[np.ndarray] = field(default_factory=list)
    faces: list[tuple[list[tuple[int, ...]], Any]] = field(default_factory=list)
    count: int = 0

    def add(self, verts: np.ndarray, faces: list[tuple[int, ...]], material: Any) -> None:
        """Append vertices [n, 3] and faces that index into them."""
        base = self.count
        self.verts.append(np.asarray(verts, dtype=float))
        self.faces.append(([tuple(i + base for i in f) for f in faces], material))
        self.count += len(verts)

    def loft(
        self,
        path: Sequence[Vec],
        sizes: Sequence[Size] | Size,
        material: Any,
        *,
        up: Vec = (0, 0, 1),
        power: float = 2.0,
        around: int = 12,
        round_ends: bool = False,
    ) -> None:
        """Sweep superellipse sections along `path`.

        `sizes` are half-extents (side, up) in metres at each point; `power` 2 is an
        ellipse, 6 nearly a box.
        """
        points = np.asarray(path, dtype=float)
        if not isinstance(sizes, list):
            sizes = [sizes] * len(points)  # type: ignore[list-item]
        half = np.array([s if isinstance(s, tuple) else (s, s) for s in sizes], dtype=float)
        if round_ends:
            points, half = _rounded(points, half)
        rings = _rings(points, half, np.asarray(up, dtype=float), power, around)
        n = len(points)
        faces: list[tuple[int, ...]] = [
            (
                r * around + a,
                r * around + (a + 1) % around,
                (r + 1) * around + (a + 1) % around,
                (r + 1) * around + a,
            )
            for r in range(n - 1)
            for a in range(around)
        ]
        faces += [tuple(range(around))[::-1], tuple((n - 1) * around + a for a in range(around))]
        self.add(rings.reshape(-1, 3), faces, material)

    def tube(self, path: Sequence[Vec], radius: float, material: Any, around: int = 8) -> None:
        """Bend a round tube along a path."""
        self.loft(path, radius, material, around=around)

    def ball(self, centre: Vec, radii: Vec, material: Any, around: int = 14) -> None:
        """Put an ellipsoid with half-axes `radii` (x, y, z) at `centre`."""
        t = np.linspace(-1, 1, 9)
        r = np.sqrt(np.clip(1 - t**2, 0.001, 1))
        path = [(centre[0], centre[1], centre[2] + radii[2] * k) for k in t]
        self.loft(
            path, [(radii[1] * k, radii[0] * k) for k in r], material, up=(1, 0, 0), around=around
        )

    def box(self, centre: Vec, half: Vec, material: Any, bevel: float = 0.1) -> None:
        """Put a box with rounded edges (`bevel` as a share of the smallest half-extent)."""
        b = bevel * min(half)
        z = [-half[2], -half[2] + b, half[2] - b, half[2]]
        grow = [1 - b / min(half[0], half[1]) if b else 1.0, 1.0, 1.0, 1.0]
        grow[3] = grow[0]
        self.loft(
            [(centre[0], centre[1], centre[2] + k) for k in z],
            [(half[1] * g, half[0] * g) for g in grow],
            material,
            up=(1, 0, 0),
            power=4 + 8 * (1 - min(bevel, 1)),
            around=20,
        )

    def ring(
        self,
        centre: Vec,
        radius: float,
        thick: Size,
        material: Any,
        axis: Vec = (0, 1, 0),
        around: int = 28,
    ) -> None:
        """Put a torus: a tyre or rim; `thick` is the section's half-extent (across, radial)."""
        wide, deep = thick if isinstance(thick, tuple) else (thick, thick)
        ax = _unit(np.asarray(axis, dtype=float))
        u = _unit(np.cross(ax, (0.3, 0.2, 1.0)))
        v = np.cross(ax, u)
        section = 8
        verts = []
        for i in range(around):
            t = 2 * math.pi * i / around
            out = u * math.cos(t) + v * math.sin(t)
            for j in range(section):
                s = 2 * math.pi * j / section
                verts.append(
                    np.asarray(centre)
                    + out * (radius + deep * math.cos(s))
                    + ax * wide * math.sin(s)
                )
        faces: list[tuple[int, ...]] = [
            (
                i * section + j,
                i * section + (j + 1) % section,
                ((i + 1) % around) * section + (j + 1) % section,
                ((i + 1) % around) * section + j,
            )
            for i in range(around)
            for j in range(section)
        ]
        self.add(np.array(verts), faces, material)

    def quad(self, corners: Sequence[Vec], material: Any) -> None:
        """Put one flat face."""
        self.add(np.asarray(corners, dtype=float), [(0, 1, 2, 3)], material)

    def moved(self, matrix: np.ndarray) -> "Builder":
        """Apply a 4x4 transform to all vertices in place and return self."""
        self.verts = [v @ matrix[:3, :3].T + matrix[:3, 3] for v in self.verts]
        return self

    def join(self, other: "Builder") -> None:
        """Take over another builder's parts."""
        base = self.count
        self.verts += other.verts
        self.faces += [
            ([tuple(i + base for i in f) for f in faces], mat) for faces, mat in other.faces
        ]
        self.count += other.count

    def points(self) -> np.ndarray:
        """Return all vertices [n, 3]."""
        return np.concatenate(self.verts)

    def into_scene(self, index: int, *, smooth: bool = True) -> Any:
        """Create the Blender object with `index` as its pass index."""
        mesh = bpy.data.meshes.new(self.name)
        flat = [f for faces, _ in self.faces for f in faces]
        mesh.from_pydata(self.points().tolist(), [], flat)
        slots: dict[Any, int] = {}
        which: list[int] = []
        for faces, mat in self.faces:
            if mat not in slots:
                slots[mat] = len(slots)
                mesh.materials.append(mat)
            which += [slots[mat]] * len(faces)
        mesh.polygons.foreach_set("material_index", which)
        mesh.polygons.foreach_set("use_smooth", [smooth and len(f) < 5 for f in flat])
        obj = bpy.data.objects.new(self.name, mesh)
        obj.pass_index = index
        bpy.context.scene.collection.objects.link(obj)
        return obj


def _rounded(points: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = _unit(points[0] - points[1]) * half[0].min()
    last = _unit(points[-1] - points[-2]) * half[-1].min()
    points = np.concatenate(
        [
            [points[0] + first, points[0] + first * 0.7],
            points,
            [points[-1] + last * 0.7, points[-1] + last],
        ]
    )
    half = np.concatenate(
        [[half[0] * 0.15, half[0] * 0.7], half, [half[-1] * 0.7, half[-1] * 0.15]]
    )
    return points, half


def _rings(points: np.ndarray, half: np.ndarray, up: np.ndarray, power: float, around: int) -> Any:
    angle = np.arange(around) * 2 * math.pi / around + math.pi / around
    c, s = np.cos(angle), np.sin(angle)
    c = np.sign(c) * np.abs(c) ** (2 / power)
    s = np.sign(s) * np.abs(s) ** (2 / power)
    tangents = np.gradient(points, axis=0)
    rings = np.empty((len(points), around, 3))
    for i, (p, tangent) in enumerate(zip(points, tangents, strict=True)):
        t = _unit(tangent)
        ref = up if abs(float(t @ _unit(up))) < 0.98 else np.array([1.0, 0.02, 0.0])
        side = _unit(np.cross(ref, t))
        normal = np.cross(t, side)
        rings[i] = p + np.outer(c * half[i, 0], side) + np.outer(s * half[i, 1], normal)
    return rings


def turned(x: float, y: float, yaw: float, z: float = 0.0, lean: float = 0.0) -> np.ndarray:
    """Return the 4x4 transform: lean about x, then yaw about z (radians), then move."""
    cy, sy, cl, sl = math.cos(yaw), math.sin(yaw), math.cos(lean), math.sin(lean)
    m = np.eye(4)
    m[:3, :3] = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, cl, -sl], [0, sl, cl]]
    )
    m[:3, 3] = (x, y, z)
    return m


def mirrored(path: Sequence[Vec]) -> list[Vec]:
    """Return the path on the other side of the object's middle plane."""
    return [(p[0], -p[1], p[2]) for p in path]


# --- materials ---------------------------------------------------------------------------------


def material(
    color: Vec, *, rough: float = 0.5, metal: float = 0.0, coat: float = 0.0, glow: float = 0.0
) -> Any:
    """Create a plain surface; `color` is linear RGB, `glow` an emission strength."""
    mat = bpy.data.materials.new("m")
    mat.use_nodes = True
    shader = mat.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*color, 1)
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Metallic"].default_value = metal
    shader.inputs["Coat Weight"].default_value = coat
    if glow:
        shader.inputs["Emission Color"].default_value = (*color, 1)
        shader.inputs["Emission Strength"].default_value = glow
    return mat


def patterned(
    rng: random.Random,
    colors: Sequence[Vec],
    kind: str,
    scale: float,
    *,
    rough: float = 0.5,
    metal: float = 0.0,
    stretch: Vec = (1, 1, 1),
    bump: float = 0.0,
) -> Any:
    """Create a surface whose colour runs between `colors` after a noise, wave, checker or brick."""
    mat = material(colors[0], rough=rough, metal=metal)
    tree = mat.node_tree
    shader = tree.nodes["Principled BSDF"]
    coord = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = [scale * k for k in stretch]
    mapping.inputs["Location"].default_value = [rng.uniform(0, 9) for _ in range(3)]
    tree.links.new(coord.outputs["Object"], mapping.inputs["Vector"])
    kinds = {
        "noise": "ShaderNodeTexNoise",
        "wave": "ShaderNodeTexWave",
        "checker": "ShaderNodeTexChecker",
        "brick": "ShaderNodeTexBrick",
        "cells": "ShaderNodeTexVoronoi",
    }
    texture = tree.nodes.new(kinds[kind])
    tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    if kind in ("checker", "brick"):
        texture.inputs["Color1"].default_value = (*colors[0], 1)
        texture.inputs["Color2"].default_value = (*colors[1], 1)
        if kind == "brick":
            texture.inputs["Mortar"].default_value = (*colors[-1], 1)
            texture.inputs["Mortar Size"].default_value = 0.008
            texture.offset = rng.choice((0.0, 0.5))
        out = texture.outputs["Color"]
    else:
        ramp = tree.nodes.new("ShaderNodeValToRGB")
        ramp.color_ramp.elements[0].color = (*colors[0], 1)
        ramp.color_ramp.elements[1].color = (*colors[-1], 1)
        ramp.color_ramp.elements[0].position = 0.35
        ramp.color_ramp.elements[1].position = 0.65
        source = texture.outputs["Distance" if kind == "cells" else 0]
        tree.links.new(source, ramp.inputs["Fac"])
        out = ramp.outputs["Color"]
    tree.links.new(out, shader.inputs["Base Color"])
    if bump:
        node = tree.nodes.new("ShaderNodeBump")
        node.inputs["Strength"].default_value = bump
        tree.links.new(texture.outputs[0], node.inputs["Height"])
        tree.links.new(node.outputs["Normal"], shader.inputs["Normal"])
    return mat


def pictured(pixels: np.ndarray, *, rough: float = 0.4, glow: float = 0.0) -> Any:
    """Create a surface that shows an image [h, w, 3] (0..1) over the face's own corners."""
    h, w = pixels.shape[:2]
    image = bpy.data.images.new("p", w, h)
    rgba = np.ones((h, w, 4), np.float32)
    rgba[..., :3] = pixels[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.pack()
    mat = material((0.5, 0.5, 0.5), rough=rough)
    tree = mat.node_tree
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    shader = tree.nodes["Principled BSDF"]
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    if glow:
        tree.links.new(texture.outputs["Color"], shader.inputs["Emission Color"])
        shader.inputs["Emission Strength"].default_value = glow
    return mat


def poster(corners: Sequence[Vec], mat: Any) -> Any:
    """Hang a picture on four corners (bottom left, bottom right, top right, top left)."""
    mesh = bpy.data.meshes.new("poster")
    mesh.from_pydata([tuple(c) for c in corners], [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new()
    layer.data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
    mesh.materials.append(mat)
    obj = bpy.data.objects.new("poster", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


# --- palettes ----------------------------------------------------------------------------------


def any_color(rng: random.Random, low: float = 0.02, high: float = 0.8) -> Vec:
    """Draw a saturated or grey linear colour."""
    import colorsys

    value = rng.uniform(low, high)
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.choice((0.0, 0.15, 0.5, 0.9)), value)
    return [c**1.6 for c in rgb]


def paint(rng: random.Random) -> Any:
    """Draw a vehicle's paint: often black, white, red, blue or grey."""
    usual = [
        (0.01, 0.01, 0.012),
        (0.7, 0.7, 0.7),
        (0.45, 0.01, 0.02),
        (0.02, 0.07, 0.35),
        (0.12, 0.12, 0.13),
        (0.6, 0.42, 0.02),
        (0.05, 0.3, 0.12),
        (0.5, 0.15, 0.25),
        (0.02, 0.25, 0.35),
        (0.25, 0.03, 0.25),
        (0.55, 0.5, 0.4),
    ]
    color = rng.choice(usual) if rng.random() < 0.8 else any_color(rng)
    return material(color, rough=rng.uniform(0.12, 0.45), coat=rng.choice((0, 0.5, 1)))


def plastic(rng: random.Random) -> Any:
    """Draw dark plastic."""
    k = rng.uniform(0.006, 0.06)
    return material((k, k, k * 1.05), rough=rng.uniform(0.3, 0.7))


def rubber() -> Any:
    """Return tyre rubber."""
    return material((0.012, 0.012, 0.012), rough=0.8)


def chrome(rng: random.Random) -> Any:
    """Draw bare metal tube."""
    k = rng.uniform(0.3, 0.8)
    return material((k, k, k), rough=rng.uniform(0.1, 0.4), metal=1)


def cloth(rng: random.Random) -> Any:
    """Draw a garment: plain, striped, checked or flowered."""
    plain = any_color(rng, 0.01, 0.85)
    if rng.random() < 0.65:
        return material(plain, rough=0.9)
    other = any_color(rng, 0.05, 0.9)
    kind = rng.choice(("checker", "wave", "cells", "noise"))
    return patterned(rng, [plain, other], kind, rng.uniform(6, 25), rough=0.9)
