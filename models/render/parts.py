"""Parts that two-wheelers share: wheels, bars, mirrors, baskets, boxes, blankets, plates."""

import math
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from kit import Builder, any_color, chrome, cloth, material, paint, plastic, rubber, turned


@dataclass
class Ride:
    """A vehicle in its own frame: x forward, origin on the floor between the wheels."""

    body: Builder
    label: str
    grips: tuple[Any, Any]
    seat: Any
    feet: tuple[Any, Any]
    length: float


def wheel(
    b: Builder,
    at: tuple[float, float],
    radius: float,
    wide: float,
    rng: random.Random,
    *,
    spokes: int = 0,
    turn: float = 0.0,
    hub: float = 0.05,
    rim: Any = None,
) -> None:
    """Add a wheel standing on the floor at (x, y), its axle turned by `turn` radians."""
    part = Builder("wheel")
    metal = rim or chrome(rng)
    part.ring((0, 0, radius), radius - wide, (wide, wide), rubber())
    part.ring((0, 0, radius), radius - 2 * wide, (wide * 0.55, wide * 0.35), metal)
    part.tube([(0, -hub, radius), (0, hub, radius)], max(0.022, hub * 0.6), metal, 12)
    inner = radius - 2 * wide
    if spokes:
        for k in range(spokes):
            a = 2 * math.pi * k / spokes + 0.1
            side = hub * 0.5 * (-1) ** k
            end = (math.cos(a) * inner, 0, radius + math.sin(a) * inner)
            part.tube([(0, side, radius), end], 0.0022, metal, 4)
    else:
        count = rng.choice((3, 5, 6))
        for k in range(count):
            a = 2 * math.pi * k / count
            end = (math.cos(a) * inner, 0, radius + math.sin(a) * inner)
            part.loft([(0, 0, radius), end], [(0.03, 0.02), (0.018, 0.014)], metal, around=6)
    part.moved(turned(at[0], at[1], turn))
    b.join(part)


def fender(
    b: Builder, x: float, z: float, r: float, wide: float, a0: float, a1: float, m: Any
) -> None:
    """Bend a mudguard of radius `r` around an axle, from angle `a0` to `a1`."""
    angles = np.linspace(a0, a1, 8)
    b.loft(
        [(x + r * math.cos(a), 0, z + r * math.sin(a)) for a in angles],
        (wide, 0.012),
        m,
        up=(0, 1, 0) if wide < 0.012 else (0.3, 0, 1),
    )


def handlebar(
    b: Builder,
    x: float,
    z: float,
    half: float,
    rng: random.Random,
    *,
    mirrors: bool,
    sweep: float = 0.06,
) -> tuple[Any, Any]:
    """Add bar, grips, levers and maybe mirrors; return the left and right grip."""
    dark, metal = plastic(rng), chrome(rng)
    drop = rng.uniform(0.0, 0.06)
    bar = [
        (x - sweep, -half, z - drop),
        (x, -half * 0.45, z),
        (x, half * 0.45, z),
        (x - sweep, half, z - drop),
    ]
    b.tube(bar, 0.013, metal)
    grips = []
    for side in (-1, 1):
        end = np.array([x - sweep, side * half, z - drop])
        inner = np.array([x - sweep * 0.5, side * half * 0.68, z - drop * 0.5])
        b.tube([inner, end], 0.019, dark)
        lever = [inner + (0.03, 0, 0), (inner + end) / 2 + (0.06, 0, 0), end + (0.05, 0, -0.01)]
        b.tube(lever, 0.007, metal, 5)
        grips.append((inner + end) / 2)
        if mirrors:
            top = inner + (
                rng.uniform(-0.02, 0.08),
                side * rng.uniform(0.02, 0.12),
                rng.uniform(0.14, 0.24),
            )
            b.tube([inner, inner + (0.02, 0, 0.1), top], 0.006, dark, 5)
            shape = (0.02, rng.uniform(0.04, 0.07), rng.uniform(0.03, 0.06))
            b.ball(top, shape, dark)
            b.quad(
                [
                    top + (-0.021, -0.04, -0.025),
                    top + (-0.021, 0.04, -0.025),
                    top + (-0.021, 0.04, 0.025),
                    top + (-0.021, -0.04, 0.025),
                ],
                material((0.8, 0.85, 0.9), rough=0.03, metal=1),
            )
    return grips[1], grips[0]


