"""The elevator car and the lobby before its door: walls, floors, posters, lamps.

The car's floor centre is the origin; the door lies at +y, the lobby beyond it.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from kit import Builder, any_color, material, patterned, pictured, plastic, poster


@dataclass
class Room:
    """Sizes in metres: car width x depth x height, door opening width, how far it is open.

    `leaves` are the two door leaves' objects once built, at x = -1 and +1 half-widths.
    """

    width: float
    depth: float
    height: float
    door: float
    opened: float
    leaves: list[Any] = field(default_factory=list)

    def slide(self, opened: float) -> None:
        """Move the door: 0 is shut, 1 open."""
        for side, leaf in zip((-1, 1), self.leaves, strict=True):
            leaf.location.x = side * opened * self.door / 2


def wall_material(rng: random.Random) -> Any:
    """Draw what elevator walls are made of: steel of many tints, mirror, laminate, boards."""
    kind = rng.random()
    if kind < 0.5:
        k = rng.uniform(0.25, 0.65)
        warm = rng.choice((1.0, 1.0, 0.8, 0.55))
        tint = (k, k * (0.9 + 0.1 * warm), k * warm)
        dark = tuple(c * 0.8 for c in tint)
        return patterned(
            rng,
            [tint, dark],
            "noise",
            3,
            rough=rng.uniform(0.15, 0.42),
            metal=rng.uniform(0.8, 1),
            stretch=rng.choice(((40, 40, 0.6), (1, 1, 60), (1, 1, 1))),
        )
    if kind < 0.58:
        return material((0.75, 0.77, 0.78), rough=0.03, metal=1)
    if kind < 0.78:
        wood = rng.choice(
            [
                [(0.32, 0.16, 0.06), (0.2, 0.09, 0.03)],
                [(0.45, 0.3, 0.17), (0.36, 0.22, 0.11)],
                [(0.12, 0.06, 0.03), (0.07, 0.03, 0.015)],
            ]
        )
        return patterned(rng, wood, "noise", 2.5, rough=rng.uniform(0.35, 0.8), stretch=(6, 6, 0.8))
    return material(any_color(rng, 0.2, 0.85), rough=rng.uniform(0.2, 0.8))


def floor_material(rng: random.Random) -> Any:
    """Draw a floor: stone, tiles, rubber, checker plate, cardboard, carpet."""
    kind = rng.choice(("noise", "checker", "brick", "cells", "plain", "noise"))
    k = rng.uniform(0.03, 0.6)
    a = [k * rng.uniform(0.8, 1.2) for _ in range(3)]
    c = [v * rng.uniform(0.4, 1.3) for v in a] if rng.random() < 0.7 else any_color(rng, 0.05, 0.6)
    if kind == "plain":
        return material(a, rough=rng.uniform(0.15, 0.9))
    return patterned(rng, [a, c], kind, rng.uniform(1.5, 8), rough=rng.uniform(0.1, 0.8))


def stone(rng: random.Random) -> Any:
    """Draw a lobby wall: paint, tiles or marble."""
    k = rng.uniform(0.25, 0.8)
    base = [k, k * rng.uniform(0.85, 1), k * rng.uniform(0.6, 1)]
    kind = rng.random()
    if kind < 0.4:
        return material(base, rough=rng.uniform(0.4, 0.9))
    other = [v * rng.uniform(0.5, 0.9) for v in base]
    return patterned(
        rng,
        [base, other, [v * 0.4 for v in base]],
        rng.choice(("noise", "brick", "cells")),
        rng.uniform(1, 5),
        rough=rng.uniform(0.08, 0.5),
    )


def picture(rng: random.Random) -> np.ndarray:
    """Paint a poster [h, w, 3] of blocks, discs and lines that look like text."""
    h, w = rng.choice(((96, 64), (64, 96), (80, 80)))
    img = np.empty((h, w, 3), np.float32)
    img[:] = np.array(any_color(rng, 0.2, 1.0)) ** 0.5 if rng.random() < 0.6 else 0.9
    yy, xx = np.mgrid[:h, :w]
    for _ in range(rng.randint(2, 7)):
        color = np.array(any_color(rng, 0.0, 1.0)) ** 0.5
        y, x, s = rng.randrange(h), rng.randrange(w), rng.randint(5, 30)
        if rng.random() < 0.5:
            img[y : y + s, x : x + rng.randint(5, 60)] = color
        else:
            img[(yy - y) ** 2 + (xx - x) ** 2 < (s / 2) ** 2] = color
    ink = np.array(any_color(rng, 0.0, 0.4))
    top = rng.randrange(h // 2)
    for row in range(top, h - 4, rng.choice((5, 7, 10))):
        for col in range(4, rng.randint(w // 2, w - 4), 3):
            if rng.random() < 0.75:
                img[row : row + 3, col : col + 2] = ink
    return img


def hang_posters(rng: random.Random, room: Room, count: int) -> None:
    """Hang framed posters and screens on the car's inner walls."""
    w, d = room.width / 2 - 0.012, room.depth / 2 - 0.012
    for _ in range(count):
        s, t = rng.uniform(0.12, 0.35), rng.uniform(0.15, 0.45)
        z = rng.uniform(0.9, max(room.height - 2 * t, 1.0))
        lit = rng.choice((0, 0, 0, 1.5))
        mat = pictured(picture(rng), rough=rng.uniform(0.05, 0.7), glow=lit)
        side = rng.choice(("left", "right", "back"))
        lo, hi = z, z + 2 * t
        if side == "back":
            x = rng.uniform(-w + s, w - s)
            poster([(x - s, -d, lo), (x + s, -d, lo), (x + s, -d, hi), (x - s, -d, hi)], mat)
        else:
            y = rng.uniform(-d + s, d - s)
            x = w if side == "right" else -w
            k = -1 if side == "right" else 1
            poster(
                [
                    (x, y - k * s * -1, lo),
                    (x, y + k * s * -1, lo),
                    (x, y + k * s * -1, hi),
                    (x, y - k * s * -1, hi),
                ],
                mat,
            )


