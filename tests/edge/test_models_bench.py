from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import vision
from click.testing import CliRunner

from edge.detect.letterbox import Image
from linli.cli.models import command, timing
from linli.errors import InputError


def test_models_take_turns_on_the_same_picture() -> None:
    now = [0.0]
    seen: list[tuple[str, int]] = []

    def step(name: str, seconds: float) -> timing.Step:
        def look(image: Image) -> None:
            seen.append((name, int(image[0, 0, 0])))
            now[0] += seconds

        return look

    pictures = [np.full((8, 8, 3), grey, np.uint8) for grey in (1, 2)]
    timings = timing.take_turns(
        {"a": step("a", 0.002), "b": step("b", 0.003)},
        pictures,
        3,
        against="a",
        clock=lambda: now[0],
    )
    assert seen[2:] == [("a", 1), ("b", 1), ("b", 2), ("a", 2), ("a", 1), ("b", 1)]
    assert (timings["a"].median, timings["b"].median) == (2.0, 3.0)
    ratio = timings["b"].ratio
    assert ratio is not None
    assert (ratio.median, ratio.low, ratio.high) == (1.5, 1.5, 1.5)


def run(*arguments: str) -> str:
    return CliRunner().invoke(command, ["bench", *arguments], catch_exceptions=False).stdout


def refused(*arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        run(*arguments)
    return str(caught.value)


def test_bench_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_MODELS", str(tmp_path / "none"))
    blind = str(vision.blind_model(tmp_path / "blind.onnx"))
    done = json.loads(run(blind, "--rounds", "2", "--json"))
    assert done["models"][blind]["median_ms"] > 0
    assert done["models"][blind]["ratio"] is None
    cv2.imwrite(str(tmp_path / "a.png"), vision.square_image(100))
    second = str(vision.blind_model(tmp_path / "second.onnx"))
    said = run(
        second, "--against", blind, "--rounds", "2", "--pictures", str(tmp_path)
    ).splitlines()
    assert "cores, 1 thread, 2 rounds" in said[0]
    assert len(said) == 3
    assert f" x {blind}  (" in said[2]
    (tmp_path / "empty").mkdir()
    assert "no pictures in it" in refused(blind, "--pictures", str(tmp_path / "empty"))
    assert "linli models pull fastestdet" in refused("fastestdet")
