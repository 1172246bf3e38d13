"""Every fault of the made-up community is a misfortune and no breach: one trial sees them all."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from conforming import conform, not_passed

from linli.clock import SystemClock
from linli.events import EventData
from linli.mqtt import LinkOptions
from linli.simulate.community import community
from linli.simulate.fault import FAULTS
from linli.simulate.fleet import Fleet
from linli.simulate.said import Said
from linli.simulate.world import World

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
MADE = community(SITE, 21, 1)
"""One edge, since a trial is of one; a second lift, since a device has one fault in a run."""
START = SystemClock().now() - timedelta(days=2)
EVENTS = {
    *("ebike-in-elevator", "camera-tampered", "lamp-fault"),
    *("bin-fire", "smoke", "sensor-offline"),
}
SEED = 391
SPEED = 200
"""Some 45 facts a second: the contract wants no more than 50 for long."""
LONGEST = 60.0


class Troubled(World):
    """Every fault begins in the first minutes; time goes on until a trial has seen enough."""

    def __init__(self) -> None:
        once = dict.fromkeys(FAULTS, 1)
        super().__init__(MADE, seed=SEED, start=START, length=timedelta(minutes=20), faults=once)
        self.end += timedelta(days=1)
        self.over: set[str] = set()

    @property
    def back(self) -> datetime:
        """When the edge that is cut off is there again."""
        (span,) = self.away.values()
        return span.end

    def step(self, now: datetime) -> Iterator[Said]:
        """Note what has ended."""
        for said in super().step(now):
            if isinstance(said.data, EventData) and said.data.phase == "end":
                self.over.add(said.name)
            yield said


@contextlib.contextmanager
def playing(world: World, port: int) -> Iterator[Fleet]:
    """Play it until the block is left; then the edge says goodbye."""
    (box,) = MADE.boxes
    link = LinkOptions(host="127.0.0.1", port=port, client_id=box.id, username=box.id)
    fleet, stop = Fleet(MADE, world, {box.id: link}, clock=SystemClock()), threading.Event()
    player = threading.Thread(
        target=fleet.run, args=(SPEED, stop.is_set, lambda: None), kwargs={"patience": 30}
    )
    player.start()
    try:
        yield fleet
    finally:
        stop.set()
        player.join(LONGEST)
    assert not player.is_alive()


def test_the_simulated_community_with_every_fault_breaks_no_clause() -> None:
    world = Troubled()
    (unset,) = world.unset.values()
    # Cut off while the trial waits for facts: an edge that leaves later would be gone for good.
    held = sum(1 for _ in Troubled().step(world.back)) + 10
    with conform("device", "--facts", str(held)) as trial:
        with playing(world, trial.port) as fleet:
            trial.wait_for("stop it now")
            assert fleet.standing.at > world.back
            until = time.monotonic() + LONGEST
            while not (world.over >= EVENTS and fleet.standing.at > unset.end):
                assert time.monotonic() < until, (world.over, fleet.standing)
                time.sleep(0.05)
        report = trial.end()
    assert fleet.standing.held == 0
    assert fleet.counts.rejected == {"schema": 1}  # the one that the trial refuses
    assert fleet.counts.receipted == fleet.made - 1
    commands = {f"D{number}" for number in range(31, 39)}
    assert not_passed(report).keys() == commands, not_passed(report)
