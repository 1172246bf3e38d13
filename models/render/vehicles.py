"""Two-wheelers by kind, and the rain cover over a parked one."""

import math
import random

import numpy as np
from bikes import cycle
from kit import any_color, material
from parts import Ride
from scooters import scooter


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
