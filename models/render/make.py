"""Render labelled pictures: elevator scenes (JPEG) or cut-outs for pasting (PNG with alpha).

Example: python models/render/make.py --what elevator --first 0 --count 100 --out RENDERS
Picture number n depends on n alone, so ranges can be rendered in any order and resumed.
"""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from labels import boxes, index_material
from scene import LABELS, Stage, cutout, elevator, look

SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")


def fresh(threads: int) -> Any:
    """Empty Blender and set Cycles for small, quick pictures."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.render.threads_mode = "FIXED"
    scene.render.threads = threads
    scene.cycles.max_bounces = 3
    scene.cycles.diffuse_bounces = 1
    scene.cycles.glossy_bounces = 2
    scene.cycles.use_light_tree = False
    scene.cycles.caustics_reflective = False
    scene.cycles.sample_clamp_indirect = 4.0
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.denoising_prefilter = "NONE"
    scene.cycles.denoising_quality = "FAST"
    scene.render.dither_intensity = 0
    scene.render.use_persistent_data = True
    scene.render.resolution_percentage = 100
    world = bpy.data.worlds.new("w")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.05
    return scene


def shoot(scene: Any, name: str, *, alpha: bool) -> np.ndarray:
    """Render to memory-backed disk and read it back as BGR(A)."""
    path = SCRATCH / f"linli-{os.getpid()}-{name}.png"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA" if alpha else "RGB"
    scene.render.image_settings.compression = 0
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    path.unlink()
    return image


def picture(scene: Any, rng: random.Random, samples: int, *, alpha: bool) -> np.ndarray:
    """Render what the camera sees."""
    ready(scene, samples, alpha=alpha)
    scene.view_settings.view_transform = rng.choice(("Standard", "Filmic", "AgX"))
    scene.view_settings.exposure = rng.gauss(0, 0.5)
    image = shoot(scene, "rgb", alpha=alpha)
    return image if alpha else exposed(rng, image)


def ready(scene: Any, samples: int, *, alpha: bool) -> None:
    """Set Cycles for pictures, after it may have been set for indices."""
    scene.view_layers[0].material_override = None
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS"
    scene.render.film_transparent = alpha


def exposed(rng: random.Random, image: np.ndarray) -> np.ndarray:
    """Brighten or darken as a camera's automatic exposure would, not always well."""
    goal = rng.uniform(55, 145)
    gain = min(max(goal / max(float(image.mean()), 1.0), 0.6), 4.0)
    return np.clip(image * gain, 0, 255).astype(np.uint8)


def indices(scene: Any, override: Any) -> np.ndarray:
    """Render pass indices [h, w] without any smoothing."""
    scene.view_layers[0].material_override = override
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.filter_width = 0.01
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Raw"
    scene.view_settings.exposure = 0
    return shoot(scene, "ids", alpha=False)[..., 2]


def size(rng: random.Random) -> tuple[int, int]:
    """Draw a picture's width and height, about 95 000 pixels."""
    return rng.choice(((336, 288), (368, 272), (384, 240), (272, 352), (312, 312)))


def one(number: int, args: argparse.Namespace) -> None:
    """Render picture (or pair of views) `number` and write picture, labels and facts."""
    rng = random.Random(f"{args.what}-{number}")
    scene = fresh(args.threads)
    scene.render.resolution_x, scene.render.resolution_y = (
        size(rng) if args.what == "elevator" else (224, 224)
    )
    override = index_material()
    stage: Stage
    room = None
    if args.what == "elevator":
        room, stage, kind = elevator(rng)
    else:
        stage, kind = cutout(rng, args.kinds)
    for view in range(args.views if room else 1):
        name = look(rng, room, stage) if room else "open"
        bpy.context.view_layer.update()
        ids = indices(scene, override)
        found = boxes(ids, stage.placed, scene.camera)
        if stage.placed and not found:
            continue
        image = picture(scene, rng, args.samples, alpha=room is None)
        write(
            args.out, f"{args.what}-{number:06d}-{view}", image, found, {"kind": kind, "view": name}
        )


def write(out: Path, stem: str, image: np.ndarray, found: list[Any], facts: dict[str, Any]) -> None:
    """Write the picture, its YOLO labels and its facts."""
    height, width = image.shape[:2]
    if image.shape[2] == 4:
        cv2.imwrite(str(out / "images" / f"{stem}.png"), image)
    else:
        cv2.imwrite(str(out / "images" / f"{stem}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 93])
    (out / "labels" / f"{stem}.txt").write_text(
        "".join(b.yolo(width, height) + "\n" for b in found)
    )
    facts["boxes"] = [(b.label, [round(v) for v in b.xyxy], round(b.shown, 2)) for b in found]
    (out / "facts" / f"{stem}.json").write_text(json.dumps(facts))


def main() -> None:
    """Render a range of pictures, skipping those that exist."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=("elevator", "cutout"), default="elevator")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", help="cut-outs: only of these kinds")
    parser.add_argument("--views", type=int, default=2)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for folder in ("images", "labels", "facts"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    (args.out / "classes.txt").write_text("\n".join(LABELS) + "\n")
    start = time.monotonic()
    for number in range(args.first, args.first + args.count, args.step):
        if time.monotonic() - start > args.minutes * 60:
            break
        if not list((args.out / "facts").glob(f"{args.what}-{number:06d}-*.json")):
            one(number, args)
            print(number, f"{time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
