"""Render the demo clip: people and a stroller come and go, then somebody brings an e-bike.

python models/render/clip.py --frames DIR --out demo.mp4
Frames already in DIR are kept, so a stopped run goes on where it was.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from car import Room, build_room
from make import fresh, ready, shoot
from people import Pose, person, sitting
from scene import aim
from scooters import scooter
from things import stroller

PHASES = 6
STEP = 0.6  # metres a leg moves through in half a stride
Key = tuple[float, float, float, float]
IN, OUT = -math.pi / 2, math.pi / 2


@dataclass
class Actor:
    """Objects that move together along keys (second, x, y, yaw); `phases` are walking poses."""

    keys: list[Key]
    fixed: list[Any]
    phases: list[Any]

    def show(self, second: float) -> None:
        """Place the objects for a moment, and show the leg pose for the way walked so far."""
        seen = self.keys[0][0] <= second <= self.keys[-1][0]
        x, y, yaw, walked = self.at(second)
        phase = int(walked / (2 * STEP) * PHASES) % PHASES
        for obj in self.fixed + self.phases:
            obj.location = (x, y, 0)
            obj.rotation_euler = (0, 0, yaw)
            obj.hide_render = not seen
        for k, obj in enumerate(self.phases):
            obj.hide_render = not seen or k != phase

    def at(self, second: float) -> tuple[float, float, float, float]:
        """Return x, y, yaw and the metres walked."""
        walked = 0.0
        for a, b in zip(self.keys, self.keys[1:], strict=False):
            way = math.hypot(b[1] - a[1], b[2] - a[2])
            if second < b[0]:
                t = min(max((second - a[0]) / (b[0] - a[0]), 0), 1)
                t = t * t * (3 - 2 * t)
                mixed = [p + (q - p) * t for p, q in zip(a[1:], b[1:], strict=True)]
                return mixed[0], mixed[1], mixed[2], walked + way * t
            walked += way
        return *self.keys[-1][1:], walked


def walking(seed: int, hip: Any, lean: float, hands: Any) -> list[Any]:
    """Build one person in `PHASES` leg positions."""
    made = []
    for k in range(PHASES):
        swing = math.sin(2 * math.pi * k / PHASES) * STEP / 2.6
        lift = max(math.cos(2 * math.pi * k / PHASES), 0) * 0.06
        feet = (
            np.array([hip[0] + swing, hip[1] + 0.09, lift]),
            np.array([hip[0] - swing, hip[1] - 0.09, 0.06 - lift]),
        )
        held = hands
        if hands is None:
            held = tuple(
                np.array([hip[0] + 0.05 - s * swing * 0.6, hip[1] + s * 0.28, hip[2] - 0.02])
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
    """Build somebody who walks beside a scooter-type e-bike, hands on its grips."""
    ride = scooter(random.Random(seed))
    middle = (ride.grips[0] + ride.grips[1]) / 2
    hip = (middle[0] - 0.33, 0.44, 0.87)
    return Actor(keys, [ride.body.into_scene(0)], walking(seed, hip, 0.22, ride.grips))


def story(room: Room) -> tuple[list[Actor], Callable[[float], float], float]:
    """Return the actors, the door's opening over time, and the length in seconds."""
    far = room.depth / 2 + 1.7
    actors = [
        walker(
            11,
            [
                (0.6, 0.1, far, IN),
                (2.2, 0.45, -0.55, IN),
                (2.9, 0.45, -0.5, OUT),
                (5.6, 0.45, -0.5, OUT),
                (7.0, 0.0, far, OUT),
            ],
        ),
        with_stroller(
            23,
            [
                (1.5, 0.0, far, IN),
                (3.4, -0.28, -0.05, IN),
                (4.6, -0.28, -0.05, IN),
                (6.2, 0.0, far + 0.2, IN),
            ],
        ),
        with_ebike(
            42,
            [
                (6.9, -0.12, far + 0.4, IN),
                (8.6, -0.12, 0.0, IN),
                (14.6, -0.12, 0.0, IN),
                (16.6, -0.12, far + 0.4, IN),
            ],
        ),
    ]
    moves = ((0.0, 0.0), (0.2, 0.0), (0.9, 1.0), (7.0, 1.0), (17.0, 1.0), (17.8, 0.0), (18.5, 0.0))
    times, opened = zip(*moves, strict=True)
    return actors, lambda t: float(np.interp(t, times, opened)), times[-1]


def stage(threads: int, width: int, height: int) -> tuple[Any, Room]:
    """Build the car and its camera."""
    scene = fresh(threads)
    scene.render.resolution_x, scene.render.resolution_y = width, height
    room = build_room(random.Random(21), Room(1.65, 2.0, 2.35, 1.12, 0.0))
    w, d = room.width / 2, room.depth / 2
    aim((w - 0.1, -d + 0.12, room.height - 0.12), (-0.25, 0.35, 0.55), 98, 0.0)
    scene.view_settings.view_transform = "Standard"
    return scene, room


def encode(frames: list[Path], target: Path, rate: int) -> None:
    """Write an H.264 MP4."""
    import av

    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        first = cv2.imread(str(frames[0]))
        stream.width, stream.height, stream.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
        stream.options = {"crf": "27", "preset": "slow"}
        for path in frames:
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(path)), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    """Render what frames are missing and write the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rate", type=int, default=8)
    parser.add_argument("--every", type=int, default=1, help="render only every nth frame")
    parser.add_argument("--width", type=int, default=416)
    parser.add_argument("--height", type=int, default=304)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    args.frames.mkdir(parents=True, exist_ok=True)
    scene, room = stage(args.threads, args.width, args.height)
    actors, door, seconds = story(room)
    names = [args.frames / f"{n:04d}.png" for n in range(round(seconds * args.rate))]
    for n, path in list(enumerate(names))[:: args.every]:
        if path.exists():
            continue
        for actor in actors:
            actor.show(n / args.rate)
        room.slide(door(n / args.rate))
        ready(scene, args.samples, alpha=False)
        image = shoot(scene, "rgb", alpha=False)
        cv2.imwrite(str(path), np.clip(image * args.gain, 0, 255).astype(np.uint8))
    if args.out:
        encode([p for p in names if p.exists()], args.out, args.rate)


if __name__ == "__main__":
    main()
