"""What gets confused with a two-wheeler or stands around: wheelchairs, strollers, luggage."""

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from kit import Builder, any_color, chrome, cloth, material, paint, patterned, plastic
from parts import wheel


@dataclass
class Thing:
    """An object in its own frame, with the places of a sitter's seat and a pusher's hands."""

    body: Builder
    label: str
    handles: tuple[Any, Any]
    seat: Any = None
    feet: tuple[Any, Any] | None = None
    arms: tuple[Any, Any] | None = None


def wheelchair(rng: random.Random) -> Thing:
    """Build a manual wheelchair, or an electric one with small wheels and a joystick."""
    return _electric_chair(rng) if rng.random() < 0.3 else _manual_chair(rng)


def _manual_chair(rng: random.Random) -> Thing:
    b = Builder("wheelchair")
    tube = (
        chrome(rng) if rng.random() < 0.5 else (plastic(rng) if rng.random() < 0.5 else paint(rng))
    )
    stuff = material(
        rng.choice(((0.01, 0.01, 0.01), (0.02, 0.05, 0.25), (0.3, 0.02, 0.02), (0.05, 0.05, 0.06))),
        rough=0.8,
    )
    half, r = rng.uniform(0.21, 0.26), rng.choice((0.3, 0.3, 0.31, 0.2))
    rear, front = -0.05, rng.uniform(0.38, 0.45)
    seat_z, back_z = rng.uniform(0.46, 0.52), rng.uniform(0.85, 0.98)
    rim = chrome(rng)
    for side in (-1, 1):
        y = side * (half + 0.045)
        camber = side * rng.uniform(0, 0.04)
        wheel(
            b,
            (rear, y),
            r,
            0.016,
            rng,
            spokes=0 if rng.random() < 0.25 else 24,
            hub=0.03,
            rim=rim,
            turn=camber,
        )
        if r > 0.25:
            b.ring((rear, y + side * 0.035, r), r - 0.045, 0.009, rim)
        wheel(b, (front, side * half), 0.085, 0.018, rng, hub=0.02)
        b.tube([(front, side * half, 0.1), (front - 0.02, side * half, seat_z)], 0.013, tube)
        b.tube(
            [
                (rear - 0.03, side * half, r),
                (rear - 0.08, side * half, seat_z),
                (rear - 0.13, side * half, back_z),
                (rear - 0.26, side * half, back_z + 0.02),
            ],
            0.013,
            tube,
        )
        b.tube(
            [(rear - 0.24, side * half, back_z + 0.02), (rear - 0.33, side * half, back_z + 0.01)],
            0.02,
            plastic(rng),
        )
        b.tube(
            [
                (rear - 0.08, side * half, seat_z),
                (front, side * half, seat_z),
                (front + 0.16, side * half * 0.9, 0.14),
            ],
            0.013,
            tube,
        )
        b.tube(
            [(rear - 0.08, side * half, seat_z - 0.25), (front - 0.02, side * half, seat_z - 0.25)],
            0.011,
            tube,
        )
        arm_z = seat_z + 0.2
        b.tube(
            [
                (rear - 0.05, side * (half + 0.01), arm_z),
                (front - 0.1, side * (half + 0.01), arm_z),
                (front - 0.06, side * (half + 0.01), seat_z),
            ],
            0.012,
            tube,
        )
        b.box(
            (rear + 0.12, side * (half + 0.01), arm_z + 0.02),
            (0.13, 0.028, 0.018),
            plastic(rng),
            0.5,
        )
        b.box((front + 0.2, side * half * 0.5, 0.12), (0.09, half * 0.38, 0.008), plastic(rng), 0.3)
        if rng.random() < 0.6:
            b.box((rear + 0.12, side * half, seat_z + 0.1), (0.15, 0.006, 0.09), stuff, 0.1)
    b.box(
        ((rear + front) / 2 - 0.03, 0, seat_z), (0.23, half, rng.uniform(0.012, 0.05)), stuff, 0.4
    )
    b.loft(
        [(rear - 0.08, 0, seat_z + 0.06), (rear - 0.12, 0, back_z - 0.04)],
        [(half, 0.02), (half, 0.02)],
        stuff,
        up=(1, 0, 0),
        power=6,
    )
    hand_z = back_z + 0.02
    return Thing(
        b,
        "wheelchair",
        (np.array([rear - 0.3, half, hand_z]), np.array([rear - 0.3, -half, hand_z])),
        np.array([rear + 0.08, 0, seat_z + 0.02]),
        (np.array([front + 0.2, half * 0.5, 0.12]), np.array([front + 0.2, -half * 0.5, 0.12])),
        (np.array([rear + 0.2, half, seat_z + 0.25]), np.array([rear + 0.2, -half, seat_z + 0.25])),
    )


