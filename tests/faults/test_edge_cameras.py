"""A real edge whose cameras go away and come back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from agent_stage import SECOND_CAMERA, agent_stage
from brokers import NEEDS_MOSQUITTO
from estate import DEVICE, until
from play import single
from rtsp import require_rtsp, rtsp_server

from linli.broker import free_port

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.full)])
def test_a_camera_that_goes_away_is_told_comes_back_and_leaves_the_other_alone(
    tmp_path: Path, record_property, times: int
) -> None:
    require_rtsp()
    port = free_port()
    with agent_stage(tmp_path / "stage") as stage:
        stage.cameras[SECOND_CAMERA] = f"rtsp://127.0.0.1:{port}/camera"
        took = []
        for number in range(times):
            with rtsp_server(port):
                if number == 0:
                    stage.start_agent()
                until(lambda: stage.camera_state(SECOND_CAMERA) == "streaming", 120)
                stage.wait_told(1)
            gone = time.time()
            until(lambda: stage.camera_state(SECOND_CAMERA) == "stalled", 120)
            took.append(time.time() - gone)
            stage.wait_told(2)
        with rtsp_server(port):
            back = time.time()
            until(lambda: stage.camera_state(SECOND_CAMERA) == "streaming", 120)
            again = time.time() - back
            until(lambda: stage.camera_state(DEVICE) == "streaming", 120)
            stage.camera.away()
            until(lambda: stage.camera_state(DEVICE) == "stalled", 120)
            stage.camera.come_back()
            stored_after, worked_after = stage.recovered(time.time(), 120)
        stage.end_agent()
        row = single(
            stage,
            f"cameras of the edge gone, {times + 1} times",
            "R3",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"noticed in {max(took):.1f} s, streaming {again:.1f} s after the camera's start",
        )
        phases = stage.phases()
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert all(one == ["begin", "end"] for one in phases.values()), phases
