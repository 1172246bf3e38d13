"""One node floods the ingest with broken messages; the others must not feel it."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import AREA, SITE
from play import single
from sender import Sender
from stage import OTHER_NODE, Stage, running_stage

pytestmark = [pytest.mark.full, pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

TOPIC = f"linli/v1/{SITE}/{AREA}/{OTHER_NODE}/cam/event/zone-dwell"
SECONDS, PER_SECOND, BURST = 10.0, 1000, 20
MOST_GROWTH = 50 * 1024 * 1024
SLOWEST = 15.0
REFUSED = "SELECT sum(value) FROM counter WHERE name LIKE 'rejected.%'"
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


def test_a_flood_of_broken_messages_hurts_nobody_else(tmp_path: Path, record_property) -> None:
    with running_stage(tmp_path / "stage") as stage:
        flooder = Sender(stage, OTHER_NODE, "three")
        receiver: psutil.Process = stage.child("receiver")
        stage.rate = 50.0
        stage.play_load("--seed", "1", "--telemetry", "10")
        quiet = time.time()
        stage.recovered(quiet)
        time.sleep(2)
        began, held, sent = time.time(), receiver.memory_info().rss, 0
        while time.time() < began + SECONDS:
            flooder.send([BROKEN[n % 4] % (sent + n) for n in range(BURST)], TOPIC)
            sent += BURST
            flooder.link.step(max(0.0, began + sent / PER_SECOND - time.time()))
        ended, grown = time.time(), receiver.memory_info().rss - held
        stored_after, worked_after = stage.recovered(ended)
        # The broker drops what is over its queue of 1000; of the good node that comes again.
        refused, turned = stage.ask("journal", REFUSED), stage.counted("turned_away")
        flooder.link.close()
        before, during = delays(stage, quiet, began), delays(stage, began, ended)
        stage.finish_load()
        row = single(
            stage,
            f"{sent / (ended - began):.0f} broken messages/s from another node for {SECONDS:.0f} s",
            "S8",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"{refused} of {sent} refused, {turned} turned away; delay p99 "
            f"{p99(before):.2f} s before, {p99(during):.2f} s during; grew by {grown >> 20} MB",
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert refused + turned > 100
    assert grown < MOST_GROWTH
    assert stored_after < SLOWEST, "other nodes had to wait long after the flood"


def p99(ordered: list[float]) -> float:
    return ordered[int(len(ordered) * 0.99)]