def _electric_chair(rng: random.Random) -> Thing:
    b = Builder("wheelchair")
    tube, dark, stuff = paint(rng), plastic(rng), material((0.02, 0.02, 0.022), rough=0.7)
    half, seat_z = rng.uniform(0.23, 0.28), rng.uniform(0.48, 0.56)
    back = seat_z + rng.uniform(0.45, 0.75)
    big = rng.uniform(0.15, 0.2)
    for side in (-1, 1):
        wheel(b, (-0.15, side * (half + 0.03)), big, 0.035, rng, hub=0.04)
        wheel(b, (0.36, side * half), rng.uniform(0.1, 0.14), 0.028, rng, hub=0.03)
        b.tube(
            [(-0.15, side * half, big), (0.05, side * half, 0.3), (0.36, side * half, 0.2)],
            0.018,
            tube,
        )
        b.tube(
            [(-0.18, side * half, 0.3), (-0.26, side * half, back), (-0.36, side * half, back)],
            0.015,
            tube,
        )
        b.tube(
            [
                (-0.2, side * (half + 0.02), seat_z + 0.2),
                (0.2, side * (half + 0.02), seat_z + 0.2),
                (0.18, side * half, 0.3),
            ],
            0.014,
            tube,
        )
        b.box((0.06, side * (half + 0.02), seat_z + 0.225), (0.17, 0.035, 0.025), dark, 0.5)
        b.tube(
            [(0.28, side * half * 0.6, seat_z - 0.03), (0.46, side * half * 0.5, 0.15)], 0.015, tube
        )
        b.box((0.52, side * half * 0.45, 0.13), (0.1, half * 0.4, 0.01), dark, 0.3)
    b.box((0, 0, 0.28), (0.22, half * 0.85, 0.1), dark, 0.3)
    b.box((0.05, 0, seat_z), (0.24, half, 0.05), stuff, 0.7)
    b.loft(
        [(-0.2, 0, seat_z + 0.04), (-0.25, 0, back)],
        [(half, 0.04), (half * 0.9, 0.035)],
        stuff,
        up=(1, 0, 0),
        power=5,
    )
    b.box((0.26, -half - 0.02, seat_z + 0.27), (0.05, 0.035, 0.03), dark, 0.4)
    b.ball((0.26, -half - 0.02, seat_z + 0.34), (0.018, 0.018, 0.03), dark, 8)
    return Thing(
        b,
        "wheelchair",
        (np.array([-0.36, half, back]), np.array([-0.36, -half, back])),
        np.array([-0.02, 0, seat_z + 0.06]),
        (np.array([0.5, half * 0.45, 0.14]), np.array([0.5, -half * 0.45, 0.14])),
        (np.array([0.15, half, seat_z + 0.27]), np.array([0.24, -half, seat_z + 0.33])),
    )


