from __future__ import annotations

import numpy as np
import pytest

from edge.gate import Gray, changed, places, share, small_grey

WIDE, HIGH = 768, 432


def scene(
    seed: int = 0, *, light: float = 0.0, box: tuple[int, int, int, int] | None = None, by: int = 40
) -> Gray:
    """A wall with a pattern and a sensor's grain; `box` in pixels is brighter `by` so much."""
    rng = np.random.default_rng(seed)
    wall = 90 + 40 * np.sin(np.arange(WIDE) / 60)[None, :, None] + np.zeros((HIGH, WIDE, 3))
    if box is not None:
        x1, y1, x2, y2 = box
        wall[y1:y2, x1:x2] += by
    noisy = wall + light + rng.normal(0, 6, wall.shape)
    return small_grey(np.clip(noisy, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("light", [-30, 0, 20, 45])
def test_grain_and_light_move_nothing(light: float) -> None:
    cells = changed(scene(1), scene(2, light=light))
    assert share(cells) == 0
    assert places(cells).shape == (0, 4)


@pytest.mark.parametrize("by", [-40, 40])
def test_somebody_far_away_is_motion_and_has_a_place(by: int) -> None:
    cells = changed(scene(1), scene(2, box=(384, 200, 400, 240), by=by))
    assert share(cells) >= 0.0005
    ((x1, y1, x2, y2),) = places(cells).tolist()
    assert x1 <= 384 / WIDE
    assert x2 >= 400 / WIDE
    assert y1 <= 200 / HIGH
    assert y2 >= 240 / HIGH
    assert (x2 - x1, y2 - y1) == pytest.approx((16 / WIDE, 40 / HIGH), abs=0.07)


def test_places_come_largest_first_in_bounds_and_never_too_many() -> None:
    cells = np.zeros((90, 160), np.uint8)
    cells[0:3, 0:2] = 1
    cells[40:60, 100:110] = 1
    first, second = places(cells).tolist()
    assert first[2] - first[0] > second[2] - second[0]
    assert second[:2] == [0, 0]
    cells[::9, ::9] = 1
    cells[1::9, ::9] = cells[2::9, ::9] = 1
    many = places(cells)
    assert 2 < len(many) <= 32
    assert many.min() >= 0
    assert many.max() <= 1
