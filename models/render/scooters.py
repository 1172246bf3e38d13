"""Scooter-type e-bikes, with a delivery box or without."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from kit import Builder, chrome, cloth, material, paint, plastic
from parts import Ride, apron, basket, fender, handlebar, lamp, plate, top_box, wheel


@dataclass
class Plan:
    """One scooter's measures in metres, and its three surfaces."""

    rng: random.Random
    body: Any
    dark: Any
    metal: Any
    second: Any
    front: float
    rear: float
    radius: float
    tyre: float
    top: float = 1.0
    foot: float = 0.3
    shield: float = 0.2
    seat: float = 0.75
    half: float = 0.15


def scooter(rng: random.Random, *, delivery: bool = False) -> Ride:
    """Build a step-through scooter-type e-bike with leg shield, footboard and long seat."""
    b = Builder("ebike")
    body, dark, metal = paint(rng), plastic(rng), chrome(rng)
    second = body if rng.random() < 0.6 else (dark if rng.random() < 0.5 else paint(rng))
    base, radius = rng.uniform(1.12, 1.35), rng.uniform(0.19, 0.235)
    turn = rng.uniform(-0.6, 0.6) if rng.random() < 0.5 else 0.0
    p = Plan(rng, body, dark, metal, second, base / 2, -base / 2, radius, rng.uniform(0.038, 0.055))
    wheel(b, (p.front, 0), p.radius, p.tyre, rng, turn=turn)
    wheel(b, (p.rear, 0), p.radius, p.tyre, rng, hub=0.07)
    grips = _front(b, p)
    seat, rack = _seat(b, p)
    _tail(b, p, rack)
    _extras(b, p, rack, delivery=delivery)
    x = p.front - 0.42
    feet = (np.array([x, 0.1, p.foot + 0.03]), np.array([x, -0.1, p.foot + 0.03]))
    return Ride(b, "ebike", grips, seat, feet, base + 2 * radius)


def _front(b: Builder, p: Plan) -> tuple[Any, Any]:
    rng, fx, r = p.rng, p.front, p.radius
    p.top = rng.uniform(0.93, 1.05)
    top = p.top
    for side in (-1, 1):
        b.tube([(fx, side * 0.075, r), (fx - 0.1, side * 0.075, r * 2.4)], 0.017, p.metal)
    b.tube([(fx - 0.1, 0, r * 2.4), (fx - 0.24, 0, top - 0.1)], 0.03, p.dark)
    fender(b, fx, r, r + 0.03, p.tyre * 1.3, 0.15, 2.6, p.second)
    p.shield, p.foot = rng.uniform(0.15, 0.24), rng.uniform(0.26, 0.34)
    k = p.shield
    b.loft(
        [
            (fx - 0.3, 0, p.foot),
            (fx - 0.27, 0, p.foot + 0.15),
            (fx - 0.2, 0, top - 0.32),
            (fx - 0.22, 0, top - 0.1),
        ],
        [(k * 0.85, 0.03), (k * 1.05, 0.045), (k * 0.9, 0.07), (k * 0.55, 0.05)],
        p.body,
        up=(1, 0, 0),
        power=3,
        around=18,
    )
    b.ball((fx - 0.14, 0, top - 0.27), (rng.uniform(0.07, 0.12), k * 0.62, 0.17), p.second)
    b.ball(
        (fx - 0.08, 0, top - rng.uniform(0.06, 0.3)),
        (0.06, k * rng.uniform(0.3, 0.6), 0.05),
        lamp(rng, (0.85, 0.85, 0.8), 3),
    )
    size = (0.09, rng.uniform(0.1, 0.17), 0.07)
    b.ball((fx - 0.23, 0, top - 0.02), size, rng.choice((p.dark, p.body)))
    half, mirrors = rng.uniform(0.3, 0.36), rng.random() < 0.75
    grips = handlebar(b, fx - 0.28, top, half, rng, mirrors=mirrors)
    b.box((fx - 0.5, 0, p.foot - 0.03), (0.27, rng.uniform(0.13, 0.19), 0.045), p.dark, 0.5)
    return grips


