"""An edge in a network of its own: the cable is pulled, one side forgets, the line is narrow."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from catalogue import Fault
from netns import Cable, cable
from play import hold, play
from stage import Stage

pytestmark = pytest.mark.faults

NARROW, QUEUE = "128kbit", "100ms"
"""About half of what the edge makes; what waits longer is lost, as packets are."""


def line_of(stage: Stage) -> Cable:
    assert stage.line is not None
    return stage.line


def _pulled(stage: Stage, dice: random.Random) -> float:
    line_of(stage).unplug()
    time.sleep(dice.uniform(4, 8))
    line_of(stage).plug()
    return time.time()


def _forgotten(stage: Stage, dice: random.Random) -> float:
    """End the connection at the far side while nobody can hear of it."""
    line_of(stage).unplug()
    stage.edge_path.cut()
    time.sleep(dice.uniform(0.5, 2))
    line_of(stage).plug()
    return time.time()


def _narrowed(stage: Stage, dice: random.Random) -> float:
    line_of(stage).narrow(NARROW, QUEUE)
    time.sleep(dice.uniform(6, 10))
    lost = line_of(stage).dropped()
    line_of(stage).widen()
    assert lost > 0, "the kernel lost no packet"
    return time.time()


NETWORK = (
    Fault("network cable pulled", "R7", _pulled),
    Fault("network cable pulled, the broker forgets meanwhile", "R7", _forgotten),
    Fault("network of 128 kbit/s that loses packets", "R7", _narrowed),
)


@pytest.mark.full
@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.timeout(300)
def test_an_edge_loses_nothing_in_a_real_network(tmp_path: Path, record_property) -> None:
    with cable() as line:
        rows = play(tmp_path / "stage", 1, NETWORK, line)
    for row in rows:
        record_property("fault", row.as_dict())
    hold(rows, NETWORK, speed=False)


def test_a_network_is_gone_after_a_test_that_failed() -> None:
    names: list[str] = []

    def fail() -> None:
        with cable() as line:
            names.extend((line.name, line.near))
            raise RuntimeError("as a test does")

    with pytest.raises(RuntimeError, match="as a test does"):
        fail()
    for command in (("netns", "list"), ("-brief", "link")):
        left = subprocess.run(["ip", *command], check=True, capture_output=True, text=True)
        assert not any(name in left.stdout for name in names)
