"""One node floods the ingest with broken messages; the others must not feel it."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import AREA, SITE
from play import single
from sender import Sender
from stage import OTHER_NODE, Stage, running_stage

from ingest.receive.writer import QUARANTINE_BYTES
from ingest.store.journal import turned_away

pytestmark = [pytest.mark.full, pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

TOPIC = f"linli/v1/{SITE}/{AREA}/{OTHER_NODE}/cam/event/zone-dwell"
ROUNDS, QUIET, SECONDS = 4, 10.0, 15.0
PER_SECOND, BURST = 1000, 20
MOST_GROWTH = 50 * 1024 * 1024
MOST_TOGETHER = 1000
"""What one window of the broker may bring before the first of it is refused."""
REFUSED_A_SECOND = 10
REFUSED = "SELECT sum(value) FROM counter WHERE name LIKE 'rejected.%'"
QUARANTINED = "SELECT coalesce(sum(size), 0) FROM quarantine"
HUNDREDTHS = 0.05
"""Delays of less than this are all the same to people."""
BROKEN = (
    b'{"sequence": "%020d", "data": ',
    b'{"id": "%d", "x": ' + b"[" * 5000,
    b'{"x": "%d' + b"A" * 2000 + b'"}',
    b"%d\xff\xfe",
)


def delays(stage: Stage, since: float, until: float) -> list[float]:
    """Return seconds from each event of the good node to its receipt by the ingest, in order."""
    query = (
        "SELECT (received - time) / 1e6 FROM message WHERE kind = 'event' AND node <> ?"
        " AND time BETWEEN ? AND ?"
    )
    values = (OTHER_NODE, int(since * 1e6), int(until * 1e6))
    with stage.reading("journal") as database:
        return sorted(delay for (delay,) in database.execute(query, values))


def flood(sender: Sender, already: int) -> int:
    """Send broken messages for a while; return how many."""
    began, sent = time.time(), 0
    while time.time() < began + SECONDS:
        sender.send([BROKEN[n % 4] % (already + sent + n) for n in range(BURST)], TOPIC)
        sent += BURST
        while (ahead := began + sent / PER_SECOND - time.time()) > 0:
            sender.link.step(ahead)
    return sent


class Turns:
    """Quiet and flood by turns, so that what else the machine does weighs on both alike."""

    def __init__(self, stage: Stage, flooder: Sender) -> None:
        self.sent = 0
        self.spans: list[tuple[float, float, float]] = []
        self.busy: dict[str, float] = {"quiet": 0.0, "flood": 0.0}
        receiver = stage.child("receiver")
        held = receiver.memory_info().rss
        for _ in range(ROUNDS):
            steady, idle = time.time(), cpu(receiver)
            while (left := steady + QUIET - time.time()) > 0:
                flooder.link.step(left)
            began, busy = time.time(), cpu(receiver)
            self.sent += flood(flooder, self.sent)
            self.spans.append((steady, began, time.time()))
            self.busy["quiet"] += busy - idle
            self.busy["flood"] += cpu(receiver) - busy
        self.grown = receiver.memory_info().rss - held

    def p99(self, stage: Stage) -> list[tuple[float, float]]:
        """Return of each round the good node's p99 of delay before the flood, and during it."""
        return [
            (p99(delays(stage, steady, began)), p99(delays(stage, began, ended)))
            for steady, began, ended in self.spans
        ]

    @property
    def flooded(self) -> float:
        """Seconds of flood and of what followed each, in which some are still refused."""
        return self.spans[-1][2] - self.spans[0][1]


@pytest.mark.timeout(400)
def test_a_flood_of_broken_messages_hurts_nobody_else(tmp_path: Path, record_property) -> None:
    # The flood comes from this process: a proxy in it would delay the good node by itself.
    with running_stage(tmp_path / "stage", straight=True) as stage:
        flooder = Sender(stage, OTHER_NODE, "three")
        stage.rate = 50.0
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        turns = Turns(stage, flooder)
        stored_after, worked_after = stage.recovered(turns.spans[-1][2])
        stage.finish_load()
        refused, turned = stage.ask("journal", REFUSED), stage.counted(turned_away(OTHER_NODE))
        kept = stage.ask("journal", QUARANTINED)
        flooder.link.close()
        rounds = turns.p99(stage)
        before, during = median(one for one, _ in rounds), median(one for _, one in rounds)
        times = median(after / first for first, after in rounds)
        row = single(
            stage,
            f"{PER_SECOND} broken messages/s from another node, {ROUNDS} times {SECONDS:.0f} s",
            "S8",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"{refused} of {turns.sent} refused, {turned} turned away; delay p99 of the other "
            f"node, median of {ROUNDS} rounds: {before * 1000:.0f} ms before, "
            f"{during * 1000:.0f} ms during, {times:.2f} times; of a processor the receiver took "
            f"{turns.busy['quiet'] / (ROUNDS * QUIET):.0%} before, "
            f"{turns.busy['flood'] / (ROUNDS * SECONDS):.0%} during; "
            f"grew by {turns.grown >> 20} MB",
            measured={"p99_before": before, "p99_during": during, "times": times},
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert 0 < refused < MOST_TOGETHER + REFUSED_A_SECOND * turns.flooded
    assert turned > refused
    assert kept <= QUARANTINE_BYTES
    assert turns.grown < MOST_GROWTH
    assert times < 2 or during < HUNDREDTHS, rounds


def cpu(process: psutil.Process) -> float:
    """Return the seconds of a processor that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def p99(ordered: list[float]) -> float:
    return ordered[int(len(ordered) * 0.99)]
