"""Render what a fixed camera sees of a bin, a lid and a lamp, in each state and in any light.

python models/render/states.py --thing bin --part test --out PICTURES
Writes PICTURES/THING/PART/STATE/NUMBER.jpg and a .json with the facts beside each. A picture
depends on thing, part, state and number alone; what exists is skipped.

`teach` are the few pictures that somebody would take, `test` others in other light with other
content and people, `hour` one state in one hour of moving light with people passing.
"""

import argparse
import colorsys
import json
import math
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from kit import Builder, material, patterned, rubber, turned
from labels import index_material
from make import fresh, indices, ready, shoot
from people import standing
from scene import aim

SIZE = (256, 192)
STATES = {
    "bin": ("empty", "half", "full", "overflowing"),
    "lid": ("closed", "open"),
    "lamp": ("off", "on"),
}
CROPS = {
    "bin": (0.26, 0.12, 0.74, 0.9),
    "lid": (0.26, 0.12, 0.74, 0.9),
    "lamp": (0.37, 0.14, 0.63, 0.5),
}
COUNTS = {"teach": 8, "test": 40, "hour": 120}
TALL, WIDE, DEEP = 0.95, 0.31, 0.33  # half width and depth of the bin's rim, metres
PEOPLE = {"teach": 0.0, "test": 0.3, "hour": 0.25}


@dataclass
class Light:
    """Time of day in hours, share of cloud, lamp over the place, and how the camera copes."""

    hour: float
    cloud: float
    street: float
    tint: float
    headlight: float
    infrared: bool
    dark: bool


def daylight(rng: random.Random, part: str, number: int) -> Light:
    """Draw a time and its light; an `hour` is that before dark, 30 s between its pictures."""
    if part == "hour":
        hour = 17 + number / COUNTS["hour"]
        cloud = 0.5 + 0.5 * math.sin(number / 9) * math.cos(number / 23 + 1)
        street = 1.0 if hour > 17.8 else 0.0
        return Light(hour, cloud, street, 0.1, 0, infrared=False, dark=False)
    if part == "teach":  # a round in the morning, at noon, towards evening, and at night
        hour = (7.5, 9.5, 11.5, 13.5, 15.5, 17.0, 20.5, 23.0)[number % 8]
        hour += rng.uniform(-0.6, 0.6)
    else:
        hour = rng.uniform(0, 24)
    night = hour < 6.2 or hour > 18.2
    dark = part == "test" and night and rng.random() < 0.1
    lamps = night and not dark
    return Light(
        hour=hour,
        cloud=rng.random(),
        street=rng.uniform(0.7, 1.2) if lamps or rng.random() < 0.03 else 0.0,
        tint=rng.uniform(-0.1, 0.35),
        headlight=rng.uniform(0.5, 1.5) if part == "test" and lamps and rng.random() < 0.2 else 0.0,
        infrared=lamps and rng.random() < 0.2,
        dark=dark,
    )


def shine(light: Light) -> None:
    """Put sun, sky and lamps."""
    day = max(math.sin((light.hour - 6) / 12 * math.pi), 0.0) if 6 < light.hour < 18 else 0.0
    shader = bpy.context.scene.world.node_tree.nodes["Background"]
    shader.inputs[0].default_value = (0.75, 0.87, 1.0, 1)
    shader.inputs[1].default_value = 0.004 + day * (0.35 + 0.75 * light.cloud)
    if day:
        _sun(light, day)
    if light.street:
        warm = (1.0, 0.78 - 0.3 * max(light.tint, 0), 0.5 - 0.3 * max(light.tint, 0))
        _point((1.8, -0.9, 4.2), 110 * light.street, warm, 0.15)
    if light.headlight:
        _point((-4.0, -3.0, 0.7), 160 * light.headlight, (0.9, 0.95, 1.0), 0.1)
    if light.infrared:
        _point((0.6, -3.0, 3.1), 55, (1.0, 1.0, 1.0), 0.05)


def _sun(light: Light, day: float) -> None:
    data = bpy.data.lights.new("sun", "SUN")
    data.energy = 5.0 * (1 - light.cloud) ** 1.5 * (0.3 + 0.7 * day)
    data.angle = 0.01 + 0.3 * light.cloud
    low = 1 - day
    data.color = (1.0, 1 - 0.3 * low, 1 - 0.6 * low)
    sun = bpy.data.objects.new("sun", data)
    rise = math.radians(12 + 55 * day)
    way = (light.hour - 12) / 6 * math.radians(75)
    sun.rotation_euler = (math.pi / 2 - rise, 0, way)
    bpy.context.scene.collection.objects.link(sun)


