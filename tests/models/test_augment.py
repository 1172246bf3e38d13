import random

import numpy as np
import pytest
from augment import bulge, place, spoil


def a_square_on_grey(x: int, y: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    image = np.full((200, 300, 3), 60, np.uint8)
    image[y : y + side, x : x + side] = 250
    return image, np.array([[1.0, x, y, x + side, y + side]])


def extent(image: np.ndarray) -> list[float]:
    ys, xs = np.nonzero(image[..., 0] > 200)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


@pytest.mark.parametrize("seed", range(8))
def test_the_box_follows_its_pixels_through_scaling_and_turning(seed: int) -> None:
    image, boxes = a_square_on_grey(130, 80, 40)
    out, moved = place(random.Random(seed), image, boxes, 256, zoom=(0.7, 1.1))
    assert out.shape == (256, 256, 3)
    assert moved[0, 0] == 1
    assert np.abs(moved[0, 1:] - extent(out)).max() < 7


@pytest.mark.parametrize(("x", "y"), [(10, 10), (250, 10), (120, 90), (20, 150)])
def test_the_box_follows_its_pixels_through_a_wide_lens(x: int, y: int) -> None:
    image, boxes = a_square_on_grey(x, y, 40)
    out, moved = bulge(random.Random(3), image, boxes)
    assert np.abs(moved[0, 1:] - extent(out)).max() < 4


def test_what_leaves_the_picture_loses_its_box() -> None:
    image, boxes = a_square_on_grey(0, 0, 20)
    kept = [len(place(random.Random(s), image, boxes, 128, zoom=(3.0, 3.0))[1]) for s in range(20)]
    assert 0 in kept


@pytest.mark.parametrize("seed", range(12))
def test_spoiling_keeps_size_and_type(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (61, 83, 3), dtype=np.uint8)
    out = spoil(random.Random(seed), image, 1.6)
    assert out.shape == image.shape
    assert out.dtype == np.uint8


def test_the_same_seed_gives_the_same_picture() -> None:
    image, _ = a_square_on_grey(50, 50, 50)
    first, second = (spoil(random.Random(5), image, 1.6) for _ in range(2))
    assert np.array_equal(first, second)
