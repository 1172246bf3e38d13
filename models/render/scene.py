"""Scenes drawn by chance: what stands in the car, from where it is seen, and in what light."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from borrowed import Borrowed, available
from car import Room, any_room, build_room
from kit import Builder, turned
from people import pushing, riding, sitting, standing
from things import luggage, street_thing, stroller, wheelchair
from vehicles import two_wheeler

CONTENTS = {
    "scooter": 24,
    "light": 12,
    "delivery": 9,
    "covered": 6,
    "bicycle": 12,
    "stroller": 11,
    "wheelchair": 14,
    "luggage": 6,
    "people": 7,
    "empty": 2,
}
LABELS = ("person", "ebike", "bicycle", "stroller", "wheelchair")
RIDES = ("scooter", "light", "delivery", "covered", "bicycle")
BORROWED = {"wheelchair": 0.45, "scooter": 0.4, "bicycle": 0.35, "stroller": 0.3, "people": 0.3}
CELL = 0.06


@dataclass
class Placed:
    """A labelled object in the scene: its pass index, class name and world vertices."""

    index: int
    label: str
    body: Builder


@dataclass
class Stage:
    """What has been put into the scene so far."""

    rng: random.Random
    placed: list[Placed] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)

    def put(self, parts: list[tuple[Builder, str]]) -> None:
        """Add built parts (already in world coordinates), labelled or not."""
        for body, label in parts:
            index = len(self.placed) + 1 if label else 0
            body.into_scene(index)
            if label:
                self.placed.append(Placed(index, label, body))
            self.taken |= _cells(body)


def _cells(body: Builder) -> set[tuple[int, int]]:
    flat = np.unique(np.floor(body.points()[:, :2] / CELL).astype(int), axis=0)
    return {(int(a), int(b)) for a, b in flat}


def group(rng: random.Random, kind: str) -> list[tuple[Builder, str]]:
    """Build one kind of content with whoever rides, sits in or pushes it, in its own frame."""
    if kind in BORROWED and available() and rng.random() < BORROWED[kind]:
        return borrowed_group(rng, kind)
    if kind in RIDES:
        ride = two_wheeler(rng, kind)
        parts = [(ride.body, ride.label)]
        who = rng.random()
        if kind == "covered":
            who = max(who, 0.7)
        if who < 0.2:
            parts.append((riding(rng, ride.seat, ride.grips, ride.feet), "person"))
            if rng.random() < 0.12:
                back = np.asarray(ride.seat) - np.array([0.32, 0, 0])
                feet = tuple(np.array([back[0] + 0.15, s * 0.18, 0.28]) for s in (1, -1))
                parts.append((sitting(rng, back, feet, child=rng.choice((1.0, 0.65))), "person"))
        elif who < 0.62:
            parts.append((pushing(rng, ride.grips, rng.choice((-1, 1))), "person"))
        return parts
    if kind in ("stroller", "wheelchair", "luggage"):
        thing = {"stroller": stroller, "wheelchair": wheelchair, "luggage": luggage}[kind](rng)
        parts = [(thing.body, thing.label)]
        if (
            thing.seat is not None
            and thing.feet
            and rng.random() < (0.7 if kind == "wheelchair" else 0.4)
        ):
            small = rng.uniform(0.42, 0.55) if kind == "stroller" else 1.0
            arms = thing.arms if rng.random() < 0.6 else None
            parts.append((sitting(rng, thing.seat, thing.feet, arms, small), "person"))
        if rng.random() < 0.6:
            hip = np.array(
                [thing.handles[0][0] - rng.uniform(0.3, 0.5), rng.uniform(-0.05, 0.05), 0.88]
            )
            parts.append((_pusher(rng, hip, thing.handles), "person"))
        return parts
    return [(standing(rng, child=rng.random() < 0.12), "person")]


def borrowed_group(rng: random.Random, kind: str) -> list[tuple[Builder, str]]:
    """Build a group around a ready-made model."""
    if kind == "wheelchair":
        chair = Borrowed("wheelchair", rng)
        parts: list[tuple[Builder, str]] = [(chair, "wheelchair")]
        who = rng.random()
        if who < 0.5:
            sitter = Borrowed(rng.choice(("boy-sitting", "girl-sitting")), rng, recolor=False)
            back = chair.points()[:, 0].min() + rng.uniform(0.12, 0.22)
            move = turned(back - sitter.points()[:, 0].min(), 0, 0)
            move[2, 3] = rng.uniform(0.0, 0.12)
            parts.append((sitter.moved(move), "person"))
        elif who < 0.8:
            feet = tuple(np.array([0.42, s * 0.12, 0.14]) for s in (1, -1))
            arms = tuple(np.array([0.0, s * 0.28, 0.68]) for s in (1, -1))
            seat = np.array([-0.12, 0, 0.5])
            parts.append((sitting(rng, seat, feet, arms if rng.random() < 0.6 else None), "person"))
        if rng.random() < 0.4:
            handles = tuple(np.array([-0.42, s * 0.24, 0.9]) for s in (1, -1))
            hip = np.array([-0.42 - rng.uniform(0.3, 0.5), rng.uniform(-0.05, 0.05), 0.88])
            parts.append((_pusher(rng, hip, handles), "person"))  # type: ignore[arg-type]
        return parts
    if kind == "stroller":
        return [(Borrowed("stroller", rng), "stroller")]
    if kind == "people":
        return [(Borrowed(rng.choice(("boy", "girl")), rng, recolor=False), "person")]
    name = rng.choice(("vespa", "moped") if kind == "scooter" else ("bicycle", "bicycle", "bmx"))
    ride = Borrowed(name, rng)
    parts = [(ride, "ebike" if kind == "scooter" else "bicycle")]
    who = rng.random()
    if kind == "scooter" and who < 0.7:
        grips = tuple(np.array([0.45, s * 0.32, 1.0]) for s in (1, -1))
        if who < 0.25:
            feet = tuple(np.array([0.15, s * 0.14, 0.3]) for s in (1, -1))
            parts.append((riding(rng, np.array([-0.3, 0, 0.8]), grips, feet), "person"))  # type: ignore[arg-type]
        else:
            parts.append((pushing(rng, grips, rng.choice((-1, 1))), "person"))  # type: ignore[arg-type]
    return parts


def _pusher(rng: random.Random, hip: Any, handles: tuple[Any, Any]) -> Builder:
    from people import Pose, person

    hands = handles if rng.random() < 0.8 else (handles[0], None)
    return person(rng, Pose(hip, lean=rng.uniform(0.02, 0.3), hands=hands))


def _try_place(stage: Stage, parts: list[tuple[Builder, str]], room: Room, where: str) -> bool:
    rng = stage.rng
    w, d = room.width / 2, room.depth / 2
    base = [np.concatenate(b.verts) for b, _ in parts]
    points = np.concatenate(base)
    for slack in (0.0, 0.0, 0.05, 0.1, 0.2):
        for _ in range(14):
            straight = rng.choice((-1, 1)) * math.pi / 2
            yaw = (
                straight + rng.gauss(0, 0.35)
                if rng.random() < 0.75
                else rng.uniform(0, 2 * math.pi)
            )
            deep = {"car": (-d, d), "door": (d - 0.6, d + 0.7), "lobby": (d + 0.5, d + 1.9)}[where]
            m = turned(
                rng.uniform(-w, w) * (0.8 if where != "lobby" else 1.2), rng.uniform(*deep), yaw
            )
            moved = points @ m[:3, :3].T + m[:3, 3]
            inside = moved[:, 1] < d + 0.2
            if where == "car" and (moved[:, 1].max() > d + slack or not inside.all()):
                continue
            if inside.any() and np.abs(moved[inside, 0]).max() > w - 0.02 + slack:
                continue
            gate = np.abs(moved[:, 1] - d - 0.08) < 0.12
            if gate.any() and np.abs(moved[gate, 0]).max() > room.door / 2:
                continue
            if moved[:, 1].min() < -d - slack:
                continue
            cells = {
                (int(a), int(b))
                for a, b in np.unique(np.floor(moved[:, :2] / CELL).astype(int), axis=0)
            }
            if len(cells & stage.taken) > 0.04 * len(cells):
                continue
            for b, _ in parts:
                b.moved(m)
            stage.put(parts)
            return True
    return False


def fill(rng: random.Random, room: Room) -> tuple[Stage, str]:
    """Draw what is in the scene and put it there; return the stage and the main content."""
    stage = Stage(rng)
    kind = rng.choices(list(CONTENTS), list(CONTENTS.values()))[0]
    if kind == "empty":
        return stage, kind
    spots = ["car"] * 6 + (["door", "door", "lobby"] if room.opened > 0.85 else [])
    if kind != "people" and not _try_place(stage, group(rng, kind), room, rng.choice(spots)):
        alone = group(rng, kind)[:1]
        _try_place(stage, alone, room, "car" if room.opened < 0.85 else "door")
    if kind != "people" and rng.random() < 0.18:
        _try_place(
            stage, group(rng, rng.choice((*RIDES, "luggage", "stroller"))), room, rng.choice(spots)
        )
    for _ in range(rng.choice((1, 2, 3)) if kind == "people" else rng.choice((0, 0, 0, 1, 1, 2))):
        _try_place(stage, group(rng, "people"), room, rng.choice(spots))
    if rng.random() < 0.12:
        _try_place(stage, [(street_thing(rng).body, "")], room, rng.choice(spots))
    if rng.random() < 0.12:
        _try_place(stage, [(luggage(rng).body, "")], room, "car")
    return stage, kind


# --- cameras -----------------------------------------------------------------------------------


def aim(position: Any, target: Any, fov: float, roll: float) -> Any:
    """Return a new camera object; `fov` in degrees along the longer side."""
    data = bpy.data.cameras.new("cam")
    data.angle = math.radians(fov)
    data.clip_start = 0.03
    cam = bpy.data.objects.new("cam", data)
    bpy.context.scene.collection.objects.link(cam)
    bpy.context.scene.camera = cam
    from mathutils import Vector

    way = Vector(np.asarray(target, float) - np.asarray(position, float))
    cam.location = position
    quat = way.to_track_quat("-Z", "Y")
    cam.rotation_mode = "QUATERNION"
    from mathutils import Quaternion

    cam.rotation_quaternion = quat @ Quaternion((0, 0, 1), roll)
    return cam


def viewpoint(rng: random.Random, room: Room) -> tuple[str, Any, Any, float]:
    """Draw (name, position, target, field of view in degrees)."""
    w, d, h = room.width / 2, room.depth / 2, room.height
    kinds = (
        ["corner"] * 5
        + ["top"] * 2
        + ["inside"]
        + (["lobby"] * 6 + ["ceiling"] if room.opened > 0.6 else [])
    )
    kind = rng.choice(kinds)
    if kind == "corner":
        sx, sy = rng.choice((-1, 1)), rng.choice((-1, 1))
        pos = (
            sx * (w - rng.uniform(0.06, 0.2)),
            sy * (d - rng.uniform(0.06, 0.2)),
            h - rng.uniform(0.06, 0.25),
        )
        target = (
            -sx * w * rng.uniform(0, 0.5),
            -sy * d * rng.uniform(0, 0.7),
            rng.uniform(0.3, 1.0),
        )
        return kind, pos, target, rng.uniform(72, 112)
    if kind == "top":
        sy = rng.choice((-1, 1))
        pos = (rng.uniform(-0.4, 0.4) * w, sy * (d - 0.1), h - rng.uniform(0.05, 0.2))
        return (
            kind,
            pos,
            (rng.uniform(-0.2, 0.2), -sy * d * rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.9)),
            rng.uniform(75, 110),
        )
    if kind == "inside":
        sy = rng.choice((-1, 1))
        pos = (rng.uniform(-0.7, 0.7) * w, sy * (d - 0.08), rng.uniform(1.3, 1.7))
        return (
            kind,
            pos,
            (rng.uniform(-0.3, 0.3), -sy * d, rng.uniform(0.6, 1.0)),
            rng.uniform(65, 90),
        )
    if kind == "lobby":
        far = d + rng.uniform(0.9, 3.0)
        pos = (rng.gauss(0, 0.35) * (far - d), far, rng.uniform(1.0, 1.8))
        target = (rng.uniform(-0.3, 0.3), rng.uniform(-d, d), rng.uniform(0.55, 1.15))
        return kind, pos, target, rng.uniform(38, 75)
    pos = (rng.uniform(-1.2, 1.2), d + rng.uniform(1.2, 2.5), rng.uniform(2.0, 2.4))
    return (
        kind,
        pos,
        (rng.uniform(-0.3, 0.3), d * rng.uniform(0, 1), rng.uniform(0.3, 0.8)),
        rng.uniform(55, 95),
    )


def look(rng: random.Random, room: Room, stage: Stage) -> str:
    """Set a camera that is not inside anything; return the viewpoint's name."""
    kind, pos, target, fov = viewpoint(rng, room)
    for _ in range(12):
        near = [
            np.linalg.norm(p.body.points() - np.asarray(pos), axis=1).min() for p in stage.placed
        ]
        if not near or min(near) > 0.3:
            break
        kind, pos, target, fov = viewpoint(rng, room)
    if stage.placed and rng.random() < 0.6:
        main = stage.placed[0].body.points()
        target = tuple(np.asarray(target) * 0.5 + (main.max(0) + main.min(0)) / 2 * 0.5)
    slack = 0.24 if kind in ("corner", "top") else 0.06  # cameras in cars hang as they were screwed
    aim(pos, target, fov, rng.gauss(0, slack))
    return kind


