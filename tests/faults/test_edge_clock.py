"""A real edge whose clock jumps by an hour and a day, or is set only long after the start."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from agent_stage import AgentStage, agent_stage
from brokers import NEEDS_MOSQUITTO
from play import single

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

HOUR, DAY, SINCE_1970 = 3600.0, 86_400.0, 56 * 365 * 86_400.0
SLACK = timedelta(minutes=5)


def jumped(stage: AgentStage, by: float, *, synced: bool = True) -> tuple[float, float]:
    """Let the clock jump while something stands before the camera; wait until all works."""
    stage.harm.jump(by, synced=synced)
    return stage.recovered(time.time())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param((DAY, HOUR), id="forward"),
        pytest.param((-HOUR, 0, HOUR, 0, -DAY, 0, DAY, 0), id="all", marks=pytest.mark.full),
    ],
)
def test_a_clock_that_jumps_loses_and_doubles_nothing(
    tmp_path: Path, record_property, jumps: tuple[float, ...]
) -> None:
    with agent_stage(tmp_path / "stage") as stage:
        stage.start_agent()
        stage.wait_told(1)
        took = [jumped(stage, by) for by in jumps]
        stage.harm.jump(0)
        stage.end_agent()
        row = single(
            stage,
            f"clock of the edge jumps {len(jumps)} times, by an hour and a day",
            "R8",
            1,
            stored_after=round(max(first for first, _ in took), 2),
            worked_after=round(max(whole for _, whole in took), 2),
        )
        dwells = stage.dwells()
    record_property("fault", row.as_dict())
    assert row.produced > len(jumps)
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert max(dwells) < HOUR / 2, "a jump was taken for time spent before the camera"


@pytest.mark.timeout(600)
def test_a_clock_that_is_set_long_after_the_start_loses_nothing(
    tmp_path: Path, record_property
) -> None:
    began = datetime.now(UTC)
    with agent_stage(tmp_path / "stage") as stage:
        stage.harm.jump(-SINCE_1970, synced=False)
        stage.broker.stop()
        stage.start_agent()
        stage.wait_told(2)
        stage.broker.launch()
        offline = stage.recovered(time.time())
        took = jumped(stage, 0.0)
        stage.end_agent()
        incidents = stage.get("/api/v1/incidents")["items"]
        row = single(
            stage,
            "edge starts without clock and broker, its clock is set later",
            "R8",
            1,
            stored_after=round(max(offline[0], took[0]), 2),
            worked_after=round(max(offline[1], took[1]), 2),
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert incidents
    for one in incidents:
        first = datetime.fromisoformat(one["first"])
        assert began - SLACK < first < datetime.now(UTC) + SLACK, "people were shown another time"
