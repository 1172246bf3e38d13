"""One node floods the ingest with broken messages; the others must not feel it."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import AREA, SITE
from play import quiet, single
from sender import Sender
from stage import OTHER_NODE, Stage, running_stage

from ingest.receive.writer import QUARANTINE_BYTES
from ingest.store.journal import turned_away

pytestmark = [pytest.mark.full, pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

TOPIC = f"linli/v1/{SITE}/{AREA}/{OTHER_NODE}/cam/event/zone-dwell"
SECONDS, PER_SECOND, BURST = 30.0, 1000, 20
QUIET = 10.0
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


def flood(sender: Sender) -> int:
    """Send broken messages for a while; return how many."""
    began, sent = time.time(), 0
    while time.time() < began + SECONDS:
        sender.send([BROKEN[n % 4] % (sent + n) for n in range(BURST)], TOPIC)
        sent += BURST
        while (ahead := began + sent / PER_SECOND - time.time()) > 0:
            sender.link.step(ahead)
    return sent


@pytest.mark.timeout(300)
def test_a_flood_of_broken_messages_hurts_nobody_else(tmp_path: Path, record_property) -> None:
    with running_stage(tmp_path / "stage") as stage:
        flooder = Sender(stage, OTHER_NODE, "three")
        receiver: psutil.Process = stage.child("receiver")
        stage.rate = 50.0
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        steady, idle = time.time(), cpu(receiver)
        time.sleep(QUIET)
        began, held, busy = time.time(), receiver.memory_info().rss, cpu(receiver)
        sent = flood(flooder)
        ended, grown = time.time(), receiver.memory_info().rss - held
        busier = cpu(receiver) - busy
        stored_after, worked_after = stage.recovered(ended)
        stage.finish_load()
        refused, turned = stage.ask("journal", REFUSED), stage.counted(turned_away(OTHER_NODE))
        kept = stage.ask("journal", QUARANTINED)
        flooder.link.close()
        before, during = p99(delays(stage, steady, began)), p99(delays(stage, began, ended))
        row = single(
            stage,
            f"{PER_SECOND} broken messages/s from another node for {SECONDS:.0f} s",
            "S8",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"{refused} of {sent} refused, {turned} turned away; delay p99 of the other node "
            f"{before * 1000:.0f} ms before, {during * 1000:.0f} ms during; of a processor the "
            f"receiver took {(busy - idle) / (began - steady):.0%} before, "
            f"{busier / (ended - began):.0%} during; "
            f"grew by {grown >> 20} MB",
            measured={"p99_before": before, "p99_during": during},
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert 0 < refused < MOST_TOGETHER + REFUSED_A_SECOND * (ended - began)
    assert turned > refused
    assert kept <= QUARANTINE_BYTES
    assert grown < MOST_GROWTH
    if quiet(1.0):
        assert during < max(2 * before, HUNDREDTHS)


def cpu(process: psutil.Process) -> float:
    """Return the seconds of a processor that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def p99(ordered: list[float]) -> float:
    return ordered[int(len(ordered) * 0.99)]
