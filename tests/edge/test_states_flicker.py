"""Flicker is a property of a series of frames."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.states.flicker import Light, flicker


def series(
    hertz: float, *, fps: float = 5.0, seconds: float = 20, depth: float = 1.0
) -> list[Light]:
    """Return a lamp that is on half of each period, as frames of no exposure time see it."""
    times = np.arange(0, seconds, 1 / fps)
    on = (times * hertz + 0.13) % 1 < 0.5
    return [Light(float(t), 1.0 if lit else 1.0 - depth) for t, lit in zip(times, on, strict=True)]


@pytest.mark.parametrize("hertz", [0.4, 0.7, 1.0, 1.7, 2.2])
def test_the_rate_is_measured_below_half_the_frame_rate(hertz: float) -> None:
    found = flicker(series(hertz), 19.8)
    assert found is not None
    assert found.rate == pytest.approx(hertz, rel=0.15)
    assert found.limit == pytest.approx(2.5, rel=0.02)


def test_irregular_flicker_is_seen() -> None:
    rng = np.random.default_rng(3)
    lights = [Light(n / 5, float(rng.random() < 0.6)) for n in range(50)]
    assert flicker(lights, 9.8) is not None


@pytest.mark.parametrize(
    "lights",
    [
        pytest.param([], id="no frames"),
        pytest.param(series(0.0), id="steady"),
        pytest.param(series(0.1), id="switched now and then"),
        pytest.param(series(1.0, depth=0.4), id="dims without going off"),
        pytest.param(series(1.0, fps=0.5), id="too few frames to tell"),
        pytest.param(
            [Light(n / 5, float(n % 2) if 20 <= n < 30 else 1.0) for n in range(50)],
            id="one burst: a starter",
        ),
        pytest.param(
            [Light(n / 5, 0.5 + 0.1 * math.sin(n)) for n in range(50)], id="between on and off"
        ),
    ],
)
def test_what_is_no_flicker(lights: list[Light]) -> None:
    assert flicker(lights, 9.8) is None


def test_what_was_long_ago_does_not_count() -> None:
    lights = series(1.0, seconds=10) + [Light(10 + n / 5, 1.0) for n in range(50)]
    assert flicker(lights, 9.8) is not None
    assert flicker(lights, 19.8) is None


def test_mains_flicker_cannot_be_seen() -> None:
    """100 Hz through a frame that gathers light for its whole 20 ms is steady."""
    times = np.arange(0, 10, 0.2)
    exposed = [
        Light(float(t), float(np.mean([(u * 100) % 1 < 0.5 for u in t + np.arange(0, 0.02, 1e-4)])))
        for t in times
    ]
    assert flicker(exposed, 9.8) is None