def elevator(rng: random.Random) -> tuple[Room, Stage, str]:
    """Build a whole elevator scene."""
    room = build_room(rng, any_room(rng))
    stage, kind = fill(rng, room)
    return room, stage, kind


def cutout(rng: random.Random, kinds: list[str] | None = None) -> tuple[Stage, str]:
    """Build one group in the open with a camera on it, for pasting into photographs."""
    stage = Stage(rng)
    names = kinds or list(CONTENTS)[:8]
    kind = rng.choices(names, [CONTENTS[k] for k in names])[0]
    parts = group(rng, kind)
    m = turned(0, 0, rng.uniform(0, 2 * math.pi))
    for b, _ in parts:
        b.moved(m)
    stage.put(parts)
    points = np.concatenate([b.points() for b, _ in parts])
    centre, size = (
        (points.max(0) + points.min(0)) / 2,
        float(np.linalg.norm(points.max(0) - points.min(0))),
    )
    fov = rng.uniform(25, 65)
    away = size / (2 * math.tan(math.radians(fov / 2))) * rng.uniform(0.85, 1.15)
    angle, rise = (
        rng.uniform(0, 2 * math.pi),
        math.radians(rng.choice((rng.uniform(-5, 20), rng.uniform(10, 50), rng.uniform(35, 80)))),
    )
    pos = centre + away * np.array(
        [math.cos(angle) * math.cos(rise), math.sin(angle) * math.cos(rise), math.sin(rise)]
    )
    aim(pos, centre, fov, rng.gauss(0, 0.05 if rise < 0.5 else 0.25))
    _open_light(rng)
    return stage, kind


def _open_light(rng: random.Random) -> None:
    world = bpy.context.scene.world
    shader = world.node_tree.nodes["Background"]
    k = rng.uniform(0.7, 1.3)
    shader.inputs[0].default_value = (k * rng.uniform(0.8, 1.1), k, k * rng.uniform(0.8, 1.2), 1)
    shader.inputs[1].default_value = rng.uniform(0.25, 1.0)
    data = bpy.data.lights.new("sun", "SUN")
    data.energy = rng.uniform(0.5, 4.5)
    data.angle = rng.uniform(0.02, 0.8)
    sun = bpy.data.objects.new("sun", data)
    sun.rotation_euler = (rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0, 6))
    bpy.context.scene.collection.objects.link(sun)
