"""Pictures of places to be taught: a rendered bin, and a lamp drawn with NumPy.

tests/edge/bin-states holds strips of square pictures made by models/render/states.py, cut to the
bin and what is around it; `teach-` and `test-` differ in light, content and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

STATES = ("empty", "half", "full", "overflowing")
BIN = (0.147, 0.102, 0.853, 0.898)
LAMP = (0.35, 0.1, 0.65, 0.5)
_ROWS, _COLUMNS = np.mgrid[:60, :80].astype(np.float32)
_NEAR = np.exp(-np.hypot(_COLUMNS - 40, _ROWS - 15) / 7)
_WALL = 0.55 + 0.05 * np.sin(_COLUMNS / 3.5) + 0.05 * np.sin(_ROWS / 2.5)
_WALL[35:, 30:50] = 0.25
_WALL[11:19, 35:45] = 0.7
_WARM = np.array([0.85, 0.95, 1.0], np.float32)  # BGR
_STRIPS = Path(__file__).parents[1] / "edge" / "bin-states"


def row(name: str) -> list[Image]:
    """Return the pictures of one strip, such as `teach-empty`."""
    image = cv2.imread(str(_STRIPS / f"{name}.jpg"))
    assert image is not None, name
    side = image.shape[0]
    return [
        np.asarray(image[:, left : left + side])
        for left in range(0, image.shape[1] - side + 1, side)
    ]


def bins(part: str, count: int = 8) -> dict[str, list[Image]]:
    """Return `teach` or `test` pictures of a bin by state."""
    return {state: row(f"{part}-{state}")[:count] for state in STATES}


def lamp(*, lit: float, day: float, seed: int = 0) -> Image:
    """Draw a lamp over a door: `lit` 0..1, in daylight 0..1, with a camera's noise."""
    seen = _WALL * (0.05 + 0.75 * day + lit * 0.9 * _NEAR)
    seen[12:18, 36:44] += lit * 0.8
    noise = np.random.default_rng(seed).standard_normal((*seen.shape, 3), np.float32)
    color = seen[..., None] * _WARM + 0.012 * noise
    return np.asarray(np.clip(color, 0, 1) * 255, np.uint8)


def lamps(count: int = 5) -> dict[str, list[Image]]:
    """Return pictures of the lamp to teach it, from dawn to noon."""
    days = np.linspace(0.05, 0.9, count)
    return {
        "off": [lamp(lit=0.0, day=day, seed=number) for number, day in enumerate(days)],
        "on": [lamp(lit=1.0, day=day, seed=number + 50) for number, day in enumerate(days)],
    }


def write_folders(examples: dict[str, list[Image]], folder: Path) -> Path:
    """Write a folder of pictures per state and return it."""
    for state, path, image in _files(examples, folder):
        (folder / state).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return folder


def _files(examples: dict[str, list[Image]], folder: Path) -> Iterator[tuple[str, Path, Image]]:
    for state, images in examples.items():
        for number, image in enumerate(images):
            yield state, folder / state / f"{number}.png", image
