"""Following on drawn scenes whose truth is known: people who hide each other, wait, ride by."""

from __future__ import annotations

import importlib
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"
FIRST, SCENES = 100, 3


@pytest.fixture
def tracking(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if not BENCH.is_dir():
        pytest.skip("bench/ is there in a checkout only: run it in a clone")
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("tracking")


@pytest.mark.parametrize(
    ("kind", "fps", "least"),
    [
        ("alone", 5, 0.8),
        ("passing", 5, 0.9),
        ("waiting", 5, 0.85),
        ("riding", 5, 0.9),
        ("passing", 2, 0.7),
        ("passing", 10, 0.85),
    ],
)
def test_objects_keep_their_numbers(
    tracking: ModuleType, kind: str, fps: float, least: float
) -> None:
    scenes = [tracking.play(kind, FIRST + n, fps=fps) for n in range(SCENES)]
    row = tracking.judged(scenes, tracking.FOLLOWERS["own"], fps)
    assert row["idf1"] >= least
    assert row["given"] >= 0.9


def test_the_best_pairing_is_the_best(tracking: ModuleType) -> None:
    rng = np.random.default_rng(3)
    for rows, columns in ((3, 3), (2, 5), (5, 4)):
        table = rng.integers(0, 9, (rows, columns)).astype(float)
        wide = table if rows <= columns else table.T
        best = max(
            sum(wide[n, column] for n, column in enumerate(chosen))
            for chosen in permutations(range(wide.shape[1]), wide.shape[0])
        )
        assert tracking.assigned(table) == best
