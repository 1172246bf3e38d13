"""An edge under load without its broker: what it saw meanwhile waits, what it sees now does not."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import single
from stage import Stage, running_stage
from test_long_spool import Memory, out_of_order

from linli.events import IN_ORDER

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

BACKLOG = 3 * IN_ORDER
MOST_GROWTH = 16 * 1024 * 1024


def passed(stage: Stage, since: float) -> int:
    """Return how many events from before an instant were stored after one from behind it."""
    micros = int(since * 1e6)
    query = (
        "SELECT count(*) FROM message WHERE kind = 'event' AND time < ? AND id >"
        " (SELECT min(id) FROM message WHERE kind = 'event' AND time > ?)"
    )
    return int(stage.ask("journal", query, micros, micros))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("seconds", "rate"), [(3, 300.0), pytest.param(600, 100.0, marks=pytest.mark.full)]
)
def test_new_events_pass_what_waited_while_the_broker_was_away(
    tmp_path: Path, record_property, seconds: float, rate: float
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        stage.rate = rate
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        assert stage.load is not None
        memory = Memory(psutil.Process(stage.load.pid))
        stage.broker.kill()
        gone = time.time()
        time.sleep(seconds)
        until(lambda: stage.behind() > BACKLOG, 300)
        stage.broker.launch()
        back = time.time()
        stored_after, worked_after = stage.recovered(back, 120)
        stage.wait_caught_up(1800)
        took = time.time() - back
        stage.finish_load(300)
        row = single(
            stage,
            f"broker away under load, {seconds:.0f} s or more",
            "R7",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"after {back - gone:.0f} s; {passed(stage, back)} older ones stored later, all "
            f"after {took:.0f} s; the edge grew by {memory.grown() >> 20} MB",
        )
        later, turned = passed(stage, back), out_of_order(stage)
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert later > BACKLOG / 2, "new events had to wait for old ones"
    assert turned == 0
    assert memory.most - memory.first < MOST_GROWTH
