from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vision

from edge.settings import Camera, Mask, load_settings
from edge.source.frame import Image
from edge.source.mask import FLAT, masked
from edge.source.sources import source_of
from linli.clock import SystemClock
from linli.errors import InputError

LEFT = Mask(points=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
CORNER = Mask(points=((0.9, 0.9), (1, 0.9), (1, 1)))


def noise(height: int = 120, width: int = 200) -> Image:
    return np.random.default_rng(3).integers(0, 100, (height, width, 3), np.uint8)


def test_what_is_masked_is_flat_and_the_rest_is_as_it_was() -> None:
    image = noise()
    before = image.copy()
    picture = masked(image, (LEFT, CORNER))
    assert (picture[:, :101] == FLAT).all()
    assert (picture[:104, 104:] == before[:104, 104:]).all()
    assert (picture[110:, 195:] == FLAT).all()
    assert (picture[115, 150] == before[115, 150]).all()
    assert picture is image  # nobody keeps the frame as it was


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1080, 1920)])
def test_a_mask_over_everything_leaves_nothing_at_any_size(size: tuple[int, int]) -> None:
    whole = Mask(points=((0, 0), (1, 0), (1, 1), (0, 1)))
    assert (masked(noise(*size), (whole,)) == FLAT).all()


def test_a_frame_that_may_not_be_written_on_is_not() -> None:
    image = noise()
    before = image.copy()
    image.flags.writeable = False
    assert (masked(image, (LEFT,))[:, :100] == FLAT).all()
    assert (image == before).all()


@pytest.mark.parametrize("source", ["pattern:square", "clip.mp4"])
def test_every_frame_of_a_source_is_masked(source: str, tmp_path: Path) -> None:
    if source == "clip.mp4":
        source = str(vision.square_clip(tmp_path / source, seconds=1))
    camera = Camera(id="c", label="c", source=source, speed="max", mask=(LEFT,))
    seen = 0
    with source_of(camera, SystemClock(), lambda: 0.5) as frames:
        while seen < 3 and frames.state not in {"ended", "failed"}:
            frame = frames.read(1)
            if frame is None:
                continue
            middle = frame.image.shape[1] // 2
            assert (frame.image[:, :middle] == FLAT).all()
            assert (frame.image[:, middle + 3 :] != FLAT).any()
            seen += 1
        assert frames.counts.given == seen == 3
        assert frames.detail is None


def test_settings_say_what_is_masked(tmp_path: Path) -> None:
    text = (
        '[node]\nsite = "s"\narea = "a"\nid = "n"\n'
        '[[camera]]\nid = "c"\nlabel = "c"\nsource = "clip.mp4"\n[[camera.mask]]\npoints = {}\n'
    )
    path = tmp_path / "edge.toml"
    path.write_text(text.format("[[0, 0], [0.5, 0], [0.5, 1]]"))
    (camera,) = load_settings(path).camera
    assert camera.mask == (Mask(points=((0, 0), (0.5, 0), (0.5, 1))),)
    for wrong, said in (
        ("[[0, 0], [0.5, 0]]", "camera[0].mask[0].points"),
        ("[[0, 0], [0.5, 0], [1, 0]]", "a mask has no area"),
        ("[[0, 0], [0.5, 0], [0.5, 1.1]]", "camera[0].mask[0].points"),
    ):
        path.write_text(text.format(wrong))
        with pytest.raises(InputError) as caught:
            load_settings(path)
        assert said in str(caught.value)