def any_room(rng: random.Random) -> Room:
    """Draw a car's sizes and how far its door is open."""
    long = rng.random() < 0.3
    room = Room(
        rng.uniform(1.15, 1.7),
        rng.uniform(1.9, 2.3) if long else rng.uniform(1.3, 1.75),
        rng.uniform(2.15, 2.5),
        0.0,
        0.0,
    )
    room.door = min(rng.uniform(0.8, 1.15), room.width - 0.1)
    room.opened = 1.0 if rng.random() < 0.75 else rng.choice((0.0, rng.random()))
    return room


def build_room(rng: random.Random, room: Room, *, posters: bool = True) -> Room:
    """Build car, door and lobby into the scene, with posters in the car or without."""
    _car(rng, room)
    _lobby(rng, room)
    if posters:
        hang_posters(rng, room, rng.choice((0, 1, 2, 3, 5)))
    return room


def _car(rng: random.Random, room: Room) -> None:
    w, d, h, g = room.width / 2, room.depth / 2, room.height, room.door / 2
    walls = wall_material(rng)
    back = walls if rng.random() < 0.6 else wall_material(rng)
    front = walls if rng.random() < 0.5 else wall_material(rng)
    b = Builder("car")
    t = 0.03
    b.box((0, -d - t, h / 2), (w + 2 * t, t, h / 2), back, 0)
    for side in (-1, 1):
        b.box((side * (w + t), 0, h / 2), (t, d, h / 2), walls, 0)
        b.box((side * (w + g) / 2, d + t, h / 2), ((w - g) / 2 + 0.001, t, h / 2), front, 0)
    b.box((0, d + t, (h + 2.08) / 2), (w, t, (h - 2.08) / 2), front, 0)
    b.box((0, 0, -0.03), (w + 0.05, d + 0.1, 0.03), floor_material(rng), 0)
    b.box(
        (0, 0, h + 0.03),
        (w + 0.05, d + 0.1, 0.03),
        material([rng.uniform(0.1, 0.8)] * 3, rough=0.3),
        0,
    )
    steel = material((0.5, 0.5, 0.5), rough=0.25, metal=1)
    if rng.random() < 0.5:
        for z in (rng.uniform(0.85, 1.0),):
            b.tube([(-w + 0.06, -d + 0.06, z), (w - 0.06, -d + 0.06, z)], 0.018, steel)
            for side in (-1, 1):
                b.tube(
                    [(side * (w - 0.06), -d + 0.06, z), (side * (w - 0.06), d - 0.3, z)],
                    0.018,
                    steel,
                )
    x = rng.choice((-1, 1)) * (w - 0.012)
    y = d - rng.uniform(0.2, 0.45)
    b.box((x, y, 1.2), (0.012, 0.09, 0.45), steel, 0.05)
    for k in range(14):
        lit = material((1.0, 0.4, 0.1), glow=rng.choice((0, 3)))
        b.box(
            (x * 0.985, y + (k % 2 - 0.5) * 0.07, 0.95 + k // 2 * 0.07),
            (0.008, 0.018, 0.018),
            lit,
            0.2,
        )
    leaf = walls if rng.random() < 0.4 else wall_material(rng)
    b.into_scene(0, smooth=False)
    for side in (-1, 1):
        door = Builder("leaf")
        door.box((side * g / 2, d + 0.09, 1.04), (g / 2, 0.015, 1.04), leaf, 0)
        room.leaves.append(door.into_scene(0, smooth=False))
    room.slide(room.opened)
    _car_lamps(rng, room)


def tone(rng: random.Random) -> tuple[float, float, float]:
    """Draw a lamp colour from cold to warm, now and then a coloured LED."""
    pick = rng.random()
    if pick < 0.45:
        return (1.0, 0.98, 0.94)
    if pick < 0.7:
        return (0.8, 0.9, 1.0)
    if pick < 0.93:
        return (1.0, rng.uniform(0.72, 0.88), rng.uniform(0.4, 0.65))
    return rng.choice(((0.55, 0.45, 1.0), (0.6, 1.0, 0.75)))


def _car_lamps(rng: random.Random, room: Room) -> None:
    w, d, h = room.width / 2, room.depth / 2, room.height - 0.008
    lamp = Builder("lamp")
    bright = rng.uniform(4, 14) if rng.random() < 0.8 else rng.uniform(0.4, 2)
    kind = rng.choice(("panel", "strips", "spots"))
    color = tone(rng)
    if kind == "panel":
        kx, ky = rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.8)
        mat = material(color, glow=bright * 0.35 / (kx * ky))
        lamp.quad(
            [
                (-w * kx, -d * ky, h),
                (-w * kx, d * ky, h),
                (w * kx, d * ky, h),
                (w * kx, -d * ky, h),
            ],
            mat,
        )
    elif kind == "strips":
        mat = material(color, glow=bright * 2)
        for s in (-0.7, 0.7):
            lamp.quad(
                [
                    (w * s - 0.05, -d * 0.9, h),
                    (w * s - 0.05, d * 0.9, h),
                    (w * s + 0.05, d * 0.9, h),
                    (w * s + 0.05, -d * 0.9, h),
                ],
                mat,
            )
    else:
        mat = material(color, glow=bright * 7)
        for sx in (-0.5, 0.5):
            for sy in (-0.5, 0.5):
                lamp.box((w * sx, d * sy, h), (0.07, 0.07, 0.004), mat, 0.5)
    lamp.into_scene(0)


