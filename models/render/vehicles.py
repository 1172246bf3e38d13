"""Two-wheelers: scooter-type and bicycle-type e-bikes, delivery bikes, plain bicycles.

Each function returns a `Ride`: its parts and the places a rider's hands, seat and feet go.
"""

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from kit import (
    Builder,
    any_color,
    chrome,
    cloth,
    material,
    mirrored,
    paint,
    plastic,
    rubber,
    turned,
)


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


def _fender(
    b: Builder, x: float, z: float, r: float, wide: float, a0: float, a1: float, m: Any
) -> None:
    angles = np.linspace(a0, a1, 8)
    b.loft(
        [(x + r * math.cos(a), 0, z + r * math.sin(a)) for a in angles],
        (wide, 0.012),
        m,
        up=(0, 1, 0) if wide < 0.012 else (0.3, 0, 1),
    )


def _handlebar(
    b: Builder,
    x: float,
    z: float,
    half: float,
    rng: random.Random,
    *,
    mirrors: bool,
    sweep: float = 0.06,
) -> tuple[Any, Any]:
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


def _basket(b: Builder, x: float, z: float, rng: random.Random, size: float = 1.0) -> None:
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
        for p, q in zip(loop, loop[1:], strict=False):
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


def _plate(b: Builder, x: float, z: float, rng: random.Random) -> None:
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


def _lamp(rng: random.Random, color: tuple[float, float, float], lit: float) -> Any:
    return material(color, rough=0.08, glow=lit if rng.random() < 0.3 else 0.0)


