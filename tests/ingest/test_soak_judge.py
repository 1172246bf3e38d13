"""What a soak says of itself: each figure is held flat, and what was not measured is not flat."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "soak_judge.py"
PARTS = ("parent", "receiver", "web", "broker")


@pytest.fixture
def judging() -> dict[str, Any]:
    if not BENCH.exists():
        pytest.skip("bench/ is there in a checkout only: run it in a clone")
    return runpy.run_path(str(BENCH))


ROOM = {"rss": 7.0, "files": 4, "threads": 2, "p95": 26.0, "probe": 35.0, "behind": 20}
"""How much each may be above the beginning, by `look`: of 60 MB a twentieth and 4 MB, and so on."""
KEPT = {"unreceipted": 0, "rejected": {}}


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


def grown(kind: str, part: str, more: float) -> list[dict[str, Any]]:
    """Return nine looks; in the last three one figure is larger."""
    looks = [look(number) for number in range(9)]
    for one in looks[-3:]:
        if part:
            one[kind][part] += more
        else:
            one[kind] += more
    return looks


FIGURES = [(kind, part) for kind in ("rss", "files") for part in PARTS]
FIGURES += [(kind, "") for kind in ("threads", "p95", "probe", "behind")]


@pytest.mark.parametrize(("kind", "part"), FIGURES, ids=[" ".join(one) for one in FIGURES])
def test_each_figure_may_grow_by_its_room_and_no_more(
    judging: dict[str, Any], kind: str, part: str
) -> None:
    judge: Callable[..., dict[str, Any]] = judging["judge"]
    assert judge(grown(kind, part, ROOM[kind]), KEPT)["flat"]
    found = judge(grown(kind, part, ROOM[kind] + 1), KEPT)
    assert not found["flat"]
    (steep,) = (one for one in found["rows"] if not one["flat"])
    assert (part or {"probe": "probe", "behind": "not worked", "p95": "p95"}.get(kind, kind)) in (
        steep["what"]
    )
    assert steep["end"] == pytest.approx(steep["begin"] + ROOM[kind] + 1)
    assert judge(grown(kind, part, -5), KEPT)["flat"], "less is no harm"


def test_every_figure_is_tried(judging: dict[str, Any]) -> None:
    rows = judging["judge"]([look(number) for number in range(9)], KEPT)["rows"]
    assert len(rows) == len(FIGURES) + 1, "and the disk"


def test_what_is_not_quiet_or_lacks_a_process_is_not_held_against_it(
    judging: dict[str, Any],
) -> None:
    killed = [look(0, quiet=False, p95=9e9, killed=name) for name in ("web", "web", "broker")]
    starting = look(1, rss={"parent": 9e9}, threads=900)
    found = judging["judge"]([*killed, *(look(number) for number in range(9)), starting], KEPT)
    assert found["flat"]
    assert found["kills"] == {"broker": 1, "web": 2}
    assert judging["judge"]([], KEPT)["flat"] is False


@pytest.mark.parametrize(
    "kept",
    [{"unreceipted": 1, "rejected": {}}, {"unreceipted": 0, "rejected": {"late": 1}}, {}],
    ids=["unreceipted", "rejected", "simulator-said-nothing"],
)
def test_a_fact_that_is_lost_is_not_flat(judging: dict[str, Any], kept: dict[str, Any]) -> None:
    assert judging["judge"]([look(number) for number in range(9)], kept)["flat"] is False


def test_what_a_stored_fact_takes_of_the_disk(judging: dict[str, Any]) -> None:
    def judged(later: float, stored: int = 1000) -> dict[str, Any]:
        """Of looks that take 1 MiB each at first, then `later` MiB."""
        looks = [look(n, disk=float(n if n < 4 else later * n)) for n in range(9)]
        looks = [one | {"stored": stored * n} for n, one in enumerate(looks)]
        found = judging["judge"](looks, KEPT)
        (row,) = (one for one in found["rows"] if "disk" in one["what"])
        assert row["flat"] is found["flat"]
        return row

    assert judged(1.0) == {"what": "disk for a stored fact, bytes"} | dict.fromkeys(
        ("begin", "end"), round(2**20 / 1000)
    ) | {"flat": True}
    assert judged(1.4)["flat"], "a quarter and 200 bytes more"
    assert not judged(1.5)["flat"]
    nothing = judged(1.0, stored=0)
    assert (nothing["begin"], nothing["flat"]) == (None, False), "nothing was stored"


def test_delays_are_told_above_the_fastest_of_all(judging: dict[str, Any]) -> None:
    delays: Callable[..., tuple[float, float, float]] = judging["delays"]
    hundred = [5_000 + 1_000 * number for number in range(100)]
    assert delays(hundred[::-1], float("inf")) == (50.0, 95.0, 5.0)
    assert delays(hundred, 2.0) == (53.0, 98.0, 2.0), "an earlier one was faster"
    assert delays([9_000], 9.0) == (0.0, 0.0, 9.0)
    slower = [one + 40_000 for one in hundred]
    assert delays(slower, 5.0)[:2] == (90.0, 135.0), "all of them later shows"