def stroller(rng: random.Random) -> Thing:
    """Build a baby stroller: canopy, tub or seat, basket below, three or four wheels."""
    b = Builder("stroller")
    frame = chrome(rng) if rng.random() < 0.5 else plastic(rng)
    stuff, dark = cloth(rng), plastic(rng)
    half, r = rng.uniform(0.2, 0.28), rng.uniform(0.075, 0.15)
    front, rear = 0.38, -0.32
    hand_z = rng.uniform(0.95, 1.08)
    hand = (-0.55, 0, hand_z)
    fronts = ((front, 0.0),) if rng.random() < 0.3 else ((front, half), (front, -half))
    for x, y in (*fronts, (rear, half), (rear, -half)):
        if r < 0.1 and rng.random() < 0.6:
            for off in (-0.025, 0.025):
                wheel(b, (x, y + off), r, 0.014, rng, hub=0.015)
        else:
            wheel(
                b,
                (x, y),
                r * (0.8 if x > 0 else 1),
                0.022,
                rng,
                hub=0.02,
                spokes=14 if r > 0.12 else 0,
            )
    for side in (-1, 1):
        b.tube(
            [
                (fronts[0][0], side * abs(fronts[0][1]), r + 0.03),
                (0.0, side * half, 0.5),
                (-0.5, side * half, hand_z),
            ],
            0.014,
            frame,
        )
        b.tube([(rear, side * half, r), (-0.02, side * half, 0.55)], 0.014, frame)
    b.tube([(-0.5, -half, hand_z), hand, (-0.5, half, hand_z)], 0.019, dark)
    seat_z = rng.uniform(0.42, 0.62)
    w = half * 0.9
    if rng.random() < 0.3:
        b.loft(
            [(0.38, 0, seat_z + 0.12), (0.1, 0, seat_z + 0.06), (-0.35, 0, seat_z + 0.12)],
            [(w * 0.9, 0.13), (w, 0.17), (w, 0.15)],
            stuff,
            power=3,
            round_ends=True,
        )
    else:
        b.loft(
            [
                (0.3, 0, seat_z - 0.18),
                (0.22, 0, seat_z),
                (0.0, 0, seat_z + 0.01),
                (-0.1, 0, seat_z + 0.1),
                (-0.3, 0, seat_z + 0.48),
            ],
            [(w * 0.8, 0.03), (w, 0.05), (w, 0.05), (w, 0.05), (w * 0.9, 0.04)],
            stuff,
            power=4,
        )
        b.tube(
            [(0.1, w, seat_z + 0.18), (0.28, 0, seat_z + 0.2), (0.1, -w, seat_z + 0.18)], 0.02, dark
        )
    if rng.random() < 0.85:
        _canopy(b, rng, w, seat_z + 0.42, stuff if rng.random() < 0.5 else cloth(rng))
    b.box((-0.05, 0, 0.22), (0.22, half * 0.8, 0.06), rng.choice((dark, stuff)), 0.5)
    if rng.random() < 0.35:
        b.box((-0.05, 0, 0.32), (0.15, half * 0.6, 0.08), cloth(rng), 0.6)
    return Thing(
        b,
        "stroller",
        (np.array([-0.53, half * 0.6, hand_z]), np.array([-0.53, -half * 0.6, hand_z])),
        np.array([-0.02, 0, seat_z + 0.02]),
        (np.array([0.3, 0.06, seat_z - 0.12]), np.array([0.3, -0.06, seat_z - 0.12])),
    )


def _canopy(b: Builder, rng: random.Random, half: float, z: float, stuff: Any) -> None:
    n, m = 9, 11
    sweep = rng.uniform(1.2, 2.1)
    verts = []
    for i in range(n):
        a = math.pi * 0.85 - sweep * i / (n - 1)
        for j in range(m):
            t = math.pi * j / (m - 1)
            out = math.sin(t) ** 0.6
            verts.append(
                (
                    -0.12 + 0.34 * math.cos(a) * out,
                    half * 1.05 * math.cos(t),
                    z - 0.1 + 0.34 * math.sin(a) * out,
                )
            )
    faces: list[tuple[int, ...]] = [
        (i * m + j, i * m + j + 1, (i + 1) * m + j + 1, (i + 1) * m + j)
        for i in range(n - 1)
        for j in range(m - 1)
    ]
    b.add(np.array(verts), faces, stuff)


