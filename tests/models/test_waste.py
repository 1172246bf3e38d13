"""The waste classifier's scripts: the split, calibration, and a training on a few pictures."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

WASTE = Path(__file__).parents[2] / "models" / "waste"
sys.path.append(str(WASTE))

from calibrate import calibration_error, softmax, temperature, threshold  # noqa: E402
from trashnet import ground, parts, view  # noqa: E402

CONFIG = """
version = "0"
seed = 1
start = ""
photographs = "{folder}/waste"
others = "{folder}/others"
judged = "{folder}/others"
size = 32
blocks = 3
frozen = 1
epochs = 2
batch = 8
least = 0.5
smoothing = 0.05
[optimizer]
rate = 1e-3
head = 1.0
decay = 0.0
warmup = 1.0
average = 0.9
[other]
share = 0.2
weight = 0.5
validation = 1
ground = 0.5
[threshold]
accuracy = 0.0
refused = 0.0
"""


def photographs(folder: Path, names: dict[str, int]) -> Path:
    for level, (name, count) in enumerate(names.items()):
        (folder / name).mkdir(parents=True)
        for n in range(count):
            noise = np.random.default_rng(n).integers(0, 60, (48, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / name / f"{name}{n}.jpg"), noise + np.uint8(90 * level))
    return folder


def test_the_split_is_by_class_and_always_the_same(tmp_path: Path) -> None:
    folder = photographs(tmp_path, {"glass": 40, "trash": 20})
    divided = parts(folder, 1)
    assert divided == parts(folder, 1)
    assert divided != parts(folder, 2)
    counts = {k: [sum(s.kind == n for s in v) for n in range(2)] for k, v in divided.items()}
    assert counts == {"held": [8, 4], "validation": [5, 2], "train": [27, 14]}
    paths = [s.path for v in divided.values() for s in v]
    assert len(paths) == len(set(paths)) == 60


def test_adding_photographs_moves_few_others(tmp_path: Path) -> None:
    folder = photographs(tmp_path, {"glass": 40})
    before = {s.path for s in parts(folder, 1)["held"]}
    (folder / "glass" / "new.jpg").write_bytes(b"")
    assert len(before & {s.path for s in parts(folder, 1)["held"]}) >= len(before) - 1


@pytest.mark.parametrize("seed", range(6))
def test_a_view_keeps_size_and_repeats(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    first, second = (view(random.Random(seed), image, 32, 0.4) for _ in range(2))
    assert first.shape == (32, 32, 3)
    assert np.array_equal(first, second)


def test_another_ground_never_lights_up_a_picture() -> None:
    image, texture = np.full((20, 30, 3), 200, np.uint8), np.full((9, 9, 3), 128, np.uint8)
    out = ground(random.Random(3), image, texture, 0.7)
    assert out.shape == image.shape
    assert 200 * 0.64 - 1 <= out.min() <= out.max() < 200


def of_classes(count: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and truths drawn from their softmax, the logits then sharpened."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (count, 4))
    drawn = (softmax(logits).cumsum(1) < rng.random((count, 1))).sum(1)
    return logits * sharpness, drawn


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_it_too_sure(sharpness: float) -> None:
    logits, truth = of_classes(4000, sharpness)
    found = temperature(logits, truth)
    assert found == pytest.approx(sharpness, rel=0.08)
    after = softmax(logits / found)
    assert calibration_error(after.max(1), after.argmax(1) == truth) < 0.03


def test_the_calibration_error_is_the_gap() -> None:
    sure = np.full(100, 0.9)
    right = np.arange(100) < 60
    assert calibration_error(sure, right) == pytest.approx(0.3)


def test_the_threshold_is_the_least_that_keeps_both_promises() -> None:
    sure = np.array([0.35, 0.45, 0.55, 0.65, 0.75, 0.95])
    right = np.array([False, False, True, True, True, True])
    others = np.array([0.2, 0.3, 0.72])
    assert threshold(sure, right, others, accuracy=1.0, refused=0.6) == 0.46
    assert threshold(sure, right, others, accuracy=1.0, refused=1.0) == 0.73
    with pytest.raises(ValueError, match="no threshold"):
        threshold(sure, ~right, others, accuracy=1.0, refused=1.0)


def test_a_part_is_linked_into_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "all", {"glass": 10, "trash": 10})
    command = [sys.executable, WASTE / "trashnet.py", folder, "held", "--out", tmp_path / "held"]
    subprocess.run(command, check=True, timeout=60)
    linked = sorted(p.parent.name for p in (tmp_path / "held").rglob("*.jpg"))
    assert linked == ["glass"] * 2 + ["trash"] * 2


@pytest.mark.timeout(300)
def test_a_training_stops_resumes_and_writes_a_classifier(
    train: Callable[..., str], tmp_path: Path
) -> None:
    photographs(tmp_path / "waste", {"glass": 12, "trash": 12})
    photographs(tmp_path / "others", {"images": 3})
    config, out = tmp_path / "small.toml", tmp_path / "out"
    config.write_text(CONFIG.format(folder=tmp_path))
    train("waste/train.py", config, "--out", out, "--minutes", 0)
    assert {p.name for p in out.iterdir()} == {"last.pt", "epochs.csv", "curves.png"}
    assert "'epoch': 2" in train("waste/train.py", config, "--out", out)
    written = {p.name for p in out.iterdir()}
    assert {"waste.onnx", "figures.json", "confusion.png", "reliability.png"} <= written
    figures = json.loads((out / "figures.json").read_text())
    assert figures["photographs"] == {"held": 4, "validation": 4, "train": 16}
    assert figures["bytes"] == (out / "waste.onnx").stat().st_size