def scooter(rng: random.Random, *, delivery: bool = False) -> Ride:
    """Build a step-through scooter-type e-bike with leg shield, footboard and long seat."""
    b = Builder("ebike")
    body, dark, metal = paint(rng), plastic(rng), chrome(rng)
    second = body if rng.random() < 0.6 else (dark if rng.random() < 0.5 else paint(rng))
    base = rng.uniform(1.12, 1.35)
    r = rng.uniform(0.19, 0.235)
    fx, rx, turn = base / 2, -base / 2, rng.uniform(-0.6, 0.6) if rng.random() < 0.5 else 0.0
    wide = rng.uniform(0.038, 0.055)
    wheel(b, (fx, 0), r, wide, rng, turn=turn)
    wheel(b, (rx, 0), r, wide, rng, hub=0.07)
    top = rng.uniform(0.93, 1.05)
    head = (fx - 0.24, 0, top - 0.1)
    for side in (-1, 1):
        b.tube([(fx, side * 0.075, r), (fx - 0.1, side * 0.075, r * 2.4)], 0.017, metal)
    b.tube([(fx - 0.1, 0, r * 2.4), head], 0.03, dark)
    _fender(b, fx, r, r + 0.03, wide * 1.3, 0.15, 2.6, second)
    shield = rng.uniform(0.15, 0.24)
    foot = rng.uniform(0.26, 0.34)
    b.loft(
        [
            (fx - 0.3, 0, foot),
            (fx - 0.27, 0, foot + 0.15),
            (fx - 0.2, 0, top - 0.32),
            (fx - 0.22, 0, top - 0.1),
        ],
        [
            (shield * 0.85, 0.03),
            (shield * 1.05, 0.045),
            (shield * 0.9, 0.07),
            (shield * 0.55, 0.05),
        ],
        body,
        up=(1, 0, 0),
        power=3,
        around=18,
    )
    nose = rng.uniform(0.07, 0.12)
    b.ball((fx - 0.14, 0, top - 0.27), (nose, shield * 0.62, 0.17), second)
    b.ball(
        (fx - 0.08, 0, top - rng.uniform(0.06, 0.3)),
        (0.06, shield * rng.uniform(0.3, 0.6), 0.05),
        _lamp(rng, (0.85, 0.85, 0.8), 3),
    )
    b.ball(
        (fx - 0.23, 0, top - 0.02), (0.09, rng.uniform(0.1, 0.17), 0.07), rng.choice((dark, body))
    )
    grips = _handlebar(b, fx - 0.28, top, rng.uniform(0.3, 0.36), rng, mirrors=rng.random() < 0.75)
    b.box((fx - 0.5, 0, foot - 0.03), (0.27, rng.uniform(0.13, 0.19), 0.045), dark, 0.5)
    seat_z = rng.uniform(0.7, 0.8)
    w = rng.uniform(0.12, 0.17)
    b.loft(
        [
            (fx - 0.68, 0, foot + 0.08),
            (fx - 0.8, 0, seat_z - 0.14),
            (rx, 0, seat_z - 0.16),
            (rx - 0.28, 0, seat_z - 0.05),
        ],
        [(w * 0.8, 0.1), (w, 0.17), (w * 1.05, 0.13), (w * 0.5, 0.05)],
        body,
        power=3,
        around=16,
    )
    long = rng.uniform(0.5, 0.66)
    s0 = fx - 0.7
    sz = seat_z - 0.02
    b.loft(
        [
            (s0, 0, sz - 0.02),
            (s0 - long * 0.35, 0, sz),
            (s0 - long * 0.55, 0, sz + 0.02),
            (s0 - long, 0, sz + 0.06),
        ],
        [(w * 0.7, 0.05), (w * 1.1, 0.06), (w * 1.05, 0.06), (w * 0.8, 0.045)],
        rng.choice((dark, dark, material((0.2, 0.08, 0.03), rough=0.6), paint(rng))),
        power=3.2,
        around=16,
        round_ends=True,
    )
    _fender(b, rx, r, r + 0.04, wide * 1.4, 0.6, 3.0, dark)
    b.box((rx - 0.02, 0.09, r), (0.16, 0.015, 0.03), dark)
    for side in (-1, 1):
        b.tube(
            [(rx, side * 0.085, r + 0.02), (rx + 0.05, side * 0.1, seat_z - 0.2)],
            0.024,
            rng.choice((metal, dark)),
        )
    end = rx - 0.27
    b.box(
        (end - 0.02, 0, seat_z - 0.1), (0.025, w * 0.6, 0.03), _lamp(rng, (0.6, 0.01, 0.01), 4), 0.4
    )
    if rng.random() < 0.8:
        _plate(b, rx - r - 0.07, seat_z - rng.uniform(0.22, 0.32), rng)
    if rng.random() < 0.8:
        b.tube(
            [
                (s0 - long * 0.7, 0.13, sz),
                (end - 0.1, 0.12, sz + 0.07),
                (end - 0.12, 0, sz + 0.08),
                (end - 0.1, -0.12, sz + 0.07),
                (s0 - long * 0.7, -0.13, sz),
            ],
            0.012,
            metal,
        )
    for side in (-1, 1):
        b.tube(
            [(fx - 0.6, side * 0.12, foot - 0.05), (fx - 0.72, side * 0.2, 0.02)], 0.012, metal, 6
        )
    rack = (end - 0.02, sz + 0.09)
    if delivery:
        top_box(b, rack[0] - 0.05, rack[1], rng, delivery=True)
    elif rng.random() < 0.5:
        top_box(b, rack[0], rack[1], rng, delivery=False)
    if rng.random() < 0.25:
        _basket(b, fx - 0.06, top - 0.36, rng)
    if rng.random() < 0.3:
        apron(b, fx - 0.2, top, shield, rng)
    if rng.random() < 0.3:
        b.ball((fx - 0.5, rng.uniform(-0.05, 0.05), foot + 0.15), (0.13, 0.13, 0.17), cloth(rng))
    seat = np.array([s0 - long * 0.35, 0, sz + 0.06])
    feet = (np.array([fx - 0.42, 0.1, foot + 0.03]), np.array([fx - 0.42, -0.1, foot + 0.03]))
    return Ride(b, "ebike", grips, seat, feet, base + 2 * r)


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


def cape(ride: Ride, rng: random.Random) -> None:
    """Drape a rain cover over a parked two-wheeler, wheels left to see below."""
    b = ride.body
    stuff = material(any_color(rng, 0.05, 0.6), rough=rng.uniform(0.25, 0.7))
    half = ride.length / 2
    low = rng.uniform(0.15, 0.5)
    n = 26
    stations = np.linspace(-half * rng.uniform(0.7, 1), half * 0.8, 9)
    tops = np.interp(stations, [-half, -0.2, 0.0, half * 0.45, half], [0.75, 0.88, 0.95, 1.2, 0.9])
    grid = []
    for x, top in zip(stations, tops, strict=True):
        for k in range(n):
            t = k / (n - 1) * 2 - 1
            y = math.copysign(min(abs(t) * 1.5, 1.0), t) * rng.uniform(0.27, 0.37)
            fall = max(abs(t) * 1.5 - 0.55, 0) / 0.95
            z = top + (low + rng.uniform(-0.03, 0.03) - top) * fall**0.9
            grid.append((x + rng.uniform(-0.02, 0.02), y, z))
    faces: list[tuple[int, ...]] = [
        (i * n + k, i * n + k + 1, (i + 1) * n + k + 1, (i + 1) * n + k)
        for i in range(8)
        for k in range(n - 1)
    ]
    b.add(np.array(grid), faces, stuff)


