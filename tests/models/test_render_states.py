"""The script that renders places to be taught, on a picture of each state of a lamp."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest


@pytest.mark.timeout(300)
def test_a_lamp_is_rendered_on_and_off(render: Callable[..., str], tmp_path: Path) -> None:
    wanted = ("--thing", "lamp", "--part", "hour", "--count", 1, "--samples", 1)
    render("render/states.py", *wanted, "--out", tmp_path)
    lamps = {}
    for state in ("on", "off"):
        facts = json.loads((tmp_path / "lamp" / "hour" / state / "000.json").read_text())
        assert facts["state"] == state
        image = cv2.imread(str(tmp_path / "lamp" / "hour" / state / "000.jpg"))
        assert image is not None
        lamps[state] = image[int(0.2 * image.shape[0]) : int(0.4 * image.shape[0])].mean()
    assert lamps["on"] > lamps["off"]