def _point(at: Any, watts: float, color: Any, radius: float) -> None:
    data = bpy.data.lights.new("lamp", "POINT")
    data.energy, data.color, data.shadow_soft_size = watts, color, radius
    lamp = bpy.data.objects.new("lamp", data)
    lamp.location = at
    bpy.context.scene.collection.objects.link(lamp)


# --- the place: always the same ----------------------------------------------------------------


def yard() -> None:
    """Build the ground, a wall and what stands about; nothing here depends on the picture."""
    rng = random.Random("yard")
    b = Builder("yard")
    slabs = [(0.3, 0.29, 0.27), (0.22, 0.21, 0.2), (0.12, 0.12, 0.12)]
    b.box((0, 0, -0.05), (6, 6, 0.05), patterned(rng, slabs, "brick", 1.6, rough=0.9), 0)
    bricks = [(0.42, 0.26, 0.2), (0.33, 0.2, 0.15), (0.3, 0.3, 0.28)]
    b.box((0, 0.9, 1.4), (5, 0.08, 1.4), patterned(rng, bricks, "brick", 2.6, rough=0.9), 0)
    b.box((-1.15, 0.55, 0.5), (0.3, 0.28, 0.5), material((0.03, 0.09, 0.3), rough=0.5), 0.2)
    b.box((-1.15, 0.55, 1.03), (0.33, 0.31, 0.04), material((0.02, 0.06, 0.2), rough=0.5), 0.3)
    b.box((1.3, 0.79, 1.3), (0.22, 0.02, 0.3), material((0.8, 0.75, 0.2), rough=0.4), 0.1)
    b.tube([(0.95, 0.75, 0), (0.95, 0.75, 2.6)], 0.045, material((0.25, 0.25, 0.25), rough=0.5))
    b.into_scene(0, smooth=False)


def bin_body(lid: float) -> None:
    """Build the wheeled bin; `lid` is how far it is open, 0..1, 1 hanging down behind."""
    green = material((0.03, 0.16, 0.06), rough=0.45)
    dark = material((0.015, 0.03, 0.02), rough=0.7)
    b = Builder("bin")
    t = 0.02
    for side in (-1, 1):
        _panel(b, (side * WIDE, 0), (t, DEEP), green)
        _panel(b, (0, side * DEEP), (WIDE + t, t), green)
    b.box((0, 0, 0.1), (WIDE * 0.86, DEEP * 0.86, 0.03), dark, 0)
    for side in (-1, 1):
        b.tube([(side * WIDE, -DEEP, TALL), (side * WIDE, DEEP, TALL)], 0.028, green)
        b.ring((side * 0.27, DEEP * 0.9, 0.12), 0.09, 0.03, rubber(), axis=(1, 0, 0))
    for end in (-1, 1):
        b.tube([(-WIDE, end * DEEP, TALL), (WIDE, end * DEEP, TALL)], 0.028, green)
    cover = Builder("lid")
    cover.box((0, -DEEP, 0.02), (WIDE + 0.04, DEEP + 0.03, 0.022), green, 0.4)
    cover.tube([(-0.12, -2 * DEEP - 0.02, 0.05), (0.12, -2 * DEEP - 0.02, 0.05)], 0.018, dark)
    cover.moved(turned(0, DEEP + 0.03, 0, TALL + 0.03, lean=-math.radians(255) * lid))
    b.join(cover)
    b.into_scene(0, smooth=False)


def _panel(b: Builder, at: tuple[float, float], half: tuple[float, float], mat: Any) -> None:
    low = 0.86
    b.loft(
        [(at[0] * low, at[1] * low, 0.08), (at[0], at[1], TALL)],
        [(half[1] * low, half[0]), (half[1], half[0])],
        mat,
        up=(1, 0, 0),
        power=12,
        around=8,
    )


