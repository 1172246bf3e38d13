"""The rendering and training scripts on two pictures, where their libraries are installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

MODELS = Path(__file__).parents[2] / "models"
SHARED = Path(__file__).parents[3] / "shared"

CONFIG = """
seed = 1
steps = 2
batch = 2
start = "{shared}/models/yolox_nano.onnx"
take = [[0], [3], [1], [56], [56]]
[data]
elevators = "{pictures}"
cutouts = "{pictures}"
photographs = "{pictures}"
[data.shares]
scene = 1
photograph = 1
[data.kinds]
scooter = 1
[optimizer]
rate = 1e-4
backbone = 0.3
decay = 0.0
pull = 1.0
frozen = 2
warmup = 1
average = 0.9
[sizes]
drawn = [128]
full = 160
full_share = 0.5
"""


def run(script: str, *args: str) -> str:
    command = [sys.executable, str(MODELS / script), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def two_pictures(folder: Path) -> None:
    for part in ("images", "labels", "facts"):
        (folder / part).mkdir(parents=True)
    for n in range(2):
        image = np.random.default_rng(n).integers(0, 255, (120, 160, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "images" / f"elevator-{n:06d}-0.jpg"), image)
        (folder / "labels" / f"elevator-{n:06d}-0.txt").write_text("1 0.5 0.5 0.4 0.5\n")
        (folder / "facts" / f"elevator-{n:06d}-0.json").write_text('{"kind": "scooter"}')


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="bpy is not installed")
def test_two_scenes_are_rendered_with_labels(tmp_path: Path) -> None:
    run("render/make.py", "--count", "2", "--views", "1", "--samples", "1", "--out", str(tmp_path))
    images = sorted((tmp_path / "images").glob("*.jpg"))
    assert images
    for image in images:
        rows = (tmp_path / "labels" / f"{image.stem}.txt").read_text().splitlines()
        assert all(0 <= float(v) <= 5 for row in rows for v in row.split())


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="bpy is not installed")
def test_two_frames_of_the_demo_clip_are_rendered(tmp_path: Path) -> None:
    small = ("--width", "64", "--height", "48", "--samples", "1")
    run("render/clip.py", "--frames", str(tmp_path), "--every", "85", *small)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000.png", "0085.png"]


@pytest.mark.shared
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared with the weights to start from")
def test_two_steps_of_training_write_a_detector(tmp_path: Path) -> None:
    two_pictures(tmp_path / "pictures")
    config = tmp_path / "small.toml"
    config.write_text(CONFIG.format(shared=SHARED, pictures=tmp_path / "pictures"))
    run("train/train.py", str(config), "--out", str(tmp_path / "out"))
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"detector.onnx", "last.pt", "losses.csv", "curves.png"} <= written
    trained = str(tmp_path / "out" / "detector.onnx")
    mixed = tmp_path / "mixed.onnx"
    run("train/mix.py", f"{trained}:2", trained, "--doubt", "wheelchair=3", "--out", str(mixed))
    assert mixed.stat().st_size < 4_000_000