def cycle(rng: random.Random, *, electric: bool = False) -> Ride:
    """Build a bicycle; `electric` adds a battery, a hub motor, smaller fatter wheels."""
    b = Builder("ebike" if electric else "bicycle")
    frame, dark, metal = paint(rng), plastic(rng), chrome(rng)
    r = rng.choice((0.18, 0.2, 0.23, 0.25)) if electric else rng.choice((0.25, 0.3, 0.33, 0.34))
    wide = rng.uniform(0.024, 0.034) if electric else rng.uniform(0.011, 0.024)
    base = rng.uniform(1.0, 1.15) if r > 0.24 else rng.uniform(0.9, 1.08)
    fx, rx = base / 2, -base / 2
    turn = rng.uniform(-0.5, 0.5) if rng.random() < 0.5 else 0.0
    spokes = 0 if electric and rng.random() < 0.35 else rng.choice((18, 24, 28))
    wheel(b, (fx, 0), r, wide, rng, spokes=spokes, turn=turn)
    wheel(b, (rx, 0), r, wide, rng, spokes=spokes, hub=0.08 if electric else 0.04)
    bar_z = rng.uniform(0.95, 1.08)
    seat_z = rng.uniform(0.72, 0.95)
    head, low = (fx - 0.2, 0, bar_z - 0.12), (fx - 0.14, 0, r * 2 + 0.1)
    crank, post = (rx + 0.43, 0, 0.28), (rx + 0.26, 0, seat_z)
    t = 0.028 if electric else 0.017
    for side in (-1, 1):
        b.tube([(fx, side * 0.055, r), (fx - 0.09, side * 0.05, r * 2 + 0.06), low], 0.012, frame)
        b.tube([(rx, side * 0.06, r), (crank[0], side * 0.04, crank[2])], 0.01, frame)
        b.tube([(rx, side * 0.06, r), (post[0] + 0.03, side * 0.02, seat_z - 0.22)], 0.009, frame)
    b.tube([low, (head[0] - 0.03, 0, bar_z)], 0.018, frame)
    b.tube([crank, post], 0.016, frame)
    step = electric or rng.random() < 0.5
    if step:
        b.tube([low, (fx - 0.4, 0, 0.38), crank], t * 1.2, frame, 10)
    else:
        b.tube([low, crank], t * 1.2, frame)
        b.tube([head, (post[0] + 0.04, 0, seat_z - 0.15)], t, frame)
    b.ring((crank[0], 0.05, crank[2]), 0.08, 0.006, dark)
    for side in (-1, 1):
        end = (crank[0] + side * 0.12, side * 0.1, crank[2] - side * 0.1)
        b.tube([(crank[0], side * 0.05, crank[2]), end], 0.01, metal, 6)
        b.box((end[0], end[1] + side * 0.05, end[2]), (0.045, 0.035, 0.012), dark)
    if electric:
        _battery(b, rng, fx, crank, post, seat_z)
    b.loft(
        [
            (post[0] - 0.14, 0, seat_z + 0.03),
            (post[0] - 0.02, 0, seat_z + 0.03),
            (post[0] + 0.13, 0, seat_z + 0.02),
        ],
        [(0.11, 0.04), (0.08, 0.04), (0.025, 0.03)],
        dark,
        round_ends=True,
    )
    grips = _handlebar(
        b,
        head[0] - 0.02,
        bar_z,
        rng.uniform(0.26, 0.33),
        rng,
        mirrors=electric and rng.random() < 0.4,
        sweep=rng.choice((0.02, 0.1, 0.16)),
    )
    _cycle_extras(b, rng, electric, (fx, rx, r, wide, bar_z, seat_z))
    seat = np.array([post[0] - 0.03, 0, seat_z + 0.06])
    feet = (np.array([crank[0] + 0.12, 0.14, 0.2]), np.array([crank[0] - 0.1, -0.14, 0.38]))
    return Ride(b, b.name, grips, seat, feet, base + 2 * r)


