"""The scripts that make the detector, on two pictures, in the order of models/README.md."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.catalog.entry import Catalog
from linli.settings import load

MODELS = Path(__file__).parents[2] / "models"
Script = Callable[..., str]
pytestmark = pytest.mark.timeout(600)

CONFIG = """
seed = 1
steps = 2
batch = 4
start = "{start}"
[data]
elevators = "{pictures}/elevator"
cutouts = "{pictures}/cutout"
photographs = "{pictures}/photograph"
[data.shares]
scene = 1
paste = 1
photograph = 1
mosaic = 1
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


def two_renders(render: Script, folder: Path) -> None:
    """Render a scooter in an elevator, with its rider, and another one to be pasted."""
    quick = ("--count", 1, "--samples", 1)
    lift, cutout = folder / "elevator", folder / "cutout"
    render("render/make.py", "--what", "elevator", "--views", 1, *quick, "--out", lift)
    render("render/make.py", "--what", "cutout", "--kinds", "scooter", *quick, "--out", cutout)


def a_photograph(folder: Path) -> None:
    """Write a picture with COCO's labels: a motorcycle and a dog."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "images" / "1.jpg"), noise)
    (folder / "labels" / "1.txt").write_text("3 0.5 0.5 0.4 0.5\n16 0.2 0.2 0.2 0.2\n")


def labels(folder: Path, stem: str) -> dict[int, tuple[float, ...]]:
    """Return the box of each class in a label file: centre, width, height as shares."""
    rows = [line.split() for line in (folder / "labels" / f"{stem}.txt").read_text().splitlines()]
    return {int(label): tuple(map(float, box)) for label, *box in rows}


def test_a_scene_and_a_cutout_are_rendered_with_labels(render: Script, tmp_path: Path) -> None:
    two_renders(render, tmp_path)
    lift, cutout = tmp_path / "elevator", tmp_path / "cutout"
    assert (lift / "classes.txt").read_text().split()[:2] == ["person", "ebike"]
    assert json.loads((lift / "facts" / "elevator-000000-0.json").read_text())["kind"] == "scooter"
    found = labels(lift, "elevator-000000-0")
    assert sorted(found) == [0, 1]
    assert all(w / 2 <= x <= 1 - w / 2 for x, _, w, _ in found.values())
    assert cv2.imread(str(lift / "images" / "elevator-000000-0.jpg")).std() > 10
    piece = cv2.imread(str(cutout / "images" / "cutout-000000-0.png"), cv2.IMREAD_UNCHANGED)
    rows, columns = np.nonzero(piece[..., 3] > 100)
    x, y, w, h = labels(cutout, "cutout-000000-0")[1]
    drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * len(piece)
    assert np.abs(box - drawn).max() < 4
    written = (lift / "images" / "elevator-000000-0.jpg").stat().st_mtime_ns
    two_renders(render, tmp_path)
    assert (lift / "images" / "elevator-000000-0.jpg").stat().st_mtime_ns == written


def test_two_frames_of_the_demo_clip_are_rendered(render: Script, tmp_path: Path) -> None:
    small = ("--width", 64, "--height", 48, "--samples", 1)
    render("render/clip.py", "--frames", tmp_path, "--every", 85, *small)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000.png", "0085.png"]


def test_renders_become_a_detector_in_the_catalogue(
    render: Script, train: Script, tmp_path: Path
) -> None:
    two_renders(render, tmp_path)
    a_photograph(tmp_path / "photograph")
    config, run = tmp_path / "small.toml", tmp_path / "run"
    start = MODELS / "builtin" / "detector.onnx"
    config.write_text(CONFIG.format(start=start, pictures=tmp_path))
    train("train/train.py", config, "--out", run, "--minutes", 0)
    shutil.copy(run / "detector.onnx", tmp_path / "first.onnx")
    train("train/train.py", config, "--out", run)
    steps = [line.split(",")[0] for line in (run / "losses.csv").read_text().split()]
    assert steps == ["step", "1", "2"]
    assert (run / "curves.png").exists()

    mixed = tmp_path / "mixed.onnx"
    files = (f"{tmp_path / 'first.onnx'}:1", f"{run / 'detector.onnx'}:2")
    train("train/mix.py", *files, "--out", mixed)
    script, held = MODELS / "train" / "choose.py", tmp_path / "elevator"
    choose = [sys.executable, script, mixed, held, "--json"]
    said = subprocess.run(choose, check=True, capture_output=True, text=True, timeout=250)
    chosen = json.loads(said.stdout)
    assert chosen["ebike"] == 1
    doubt = [f"--doubt={name}={by}" for name, by in chosen["doubt"].items()]
    shipped = tmp_path / "models" / "builtin" / "detector.onnx"
    shipped.parent.mkdir(parents=True)
    train("train/mix.py", mixed, *doubt, "--version", "9", "--out", shipped)

    ship = shutil.copy(MODELS / "ship.py", shipped.parents[1])
    scores = [f"--threshold={name}={least}" for name, least in chosen["threshold"].items()]
    command = [sys.executable, ship, shipped, "--name=ours", "--summary=two steps", *scores]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (entry,) = load(shipped.parents[1] / "catalog.toml", Catalog).model
    assert (entry.version, entry.thresholds) == ("9", chosen["threshold"])
    assert entry.classes == ("person", "ebike", "bicycle", "stroller", "wheelchair")


def test_training_refuses_to_start_from_another_network(train: Script, tmp_path: Path) -> None:
    for part in ("images", "facts"):
        (tmp_path / "elevator" / part).mkdir(parents=True)
        (tmp_path / "cutout" / part).mkdir(parents=True)
    a_photograph(tmp_path / "photograph")
    config = tmp_path / "small.toml"
    start = MODELS / "builtin" / "waste.onnx"
    config.write_text(CONFIG.format(start=start, pictures=tmp_path))
    with pytest.raises(AssertionError, match=r"waste\.onnx: \d+ convolutions, expected \d+"):
        train("train/train.py", config, "--out", tmp_path / "run")