def rubbish(rng: random.Random, state: str) -> None:
    """Fill the bin: always with other bags, boxes and bottles."""
    level = {
        "empty": 0.0,
        "half": rng.uniform(0.45, 0.58),
        "full": rng.uniform(0.84, 0.92),
        "overflowing": rng.uniform(0.98, 1.08),
    }[state]
    if state == "empty":
        for _ in range(rng.choice((0, 0, 1, 2))):
            _scrap(rng, rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), 0.17)
        return
    base = Builder("base")
    shade = rng.uniform(0.01, 0.2)
    base.box(
        (0, 0, level - 0.2), (WIDE * 0.9, DEEP * 0.9, 0.05), material([shade] * 3, rough=0.8), 0
    )
    base.into_scene(0)
    top = WIDE - 0.12 if state != "overflowing" else WIDE - 0.06
    for k in range(rng.randint(8, 12)):
        x, y = rng.uniform(-top, top), rng.uniform(-top, top)
        _bag(rng, x, y, level - 0.13 + rng.uniform(0, 0.05), rng.uniform(0.11, 0.17))
        if state == "overflowing" and k < 5:
            _bag(rng, x * 0.6, y * 0.6, level + rng.uniform(0.08, 0.22), rng.uniform(0.12, 0.18))
    for _ in range(rng.randint(0, 4)):
        _scrap(rng, rng.uniform(-top, top), rng.uniform(-top, top), level + 0.02)
    if state == "overflowing":
        for _ in range(rng.randint(0, 3)):
            side = rng.choice((-1, 1))
            _bag(rng, side * rng.uniform(0.5, 0.75), rng.uniform(-0.3, 0.2), 0.13, 0.16)


def _bag(rng: random.Random, x: float, y: float, z: float, size: float) -> None:
    hue, value = rng.random(), rng.choice((0.02, 0.05, 0.3, 0.7))
    color = colorsys.hsv_to_rgb(hue, rng.choice((0, 0, 0.5, 0.8)), value)
    b = Builder("bag")
    if rng.random() < 0.25:
        card = (0.42 * rng.uniform(0.6, 1.2), 0.28, 0.15)
        half = [size * rng.uniform(0.5, 1.0) for _ in range(3)]
        b.box((0, 0, 0), half, material(card, rough=0.8), 0.05)
        b.moved(turned(x, y, rng.uniform(0, 6.3), z, rng.uniform(-0.4, 0.4)))
    else:
        stuff = material(color, rough=rng.uniform(0.25, 0.6))
        b.ball((x, y, z), [size * rng.uniform(0.75, 1.15) for _ in range(3)], stuff)
        b.ball((x, y, z + size * 0.95), (0.03, 0.03, 0.06), stuff, 8)
        points = b.verts
        b.verts = [
            v + np.array([rng.gauss(0, 0.012) for _ in v.flat]).reshape(v.shape) for v in points
        ]
    b.into_scene(0)


def _scrap(rng: random.Random, x: float, y: float, z: float) -> None:
    b = Builder("scrap")
    color = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.8))
    a = rng.uniform(0, 6.3)
    end = (x + 0.16 * math.cos(a), y + 0.16 * math.sin(a), z + rng.uniform(0, 0.05))
    b.loft([(x, y, z), end], [0.035, 0.025], material(color, rough=0.2), round_ends=True)
    b.into_scene(0)


def facade(lit: bool, light: Light) -> None:
    """Build a doorway with a bulkhead lamp over it, lit or not."""
    rng = random.Random("facade")
    b = Builder("facade")
    plaster = patterned(rng, [(0.5, 0.45, 0.36), (0.42, 0.38, 0.3)], "noise", 3, rough=0.9)
    b.box((0, 0.9, 1.8), (4, 0.1, 1.8), plaster, 0)
    b.box((0, 0, -0.05), (5, 5, 0.05), material((0.2, 0.2, 0.2), rough=0.9), 0)
    b.box((0, 0.8, 1.05), (0.55, 0.02, 1.05), material((0.2, 0.1, 0.05), rough=0.4), 0.02)
    b.box((0, 0.78, 2.14), (0.65, 0.05, 0.05), material((0.6, 0.6, 0.58), rough=0.6), 0.1)
    b.box((0.95, 0.79, 1.5), (0.12, 0.02, 0.18), material((0.6, 0.6, 0.6), rough=0.2, metal=1), 0.1)
    b.box((-1.2, 0.79, 1.6), (0.4, 0.02, 0.55), material((0.03, 0.04, 0.06), rough=0.1), 0.05)
    b.box((0, 0.77, 2.5), (0.16, 0.04, 0.09), material((0.1, 0.1, 0.1), rough=0.5), 0.2)
    glass = material((1.0, 0.86, 0.66), glow=9) if lit else material((0.75, 0.75, 0.72), rough=0.25)
    b.ball((0, 0.71, 2.5), (0.13, 0.07, 0.075), glass)
    b.into_scene(0, smooth=False)
    if lit:
        _point((0, 0.5, 2.48), 16, (1.0, 0.84, 0.62), 0.09)
    if light.street:
        _point((-4, -2, 3.5), 60 * light.street, (1.0, 0.75, 0.45), 0.2)


