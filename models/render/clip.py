"""Render the demo clip: two ride down with a stroller and leave, then an e-bike is pushed in.

python models/render/clip.py --frames DIR --out models/demo/elevator.mp4
Frames already in DIR are kept, so a stopped run goes on where it was.
"""

import argparse
import math
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from car import Room, build_room
from kit import Builder, material, pictured, poster
from make import fresh, ready, shoot
from people import Pose, person, sitting
from scene import aim
from scooters import scooter
from things import stroller

PHASES = 10
STEP = 0.6  # metres a leg moves through in half a stride
TICK = 0.02  # seconds between two points of a way
STILL = 0.12  # metres per second below which feet stand side by side
ROOM = 24  # wood, a handrail, a grey floor: one of many that were looked at
IN, OUT, ASIDE = -math.pi / 2, math.pi / 2, -math.pi
Key = tuple[float, float, float, float]


@dataclass
class Actor:
    """Objects that move together along `keys` (second, x, y, yaw), smoothly through all of them.

    `legs` are the walking poses, the last one stands.
    """

    keys: list[Key]
    fixed: list[Any]
    legs: list[Any]
    way: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Lay the way: a row of second, x, y, yaw, metres walked (back counts down), speed."""
        keys = np.array(self.keys)
        times = np.arange(keys[0, 0], keys[-1, 0] + TICK / 2, TICK)
        places = np.stack([smooth(keys[:, 0], keys[:, k], times) for k in (1, 2, 3)], axis=1)
        moved = np.diff(places[:, :2], axis=0, prepend=places[:1, :2])
        ahead = (moved * np.stack([np.cos(places[:, 2]), np.sin(places[:, 2])], axis=1)).sum(axis=1)
        far = np.copysign(np.linalg.norm(moved, axis=1), ahead)
        columns = (times[:, None], places, far.cumsum()[:, None], np.abs(far)[:, None] / TICK)
        self.way = np.concatenate(columns, axis=1)

    def show(self, second: float) -> tuple[float, ...]:
        """Place the objects for a moment with the legs for the way so far; tell what is seen."""
        seen = self.keys[0][0] <= second <= self.keys[-1][0]
        row = self.way[min(np.searchsorted(self.way[:, 0], second), len(self.way) - 1)]
        pose = int(row[4] / (2 * STEP) * PHASES) % PHASES if row[5] > STILL else PHASES
        for obj in self.fixed + self.legs:
            obj.location = (row[1], row[2], 0)
            obj.rotation_euler = (0, 0, row[3])
            obj.hide_render = not seen
        for k, obj in enumerate(self.legs):
            obj.hide_render = not seen or k != pose
        return (*row[1:4], pose) if seen else ()


def smooth(at: np.ndarray, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Interpolate through keys without overshoot: cubic, at rest where a key repeats its value."""
    slopes = np.diff(values) / np.diff(at)
    ends = np.zeros(len(at))
    same = slopes[:-1] * slopes[1:] > 0
    ends[1:-1][same] = 2 * slopes[:-1][same] * slopes[1:][same] / (slopes[:-1] + slopes[1:])[same]
    k = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    h = at[k + 1] - at[k]
    t = (times - at[k]) / h
    rise = values[k + 1] - values[k]
    curve = (ends[k] * h) * t * (1 - t) ** 2 - (ends[k + 1] * h) * t**2 * (1 - t)
    return values[k] + rise * t**2 * (3 - 2 * t) + curve


def walking(seed: int, hip: Any, lean: float, hands: Any) -> list[Any]:
    """Build one person in `PHASES` leg positions and one that stands."""
    made = []
    for k in range(PHASES + 1):
        turn = 2 * math.pi * k / PHASES
        swing, lift = math.sin(turn) * STEP / 2.6, math.cos(turn) * 0.06
        if k == PHASES:
            swing = lift = 0.0
        feet = (
            np.array([hip[0] + swing, hip[1] + 0.09, max(lift, 0)]),
            np.array([hip[0] - swing, hip[1] - 0.09, max(-lift, 0)]),
        )
        held = hands
        if hands is None:
            held = tuple(
                np.array([hip[0] + 0.06 - s * swing * 0.6, hip[1] + s * 0.25, hip[2] - 0.07])
                for s in (1, -1)
            )
        body = person(random.Random(seed), Pose(np.asarray(hip), lean, held, feet), carry=False)
        made.append(body.into_scene(0))
    return made


def walker(seed: int, keys: list[Key]) -> Actor:
    """Build somebody on foot."""
    return Actor(keys, [], walking(seed, (0, 0, 0.88), 0.04, None))


def with_stroller(seed: int, keys: list[Key]) -> Actor:
    """Build somebody who pushes a stroller with a child in it."""
    rng = random.Random(seed)
    thing = stroller(rng)
    child = sitting(rng, thing.seat, thing.feet or (None, None), None, 0.48)
    hip = (thing.handles[0][0] - 0.38, 0.0, 0.88)
    fixed = [thing.body.into_scene(0), child.into_scene(0)]
    return Actor(keys, fixed, walking(seed, hip, 0.12, thing.handles))


def with_ebike(seed: int, keys: list[Key]) -> Actor:
    """Build somebody who walks on the right of a scooter-type e-bike, hands on its grips."""
    ride = scooter(random.Random(seed))
    middle = (ride.grips[0] + ride.grips[1]) / 2
    hip = (middle[0] - 0.33, -0.44, 0.87)
    return Actor(keys, [ride.body.into_scene(0)], walking(seed, hip, 0.22, ride.grips))


