"""The script that renders places to be taught, on a picture of each state of a lamp."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

SCRIPT = Path(__file__).parents[2] / "models" / "render" / "states.py"


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="bpy is not installed")
def test_a_lamp_is_rendered_on_and_off(tmp_path: Path) -> None:
    arguments = ["--thing", "lamp", "--part", "hour", "--count", "1", "--samples", "1"]
    command = [sys.executable, str(SCRIPT), *arguments, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lamps = {}
    for state in ("on", "off"):
        facts = json.loads((tmp_path / "lamp" / "hour" / state / "000.json").read_text())
        assert facts["state"] == state
        image = cv2.imread(str(tmp_path / "lamp" / "hour" / state / "000.jpg"))
        assert image is not None
        lamps[state] = image[int(0.2 * image.shape[0]) : int(0.4 * image.shape[0])].mean()
    assert lamps["on"] > lamps["off"]