def _seat(b: Builder, p: Plan) -> tuple[Any, tuple[float, float]]:
    rng, fx, rx = p.rng, p.front, p.rear
    p.seat, p.half = rng.uniform(0.7, 0.8), rng.uniform(0.12, 0.17)
    w, high = p.half, p.seat
    b.loft(
        [
            (fx - 0.68, 0, p.foot + 0.08),
            (fx - 0.8, 0, high - 0.14),
            (rx, 0, high - 0.16),
            (rx - 0.28, 0, high - 0.05),
        ],
        [(w * 0.8, 0.1), (w, 0.17), (w * 1.05, 0.13), (w * 0.5, 0.05)],
        p.body,
        power=3,
        around=16,
    )
    long, start, z = rng.uniform(0.5, 0.66), fx - 0.7, high - 0.02
    b.loft(
        [
            (start, 0, z - 0.02),
            (start - long * 0.35, 0, z),
            (start - long * 0.55, 0, z + 0.02),
            (start - long, 0, z + 0.06),
        ],
        [(w * 0.7, 0.05), (w * 1.1, 0.06), (w * 1.05, 0.06), (w * 0.8, 0.045)],
        rng.choice((p.dark, p.dark, material((0.2, 0.08, 0.03), rough=0.6), paint(rng))),
        power=3.2,
        around=16,
        round_ends=True,
    )
    return np.array([start - long * 0.35, 0, z + 0.06]), (start - long * 0.7, z)


def _tail(b: Builder, p: Plan, rack: tuple[float, float]) -> None:
    rng, rx, r = p.rng, p.rear, p.radius
    fender(b, rx, r, r + 0.04, p.tyre * 1.4, 0.6, 3.0, p.dark)
    b.box((rx - 0.02, 0.09, r), (0.16, 0.015, 0.03), p.dark)
    for side in (-1, 1):
        legs = [(rx, side * 0.085, r + 0.02), (rx + 0.05, side * 0.1, p.seat - 0.2)]
        b.tube(legs, 0.024, rng.choice((p.metal, p.dark)))
    end = rx - 0.27
    red = lamp(rng, (0.6, 0.01, 0.01), 4)
    b.box((end - 0.02, 0, p.seat - 0.1), (0.025, p.half * 0.6, 0.03), red, 0.4)
    if rng.random() < 0.8:
        plate(b, rx - r - 0.07, p.seat - rng.uniform(0.22, 0.32), rng)
    if rng.random() < 0.8:
        x, z = rack
        rail = [
            (x, 0.13, z),
            (end - 0.1, 0.12, z + 0.07),
            (end - 0.12, 0, z + 0.08),
            (end - 0.1, -0.12, z + 0.07),
            (x, -0.13, z),
        ]
        b.tube(rail, 0.012, p.metal)
    for side in (-1, 1):
        stand = [(p.front - 0.6, side * 0.12, p.foot - 0.05), (p.front - 0.72, side * 0.2, 0.02)]
        b.tube(stand, 0.012, p.metal, 6)


def _extras(b: Builder, p: Plan, rack: tuple[float, float], *, delivery: bool) -> None:
    rng, fx = p.rng, p.front
    x, z = p.rear - 0.29, rack[1] + 0.09
    if delivery:
        top_box(b, x - 0.05, z, rng, delivery=True)
    elif rng.random() < 0.5:
        top_box(b, x, z, rng, delivery=False)
    if rng.random() < 0.25:
        basket(b, fx - 0.06, p.top - 0.36, rng)
    if rng.random() < 0.3:
        apron(b, fx - 0.2, p.top, p.shield, rng)
    if rng.random() < 0.3:
        at = (fx - 0.5, rng.uniform(-0.05, 0.05), p.foot + 0.15)
        b.ball(at, (0.13, 0.13, 0.17), cloth(rng))