def story(room: Room) -> tuple[list[Actor], Callable[[float], float], float]:
    """Return the actors, the door's opening over time, and the length in seconds."""
    hall = room.depth / 2 + 1.15
    actors = [
        with_stroller(
            15,
            [
                (-0.6, -0.2, hall, IN),
                (1.5, -0.3, -0.36, IN),
                (4.3, -0.3, -0.36, IN),
                (5.7, -0.1, hall, IN),
                (6.5, 1.3, hall + 0.3, IN - 0.3),
            ],
        ),
        walker(
            11,
            [
                (0.4, 0.7, hall, ASIDE),
                (1.1, 0.15, hall - 0.3, IN - 0.5),
                (2.2, 0.42, 0.3, IN),
                (2.7, 0.42, 0.3, IN),
                (3.4, 0.42, 0.3, OUT),
                (4.2, 0.42, 0.3, OUT),
                (5.1, 0.3, hall - 0.2, OUT),
                (5.9, 1.2, hall + 0.4, 0.3),
            ],
        ),
        with_ebike(
            42,
            [
                (5.8, 1.7, hall + 0.1, ASIDE),
                (6.8, 0.25, hall - 0.1, IN - 0.7),
                (8.0, 0.12, -0.02, IN),
                (9.6, 0.12, -0.02, IN),
                (10.4, 0.12, 0.05, IN),
                (11.2, 0.12, -0.02, IN),
                (12.4, 0.12, -0.02, IN),
                (14.0, 0.2, hall - 0.1, IN - 0.2),
                (15.0, 1.5, hall + 0.2, IN - 0.9),
            ],
        ),
    ]
    moves = ((0, 1), (2.4, 1), (3.1, 0), (3.5, 0), (4.2, 1), (14.7, 1), (15.4, 0), (17, 0))
    times, opened = zip(*moves, strict=True)
    return actors, lambda t: float(np.interp(t, times, opened)), float(times[-1])


def notice() -> np.ndarray:
    """Draw the notice on the wall [h, w, 3] (0..1): no e-bikes in this elevator."""
    sheet = np.full((420, 300, 3), 0.82, np.float32)
    red, ink = (0.62, 0.03, 0.03), (0.05, 0.05, 0.06)
    cv2.rectangle(sheet, (0, 0), (300, 62), red, -1)
    for x in range(34, 262, 40):
        cv2.rectangle(sheet, (x, 18), (x + 26, 44), (0.85, 0.85, 0.85), -1)
    middle = (150, 200)
    for x in (102, 196):
        cv2.circle(sheet, (x, 230), 20, ink, 8, cv2.LINE_AA)
    line = np.array([(102, 226), (132, 196), (160, 226), (178, 226), (196, 160), (180, 156)])
    cv2.polylines(sheet, [line], False, ink, 9, cv2.LINE_AA)
    cv2.line(sheet, (90, 192), (140, 192), ink, 14, cv2.LINE_AA)
    cv2.circle(sheet, middle, 92, red, 14, cv2.LINE_AA)
    cv2.line(sheet, (86, 136), (214, 264), red, 14, cv2.LINE_AA)
    for y, end in ((326, 266), (350, 250), (374, 258), (398, 170)):
        cv2.line(sheet, (36, y), (end, y), (0.3, 0.3, 0.32), 8)
    return sheet


def stage(threads: int, width: int, height: int) -> tuple[Any, Room]:
    """Build the car, the lobby's light, the notice and the camera."""
    scene = fresh(threads)
    scene.render.resolution_x, scene.render.resolution_y = width, height
    room = build_room(random.Random(ROOM), Room(1.65, 2.0, 2.35, 1.12, 0.0), posters=False)
    w, d = room.width / 2, room.depth / 2
    side, low, high = w - 0.01, 1.0, 1.56
    corners = [(-side, y, z) for y, z in ((-0.1, low), (0.3, low), (0.3, high), (-0.1, high))]
    poster(corners, pictured(notice(), rough=0.5))
    lamp = Builder("lamp")
    z, y = 2.35, d + 1.2
    ends = [(-0.9, y - 0.5, z), (-0.9, y + 0.5, z), (0.7, y + 0.5, z), (0.7, y - 0.5, z)]
    lamp.quad(ends, material((1.0, 0.95, 0.86), glow=6))
    lamp.into_scene(0)
    aim((w - 0.14, -d + 0.14, room.height - 0.1), (-0.2, 0.3, 0.6), 92, 0.0)
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.exposure = 1.0
    return scene, room


def encode(frames: list[Path], target: Path, rate: int) -> None:
    """Write an H.264 MP4."""
    import av

    with av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        first = cv2.imread(str(frames[0]))
        stream.width, stream.height, stream.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
        stream.options = {"crf": "23", "preset": "veryslow"}
        for path in frames:
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(path)), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    """Render what frames are missing and write the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--every", type=int, default=1, help="render only every nth frame")
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--samples", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    args.frames.mkdir(parents=True, exist_ok=True)
    scene, room = stage(args.threads, args.width, args.height)
    actors, door, seconds = story(room)
    names = [args.frames / f"{n:04d}.png" for n in range(round(seconds * args.rate))]
    before: tuple[Any, ...] = ()
    for n, path in list(enumerate(names))[:: args.every]:
        now = (*(actor.show(n / args.rate) for actor in actors), door(n / args.rate))
        room.slide(now[-1])
        if not path.exists() and now == before:
            shutil.copy(names[n - args.every], path)
        if not path.exists():
            ready(scene, args.samples, alpha=False)
            cv2.imwrite(str(path), shoot(scene, "rgb", alpha=False))
        before = now
    if args.out:
        encode([p for p in names if p.exists()], args.out, args.rate)


if __name__ == "__main__":
    main()