def basket(b: Builder, x: float, z: float, rng: random.Random, size: float = 1.0) -> None:
    """Add a wire basket, now and then with a bag in it."""
    wire = rng.choice((chrome(rng), plastic(rng)))
    hx, hy, h = 0.11 * size, 0.15 * size, 0.22 * size
    for level in np.linspace(0, 1, 5):
        g = 0.8 + 0.2 * level
        loop = [
            (hx * g, hy * g),
            (-hx * g, hy * g),
            (-hx * g, -hy * g),
            (hx * g, -hy * g),
            (hx * g, hy * g),
        ]
        thick = 0.006 if level == 1 else 0.0028
        for p, q in pairwise(loop):
            b.tube(
                [(x + p[0], p[1], z + h * level), (x + q[0], q[1], z + h * level)], thick, wire, 4
            )
    for k in range(26):
        t = k / 26 * 4
        side, f = int(t), (t % 1) * 2 - 1
        px, py = [(1, f), (-f, 1), (-1, -f), (f, -1)][side]
        b.tube(
            [(x + px * hx * 0.8, py * hy * 0.8, z), (x + px * hx, py * hy, z + h)], 0.0025, wire, 4
        )
    if rng.random() < 0.4:
        b.ball((x, 0, z + h * 0.7), (hx * 0.9, hy * 0.9, h * 0.6), cloth(rng))


def plate(b: Builder, x: float, z: float, rng: random.Random) -> None:
    """Hang a number plate at the tail."""
    color = rng.choice(((0.75, 0.75, 0.75), (0.02, 0.25, 0.1), (0.8, 0.5, 0.02), (0.02, 0.08, 0.4)))
    b.quad(
        [
            (x, 0.1, z - 0.06),
            (x, -0.1, z - 0.06),
            (x - 0.02, -0.1, z + 0.06),
            (x - 0.02, 0.1, z + 0.06),
        ],
        material(color, rough=0.4),
    )
    for k in range(5):
        y = 0.075 - k * 0.035
        b.box((x - 0.012, y, z - 0.01), (0.003, 0.011, 0.025), material((0.9, 0.9, 0.9)))


def top_box(b: Builder, x: float, z: float, rng: random.Random, *, delivery: bool) -> None:
    """Add a tail box: a rounded trunk, or a big square delivery box."""
    if delivery:
        s = rng.uniform(0.2, 0.27)
        color = rng.choice(
            (
                (0.75, 0.45, 0.01),
                (0.01, 0.2, 0.6),
                (0.02, 0.02, 0.02),
                (0.7, 0.1, 0.02),
                (0.85, 0.65, 0.02),
                (0.6, 0.6, 0.6),
            )
        )
        b.box(
            (x, 0, z + s),
            (s * rng.uniform(0.85, 1.1), s * 1.05, s),
            material(color, rough=0.5),
            0.15,
        )
        b.box((x, 0, z + s * 1.75), (s * 1.02, s * 1.07, 0.012), plastic(rng), 0.1)
        b.quad(
            [
                (x - s * 1.12, s * 0.7, z + s * 0.5),
                (x - s * 1.12, -s * 0.7, z + s * 0.5),
                (x - s * 1.12, -s * 0.7, z + s * 1.2),
                (x - s * 1.12, s * 0.7, z + s * 1.2),
            ],
            material(any_color(rng, 0.3, 0.9)),
        )
        return
    hx, hy, hz = rng.uniform(0.13, 0.19), rng.uniform(0.17, 0.26), rng.uniform(0.11, 0.16)
    shell = plastic(rng) if rng.random() < 0.75 else paint(rng)
    b.loft(
        [(x, 0, z), (x, 0, z + hz * 0.9), (x, 0, z + hz * 1.4), (x, 0, z + hz * 2)],
        [(hy * 0.8, hx * 0.85), (hy, hx), (hy * 0.97, hx * 0.97), (hy * 0.7, hx * 0.7)],
        shell,
        up=(1, 0, 0),
        power=4,
        around=20,
    )
    red = material((0.6, 0.01, 0.01), rough=0.2, glow=rng.choice((0, 0, 1.5)))
    b.box((x - hx, 0, z + hz * 0.95), (0.02, hy * rng.uniform(0.4, 0.9), 0.022), red, 0.3)


def lamp(rng: random.Random, color: tuple[float, float, float], lit: float) -> Any:
    """Draw a lens that may be lit."""
    return material(color, rough=0.08, glow=lit if rng.random() < 0.3 else 0.0)


def apron(b: Builder, x: float, z: float, half: float, rng: random.Random) -> None:
    """Hang a quilted wind blanket over the front of a bike."""
    stuff = cloth(rng)
    k = half * rng.uniform(1.4, 2.0)
    for side in (-1, 1):
        b.loft(
            [(x - 0.1, side * k * 1.05, z - 0.02), (x + 0.03, side * k * 0.8, z + 0.04)],
            [(0.07, 0.06), (0.09, 0.07)],
            stuff,
            round_ends=True,
        )
    b.loft(
        [
            (x, 0, z + 0.05),
            (x + 0.02, 0, z - 0.15),
            (x - 0.02, 0, z - 0.45),
            (x - 0.06, 0, z - 0.72),
        ],
        [(k * 0.7, 0.03), (k, 0.04), (k * 0.95, 0.05), (k * 0.8, 0.03)],
        stuff,
        up=(1, 0, 0),
        power=3,
        around=18,
    )