def luggage(rng: random.Random) -> Thing:
    """Build a wheeled suitcase, a shopping cart bag, a hand truck or a heap of parcels."""
    kind = rng.choice(("case", "case", "parcels", "truck", "cart"))
    b = Builder("luggage")
    dark = plastic(rng)
    if kind == "case":
        shell = paint(rng)
        x, y, z = rng.uniform(0.1, 0.15), rng.uniform(0.17, 0.24), rng.uniform(0.24, 0.36)
        b.box((0, 0, z + 0.05), (x, y, z), shell, 0.5)
        for k in np.linspace(-0.8, 0.8, rng.choice((3, 5, 7))):
            b.box((0, k * y, z + 0.05), (x * 1.02, 0.008, z * 0.9), shell, 0.1)
        tall = 2 * z + rng.uniform(0.05, 0.45)
        for side in (-1, 1):
            b.tube(
                [(-x * 0.7, side * y * 0.5, 2 * z), (-x * 0.7, side * y * 0.5, tall)],
                0.008,
                chrome(rng),
                5,
            )
            for end in (-1, 1):
                b.ball((end * x * 0.75, side * y * 0.75, 0.03), (0.03, 0.02, 0.03), dark, 8)
        b.tube([(-x * 0.7, -y * 0.5, tall), (-x * 0.7, y * 0.5, tall)], 0.014, dark, 6)
    elif kind == "cart":
        stuff = cloth(rng)
        b.loft(
            [(0, 0, 0.12), (0, 0, 0.65)], [(0.17, 0.12), (0.19, 0.15)], stuff, up=(1, 0, 0), power=4
        )
        tall = 1.0
        for side in (-1, 1):
            wheel(b, (-0.12, side * 0.19), 0.08, 0.014, rng, hub=0.02)
            b.tube([(-0.14, side * 0.15, 0.08), (-0.16, side * 0.15, tall)], 0.01, chrome(rng), 6)
        b.tube([(-0.16, -0.15, tall), (-0.16, 0.15, tall)], 0.014, dark, 6)
    else:
        tall = 1.05
        if kind == "truck":
            for side in (-1, 1):
                wheel(b, (-0.2, side * 0.22), 0.1, 0.025, rng, hub=0.02)
                b.tube(
                    [(-0.2, side * 0.18, 0.1), (-0.26, side * 0.18, tall)], 0.013, chrome(rng), 6
                )
            b.tube([(-0.26, -0.18, tall), (-0.26, 0.18, tall)], 0.014, dark, 6)
            b.box((0, 0, 0.06), (0.22, 0.25, 0.012), chrome(rng), 0.2)
        z = 0.08 if kind == "truck" else 0.0
        for _ in range(rng.randint(1, 4)):
            h = rng.uniform(0.06, 0.2)
            tone = rng.uniform(0.7, 1.2)
            card = (
                material((0.42 * tone, 0.27 * tone, 0.14 * tone), rough=0.8)
                if rng.random() < 0.7
                else cloth(rng)
            )
            b.box(
                (rng.uniform(-0.05, 0.05), rng.uniform(-0.04, 0.04), z + h),
                (rng.uniform(0.12, 0.24), rng.uniform(0.14, 0.28), h),
                card,
                0.06,
            )
            z += 2 * h
        tall = min(tall, max(z, 0.6))
    return Thing(b, "", (np.array([-0.2, 0.15, tall]), np.array([-0.2, -0.15, tall])))


def street_thing(rng: random.Random) -> Thing:
    """Build a background object: a bin, a stool, a plant pot, an extinguisher, a board."""
    b = Builder("thing")
    kind = rng.choice(("bin", "stool", "pot", "tank", "board", "ladder"))
    if kind == "bin":
        b.loft(
            [(0, 0, 0), (0, 0, 0.5), (0, 0, 0.62)],
            [0.14, 0.18, 0.15],
            paint(rng),
            up=(1, 0, 0),
            around=16,
        )
    elif kind == "stool":
        for x in (-0.15, 0.15):
            for y in (-0.15, 0.15):
                b.tube([(x, y, 0), (x * 0.8, y * 0.8, 0.45)], 0.015, chrome(rng))
        b.box((0, 0, 0.46), (0.18, 0.18, 0.02), paint(rng), 0.4)
    elif kind == "pot":
        b.loft([(0, 0, 0), (0, 0, 0.3)], [0.12, 0.17], paint(rng), up=(1, 0, 0), around=14)
        green = patterned(rng, [(0.01, 0.08, 0.01), (0.1, 0.3, 0.03)], "noise", 20, rough=0.7)
        for _ in range(14):
            a, t = rng.uniform(0, 6.3), rng.uniform(0.1, 0.35)
            b.loft(
                [
                    (0, 0, 0.3),
                    (math.cos(a) * t * 0.6, math.sin(a) * t * 0.6, 0.6),
                    (math.cos(a) * t, math.sin(a) * t, 0.75),
                ],
                [(0.01, 0.005), (0.04, 0.005), (0.005, 0.003)],
                green,
                around=5,
            )
    elif kind == "tank":
        red = material((0.5, 0.01, 0.01), rough=0.3)
        b.loft(
            [(0, 0, 0), (0, 0, 0.4), (0, 0, 0.47)], [0.08, 0.08, 0.03], red, up=(1, 0, 0), around=14
        )
        b.tube([(0, 0, 0.45), (0.1, 0, 0.5), (0.12, 0, 0.2)], 0.012, plastic(rng))
    elif kind == "board":
        b.box(
            (0, 0, 0.9),
            (0.03, rng.uniform(0.3, 0.6), 0.9),
            material(any_color(rng), rough=0.6),
            0.1,
        )
    else:
        for y in (-0.2, 0.2):
            b.tube([(0, y, 0), (0.25, y * 0.8, 1.6)], 0.02, chrome(rng))
        for k in range(5):
            b.tube(
                [(0.05 * k + 0.03, -0.2, 0.3 * k + 0.2), (0.05 * k + 0.03, 0.2, 0.3 * k + 0.2)],
                0.015,
                chrome(rng),
            )
    return Thing(b, "", (np.array([0.0, 0, 1]), np.array([0.0, 0, 1])))
