"""Bicycles, plain and electric."""

import random
from typing import Any

import numpy as np
from kit import Builder, chrome, cloth, material, paint, plastic
from parts import Ride, apron, basket, fender, handlebar, top_box, wheel


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
    _frame(b, rng, electric, (frame, dark, metal), (fx, rx, r, bar_z, seat_z))
    crank, post = (rx + 0.43, 0, 0.28), (rx + 0.26, 0, seat_z)
    head = (fx - 0.2, 0, bar_z - 0.12)
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
    grips = handlebar(
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


def _frame(
    b: Builder,
    rng: random.Random,
    electric: bool,
    looks: tuple[Any, Any, Any],
    at: tuple[float, ...],
) -> None:
    (frame, dark, metal), (fx, rx, r, bar_z, seat_z) = looks, at
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
            fender(b, x, r, r + 0.025, max(wide, 0.02) * 1.3, 0.3, 2.8, rng.choice((dark, metal)))
    if rng.random() < (0.7 if electric else 0.45):
        basket(b, fx - 0.03, bar_z - 0.28, rng)
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
