"""The trial's script, on a few pictures: what it counts, not how long it takes."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import places
import pytest

ROOT = Path(__file__).parents[2]
CLEAR = {"hidden": 0.0, "dark": False}


@pytest.fixture(scope="module")
def trial() -> ModuleType:
    path = ROOT / "bench" / "states.py"
    if not path.exists():
        pytest.skip("bench/ is there in a checkout only: run it in a clone")
    spec = importlib.util.spec_from_file_location("states_trial", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def write(folder: Path, number: int, image: places.Image, **facts: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{number:03d}.jpg"), image)
    document = {"state": folder.name, **CLEAR, **facts}
    (folder / f"{number:03d}.json").write_text(json.dumps(document))


def test_right_wrong_and_unknown_are_told_apart(
    trial: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(trial.CROPS, "bin", places.BIN)
    for state in ("empty", "full"):
        for number, image in enumerate(places.row(f"teach-{state}")[:5]):
            write(tmp_path / "bin" / "teach" / state, number, image)
        others = places.row(f"test-{state}")
        write(tmp_path / "bin" / "test" / state, 3, others[0])
        write(tmp_path / "bin" / "test" / state, 20, others[0])
        write(tmp_path / "bin" / "test" / state, 21, others[1], hidden=0.3)
        write(tmp_path / "bin" / "test" / state, 22, others[0] // 30, dark=True)
        for number in range(4):
            write(tmp_path / "bin" / "hour" / state, number * 40, others[0])
    found = trial.trial(tmp_path, "bin", 20)
    assert found["taught"] == {"empty": 5, "full": 5}
    assert found["clear"] == {"n": 2, "right": 2, "wrong": 0, "unknown": 0}
    assert found["confusion"] == {"empty": {"empty": 1}, "full": {"full": 1}}
    assert found["people"]["n"] == 2
    assert found["dark"] == {"n": 2, "right": 0, "wrong": 0, "unknown": 2}
    assert found["knocked"]["wrong"] == 0
    assert found["hour"]["empty"]["hours"] == 1.0
    assert found["hour"]["empty"]["false_changes_per_hour"] == 0.0
    json.dumps(found)


def test_a_knock_moves_the_picture(trial: ModuleType) -> None:
    image = places.row("test-full")[0]
    moved = trial.knocked(image, random.Random(1))
    assert moved.shape == image.shape
    assert np.abs(moved.astype(int) - image).mean() > 5