def _battery(
    b: Builder, rng: random.Random, fx: float, crank: Any, post: Any, seat_z: float
) -> None:
    case = plastic(rng) if rng.random() < 0.7 else paint(rng)
    where = rng.choice(("board", "board", "tube", "seat", "rack"))
    if where == "board":
        b.box(((crank[0] + fx - 0.3) / 2, 0, 0.31), (0.2, rng.uniform(0.09, 0.13), 0.09), case, 0.4)
        b.loft(
            [(post[0] + 0.1, 0, 0.3), (post[0], 0, seat_z - 0.12)],
            [(0.09, 0.1), (0.08, 0.09)],
            case,
            power=4,
        )
    elif where == "tube":
        b.loft([(fx - 0.24, 0, 0.55), (crank[0] + 0.06, 0, 0.36)], (0.05, 0.07), case, power=4)
    elif where == "seat":
        b.loft(
            [(crank[0] - 0.08, 0, 0.32), (post[0] - 0.06, 0, seat_z - 0.1)],
            (0.06, 0.09),
            case,
            power=4,
        )
    else:
        b.box((post[0] - 0.27, 0, seat_z - 0.12), (0.17, 0.08, 0.06), case, 0.4)
    if rng.random() < 0.6:
        b.ball((fx - 0.1, 0, 0.78), (0.07, 0.08, 0.07), material((0.8, 0.8, 0.75), rough=0.1))


def _cycle_extras(b: Builder, rng: random.Random, electric: bool, at: tuple[float, ...]) -> None:
    fx, rx, r, wide, bar_z, seat_z = at
    dark, metal = plastic(rng), chrome(rng)
    if rng.random() < 0.7:
        for x in (fx, rx):
            _fender(b, x, r, r + 0.025, max(wide, 0.02) * 1.3, 0.3, 2.8, rng.choice((dark, metal)))
    if rng.random() < (0.7 if electric else 0.45):
        _basket(b, fx - 0.03, bar_z - 0.28, rng)
        b.tube([(fx - 0.18, 0, bar_z - 0.2), (fx - 0.05, 0, bar_z - 0.27)], 0.014, dark, 6)
    if rng.random() < 0.7:
        z = min(seat_z - 0.12, 2 * r + 0.22)
        for side in (-1, 1):
            b.tube([(rx + 0.2, side * 0.06, z), (rx - 0.22, side * 0.06, z)], 0.007, metal, 5)
            b.tube([(rx, side * 0.07, r), (rx - 0.05, side * 0.06, z)], 0.006, metal, 5)
        pick = rng.random()
        if electric and pick < 0.35:
            top_box(b, rx - 0.08, z, rng, delivery=rng.random() < 0.5)
        elif pick < 0.55:
            b.loft(
                [(rx + 0.16, 0, z + 0.04), (rx - 0.22, 0, z + 0.05)],
                (0.1, 0.045),
                dark,
                power=4,
                round_ends=True,
            )
        elif pick < 0.65:
            b.loft(
                [(rx - 0.2, 0, z + 0.03), (rx - 0.24, 0, z + 0.35)],
                [(0.14, 0.03), (0.13, 0.03)],
                cloth(rng),
                power=4,
            )
            b.box((rx - 0.03, 0, z + 0.06), (0.15, 0.13, 0.04), cloth(rng), 0.5)
    if electric and rng.random() < 0.25:
        apron(b, fx - 0.12, bar_z, 0.16, rng)
    if rng.random() < 0.5:
        b.tube([(rx + 0.1, 0.05, r), (rx + 0.05, 0.16, 0.02)], 0.008, metal, 5)


def two_wheeler(rng: random.Random, kind: str) -> Ride:
    """Build by kind: scooter, delivery, light (bicycle-type e-bike), covered, bicycle."""
    if kind == "bicycle":
        return cycle(rng)
    if kind == "light":
        return cycle(rng, electric=True)
    ride = scooter(rng, delivery=kind == "delivery")
    if kind == "covered":
        cape(ride, rng)
    return ride


__all__ = [
    "Ride",
    "apron",
    "cape",
    "cycle",
    "mirrored",
    "scooter",
    "top_box",
    "two_wheeler",
    "wheel",
]