def _lobby(rng: random.Random, room: Room) -> None:
    d, g = room.depth / 2 + 0.14, room.door / 2
    wall, ground = stone(rng), floor_material(rng)
    frame = rng.choice(
        (material((0.5, 0.5, 0.5), rough=0.2, metal=1), stone(rng), wall_material(rng))
    )
    b = Builder("lobby")
    far, side, top = rng.uniform(1.8, 5), rng.uniform(1.2, 3.5), rng.uniform(2.4, 3.2)
    for s in (-1, 1):
        b.box(
            (s * (g + 0.12 + (side - g) / 2), d + 0.05, top / 2),
            ((side - g) / 2, 0.05, top / 2),
            wall,
            0,
        )
        b.box((s * (g + 0.07), d + 0.06, 1.08), (0.07, 0.07, 1.08), frame, 0.1)
        b.box((s * side, d + far / 2, top / 2), (0.05, far / 2, top / 2), wall, 0)
    b.box((0, d + 0.05, (top + 2.16) / 2), (g + 0.2, 0.05, (top - 2.16) / 2), wall, 0)
    b.box((0, d + 0.06, 2.15), (g + 0.14, 0.07, 0.07), frame, 0.1)
    b.box((0, d + far / 2 - 0.06, -0.03), (side, far / 2 + 0.02, 0.03), ground, 0)
    b.box(
        (0, d + far, top / 2), (side, 0.05, top / 2), stone(rng) if rng.random() < 0.5 else wall, 0
    )
    b.box(
        (0, d + far / 2, top + 0.03), (side, far / 2, 0.03), material((0.7, 0.7, 0.7), rough=0.8), 0
    )
    b.box((g + 0.3, d + 0.11, 1.2), (0.05, 0.012, 0.16), plastic(rng), 0.1)
    b.box((g + 0.3, d + 0.123, 1.25), (0.02, 0.004, 0.03), material((1, 0.05, 0.02), glow=3))
    if rng.random() < 0.5:
        b.box(
            (rng.uniform(-side, side), d + far - 0.08, 2.1),
            (0.18, 0.02, 0.08),
            material((0.02, 0.6, 0.1), glow=2),
        )
    b.into_scene(0, smooth=False)
    lamp = Builder("lamp")
    bright = rng.uniform(1.5, 9) if rng.random() < 0.7 else rng.uniform(0.1, 0.8)
    mat = material(tone(rng), glow=bright * 2)
    z = top - 0.01
    for k in range(rng.randint(1, 3)):
        x, y = rng.uniform(-side * 0.6, side * 0.6), d + far * (0.2 + 0.3 * k)
        lamp.quad(
            [
                (x - 0.3, y - 0.3, z),
                (x - 0.3, y + 0.3, z),
                (x + 0.3, y + 0.3, z),
                (x + 0.3, y - 0.3, z),
            ],
            mat,
        )
    lamp.into_scene(0)
    for _ in range(rng.choice((0, 1, 3))):
        x, z0, s = (
            rng.uniform(g + 0.45, side - 0.2) * rng.choice((-1, 1)),
            rng.uniform(1.0, 1.7),
            rng.uniform(0.1, 0.3),
        )
        y = d + 0.105
        poster(
            [(x + s, y, z0), (x - s, y, z0), (x - s, y, z0 + 2.4 * s), (x + s, y, z0 + 2.4 * s)],
            pictured(picture(rng)),
        )
