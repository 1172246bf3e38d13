"""Ready-made models from Sweet Home 3D's furniture libraries, beside those of our own.

Debian's package `sweethome3d-furniture` carries them (unpack its .sh3f files, which are ZIPs, each
into a folder of its own name); Scopia's, Kator Legaz', Reallusion's and BlendSwap's models are
CC BY 3.0. Without the folder nothing is borrowed.
"""

import colorsys
import os
import random
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from kit import Builder

LIBRARY = Path(os.environ.get("LINLI_FURNITURE", "furniture"))
# name: (file, height in metres, turn about the vertical in quarters)
MODELS = {
    "vespa": ("KatorLegaz/katorlegaz/scooter/scooter.obj", 1.258, 0),
    "moped": ("Scopia/scopia/scooter2/scooter2.obj", 1.208, 0),
    "wheelchair": ("BlendSwap-CC-BY/blendswap-cc-by/wheelchair/wheelchair.obj", 0.91, 0),
    "bmx": ("BlendSwap-CC-BY/blendswap-cc-by/bike/bike.obj", 0.95, 0),
    "bicycle": ("Scopia/scopia/bicycle/bicycle.obj", 1.02, 0),
    "stroller": ("Scopia/scopia/stroller/stroller.obj", 0.992, 0),
    "boy-sitting": ("Reallusion/reallusion/boySitting/boySitting.obj", 1.306, 0),
    "girl-sitting": ("Reallusion/reallusion/girlSittingTable/girlSittingTable.obj", 1.299, 0),
    "boy": ("Reallusion/reallusion/boyStanding/boyStanding.obj", 1.7, 0),
    "girl": ("Reallusion/reallusion/girlStanding/girlStanding.obj", 1.62, 0),
}


def available() -> bool:
    """Tell whether the library is there."""
    return (LIBRARY / MODELS["wheelchair"][0]).exists()


class Borrowed(Builder):
    """A model of the library in our frame: x forward, origin on the floor; keeps its textures."""

    def __init__(self, name: str, rng: random.Random, *, recolor: bool = True) -> None:
        super().__init__(name)
        file, height, turns = MODELS[name]
        before = set(bpy.data.objects)
        bpy.ops.wm.obj_import(filepath=str(LIBRARY / file))
        parts = [o for o in bpy.data.objects if o not in before]
        bpy.ops.object.select_all(action="DESELECT")
        for part in parts:
            part.select_set(True)
        bpy.context.view_layer.objects.active = parts[0]
        if len(parts) > 1:
            bpy.ops.object.join()
        self.object = bpy.context.view_layer.objects.active
        self.mesh = self.object.data
        flat = np.empty(len(self.mesh.vertices) * 3)
        self.mesh.vertices.foreach_get("co", flat)
        world = np.array(self.object.matrix_world)
        points = flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]
        points = np.column_stack((-points[:, 1], points[:, 0], points[:, 2]))
        for _ in range(turns):
            points = np.column_stack((-points[:, 1], points[:, 0], points[:, 2]))
        low, high = points.min(0), points.max(0)
        points -= np.array([*(low[:2] + high[:2]) / 2, low[2]])
        self.verts = [points * height / (high[2] - low[2])]
        self.faces = [([tuple(p.vertices) for p in self.mesh.polygons], None)]
        self.count = len(points)
        bpy.context.scene.collection.objects.unlink(self.object)
        if recolor:
            _recolor(self.mesh, rng)

    def into_scene(self, index: int, *, smooth: bool = True) -> Any:
        """Link the object where its vertices have been moved to."""
        del smooth
        self.mesh.vertices.foreach_set("co", self.points().ravel())
        self.mesh.update()
        self.object.matrix_world.identity()
        self.object.pass_index = index
        bpy.context.scene.collection.objects.link(self.object)
        return self.object


def _recolor(mesh: Any, rng: random.Random) -> None:
    """Turn all colours by one hue and vary each material's lightness, textures included."""
    hue, strong, light = rng.random(), rng.uniform(0.2, 1.3), rng.uniform(0.4, 1.5)
    for mat in mesh.materials:
        if mat is None or not mat.use_nodes:
            continue
        tree = mat.node_tree
        shader = next((n for n in tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
        if shader is None:
            continue
        base = shader.inputs["Base Color"]
        shader.inputs["Roughness"].default_value = rng.uniform(0.2, 0.7)
        if base.links:
            change = tree.nodes.new("ShaderNodeHueSaturation")
            change.inputs["Hue"].default_value = hue
            change.inputs["Saturation"].default_value = strong
            change.inputs["Value"].default_value = light
            tree.links.new(base.links[0].from_socket, change.inputs["Color"])
            tree.links.new(change.outputs[0], base)
            continue
        h, s, v = colorsys.rgb_to_hsv(*list(base.default_value)[:3])
        v = min(max(v * light * rng.uniform(0.8, 1.2), 0.005), 0.95)
        rgb = colorsys.hsv_to_rgb((h + hue) % 1, min(s * strong, 1), v)
        base.default_value = (*rgb, 1)
