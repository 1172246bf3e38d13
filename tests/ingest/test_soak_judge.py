"""What a soak says of itself: what was not measured is not flat."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "soak_judge.py"
PARTS = ("parent", "receiver", "web", "broker")


@pytest.fixture
def judging() -> dict[str, Any]:
    if not BENCH.exists():
        pytest.skip("bench/ is there in a checkout only")
    return runpy.run_path(str(BENCH))


def look(number: int, **changed: Any) -> dict[str, Any]:
    flat = {"quiet": True, "threads": 9, "behind": 0, "p95": 12.0, "probe": 30.0, "killed": None}
    each = {"rss": dict.fromkeys(PARTS, 60.0), "files": dict.fromkeys(PARTS, 20)}
    return flat | each | {"disk": 1.0 + number, "stored": 1000 * number} | changed


@pytest.mark.parametrize(
    ("changed", "flat", "said"),
    [
        ({}, True, "12.0      12.0"),
        ({"p95": None}, False, "-         -  NOT FLAT"),
        ({"probe": None}, False, "-         -  NOT FLAT"),
        ({"quiet": False}, False, ""),
    ],
    ids=["measured", "no-delays", "no-probe", "never-quiet"],
)
def test_no_data_is_not_flat(
    judging: dict[str, Any], changed: dict[str, Any], *, flat: bool, said: str
) -> None:
    looks = [look(number, **changed) for number in range(9)]
    found = judging["judge"](looks, {"unreceipted": 0, "rejected": 0})
    assert found["flat"] is flat
    told = found | {"minutes": 1, "devices": 1, "load": 1}
    assert said in judging["table"](told)