def passers(rng: random.Random, thing: str) -> None:
    """Put one or two people somewhere about, in front more often than not."""
    for _ in range(rng.choice((1, 1, 2))):
        body = standing(rng, child=rng.random() < 0.15)
        y = rng.uniform(-1.5, -0.45) if rng.random() < 0.75 else rng.uniform(0.3, 0.6)
        reach = 0.9 if thing == "lamp" else 1.1
        body.moved(turned(rng.uniform(-reach, reach), y, rng.uniform(0, 6.3)))
        body.into_scene(1)


# --- pictures ----------------------------------------------------------------------------------


def build(rng: random.Random, thing: str, state: str, light: Light) -> Any:
    """Build thing and place in a state; return the camera."""
    if thing == "lamp":
        facade(state == "on", light)
        return aim((0.9, -3.6, 2.2), (0.0, 0.8, 1.9), 52, 0.0)
    yard()
    bin_body(0.0 if state == "closed" else 1.0)
    rubbish(
        rng, state if thing == "bin" else rng.choice(STATES["bin"]) if state == "open" else "empty"
    )
    return aim((0.3, -1.25, 3.1), (0.0, 0.02, 0.7), 50, 0.0)


def developed(rng: random.Random, image: np.ndarray, light: Light) -> np.ndarray:
    """Expose, tint and disturb a picture as a cheap camera would."""
    day = image.astype(np.float32)
    gain = min(max(108 / max(float(day.mean()), 1.0), 0.55), 7.0) ** 0.9
    day *= gain * rng.uniform(0.88, 1.12)
    if light.infrared:
        day[:] = day.mean(axis=2, keepdims=True)
    else:
        day *= np.array([1 - 0.12 * light.tint, 1.0, 1 + 0.12 * light.tint], np.float32)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 1, day.shape)
    day += noise * (1.2 + 1.1 * gain) * (0.6 + np.sqrt(np.clip(day, 0, 255) / 255))
    return np.clip(day, 0, 255).astype(np.uint8)


def one(thing: str, part: str, state: str, number: int, args: argparse.Namespace) -> Any:
    """Render one picture; return it and its facts."""
    rng = random.Random(f"{thing}-{part}-{state}-{number}")
    scene = fresh(args.threads)
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.cycles.max_bounces = 2
    light = daylight(rng, part, number)
    content = random.Random(f"{thing}-{state}-hour") if part == "hour" else rng
    build(content, thing, state, light)
    shine(light)
    hidden = 0.0
    crowd = rng.random() < PEOPLE[part]
    if crowd:
        passers(rng, thing)
        bpy.context.view_layer.update()
        hidden = covered(indices(scene, index_material()), CROPS[thing])
    bpy.context.view_layer.update()
    ready(scene, args.samples, alpha=False)
    scene.view_settings.view_transform = "Standard"
    image = developed(rng, shoot(scene, "rgb", alpha=False), light)
    return image, {"state": state, "people": crowd, "hidden": round(hidden, 3), **asdict(light)}


def covered(ids: np.ndarray, crop: tuple[float, float, float, float]) -> float:
    """Return the share of the crop in which somebody is."""
    height, width = ids.shape
    x1, y1, x2, y2 = crop
    part = ids[int(y1 * height) : int(y2 * height), int(x1 * width) : int(x2 * width)]
    return float((part == 1).mean())


def main() -> None:
    """Render what is missing of one thing's part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thing", choices=STATES, required=True)
    parser.add_argument("--part", choices=COUNTS, required=True)
    parser.add_argument("--states", nargs="*", help="only these")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, help="pictures of each state")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    start = time.monotonic()
    count = args.count or COUNTS[args.part]
    for number in range(args.first, args.first + count, args.step):
        for state in args.states or STATES[args.thing]:
            stem = args.out / args.thing / args.part / state / f"{number:03d}"
            if stem.with_suffix(".json").exists():
                continue
            stem.parent.mkdir(parents=True, exist_ok=True)
            image, facts = one(args.thing, args.part, state, number, args)
            cv2.imwrite(str(stem.with_suffix(".jpg")), image, [cv2.IMWRITE_JPEG_QUALITY, 82])
            stem.with_suffix(".json").write_text(json.dumps(facts))
        print(number, f"{time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
