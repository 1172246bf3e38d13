"""A real edge, killed at one step after another between detecting and receipt."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from agent_stage import agent_stage
from brokers import NEEDS_MOSQUITTO
from play import single

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

STEPS = {"w": "writes", "s": "syncs", "t": "truncations", ">": "sends", "<": "receives"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "steps", [(5, 8, 12), pytest.param(tuple(range(1, 41)), marks=pytest.mark.full)]
)
def test_a_kill_at_any_step_loses_nothing_that_was_told(
    tmp_path: Path, record_property, steps: tuple[int, ...]
) -> None:
    died: Counter[str] = Counter()
    with agent_stage(tmp_path / "stage") as stage:
        for number in steps:
            stage.start_agent()
            stage.wait_told(1, "camera")
            stage.wait_told(1)
            stage.harm.kill_in(number, after=number % 2 == 0)
            assert stage.wait_fallen() == -9
            died[stage.harm.last] += 1
        began = time.time()
        stage.start_agent()
        stored_after, worked_after = stage.recovered(began)
        stage.end_agent()
        row = single(
            stage,
            f"edge killed at {len(steps)} steps between detecting and receipt",
            "R3",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note="before or after " + ", ".join(f"{died[k]} {STEPS[k]}" for k in sorted(died)),
        )
        phases = stage.phases()
    record_property("fault", row.as_dict())
    assert row.produced > len(steps)
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert {one[0] for one in phases.values()} == {"begin"}
    open_ones = [one for one in phases.values() if one[-1] != "end"]
    assert len(open_ones) <= 1, "an episode that a kill cut off was never ended"
    assert all(
        one.count("begin") == one.count("end") or one in open_ones for one in phases.values()
    )
