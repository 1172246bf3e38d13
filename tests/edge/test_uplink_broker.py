"""The uplink over a real broker, with an ingest that only keeps a set and sends receipts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker, running_broker
from receipts import NODE, USERS, ReceiptSender

from edge.messages import Address, Stamp, event
from edge.spool import Spool
from edge.uplink import Uplink
from linli.clock import SystemClock
from linli.events import EventData
from linli.ids import short_id, uuid7
from linli.mqtt import LinkOptions, PahoLink

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]

ADDRESS = Address(SITE, "b03", NODE)
TOPIC = ADDRESS.topic("cam", "event", "zone-dwell")
CLOCK = SystemClock()


def _uplink(spool: Spool, broker: RunningBroker) -> Uplink:
    options = LinkOptions(
        host="127.0.0.1", port=broker.port, client_id=NODE, username=NODE, password=USERS[NODE]
    )
    return Uplink(ADDRESS, options, PahoLink, spool, CLOCK, session=short_id(), agent="1")


def _fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        now = CLOCK.now()
        data = EventData(
            phase="begin", episode=uuid7(now), severity="medium", label="person", since=now
        )
        spool.put(
            "events",
            str(TOPIC),
            lambda place, data=data, now=now: event(
                TOPIC, Stamp(now), place, data, event_id=uuid7(now), time=now
            ),
        )


def _until(condition: Callable[[], bool], uplink: Uplink, *others: ReceiptSender) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        uplink.turn(0.005)
        for other in others:
            other.turn()
        if condition():
            return
    raise AssertionError("it did not happen")


def test_everything_arrives_through_a_killed_broker_and_a_new_ingest(tmp_path: Path) -> None:
    with (
        running_broker(tmp_path, USERS) as broker,
        Spool(tmp_path / "spool.db", CLOCK) as spool,
    ):
        _fill(spool, 100)
        uplink, ingest = _uplink(spool, broker), ReceiptSender(broker.port)
        _until(lambda: len(ingest.kept) > 30, uplink, ingest)
        broker.kill()
        _until(lambda: not uplink.connected, uplink, ingest)
        _fill(spool, 50)
        broker.start()
        _until(lambda: spool.pending() == 0, uplink, ingest)
        ingest.answering = False
        _fill(spool, 20)
        _until(lambda: len(ingest.kept) == 170, uplink, ingest)
        assert spool.pending() == 20
        ingest.close()
        again = ReceiptSender(broker.port)
        again.kept = ingest.kept
        _until(lambda: spool.pending() == 0, uplink, again)
        assert ingest.sequences == list(range(1, 171))
        assert again.duplicates > 0
        assert ingest.conflicts + again.conflicts == 0
        uplink.close()
        again.close()


def test_what_the_broker_forbids_is_kept_and_blocks_nothing(tmp_path: Path) -> None:
    with (
        running_broker(tmp_path, USERS) as broker,
        Spool(tmp_path / "spool.db", CLOCK) as spool,
    ):
        foreign = Address(SITE, "b03", "c001-n02").topic("cam", "event", "zone-dwell")
        for _ in range(70):
            spool.put("events", str(foreign), lambda _: b"{}")
        _fill(spool, 5)
        uplink, ingest = _uplink(spool, broker), ReceiptSender(broker.port)
        _until(lambda: uplink.counts.refused == 70 and len(ingest.kept) == 5, uplink, ingest)
        assert spool.pending() == 75
        uplink.close()
        ingest.close()


def test_load_script_survives_a_kill_and_drains(tmp_path: Path) -> None:
    script = Path(__file__).parent.parent / "support" / "edge_load.py"
    (tmp_path / "password").write_text(USERS[NODE])
    data = tmp_path / "edge"

    def load(port: int, count: int) -> subprocess.Popen[str]:
        arguments = {
            "--data": data,
            "--port": port,
            "--node": NODE,
            "--rate": 400,
            "--count": count,
            "--password-file": tmp_path / "password",
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        root = str(script.parent.parent.parent)
        return subprocess.Popen(
            [sys.executable, str(script), *words],
            env={**os.environ, "PYTHONPATH": root},
            stdout=subprocess.PIPE,
            text=True,
        )

    def truth() -> list[int]:
        file = data / "truth.ndjson"
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [json.loads(line)["sequence"] for line in lines]

    with running_broker(tmp_path, USERS) as broker:
        ingest = ReceiptSender(broker.port)
        first = load(broker.port, 10_000)
        while len(truth()) < 50:
            ingest.turn()
        first.kill()
        first.communicate()
        second = load(broker.port, 20)
        while second.poll() is None:
            ingest.turn()
        summary = json.loads(second.communicate()[0])
        ingest.close()
    assert (second.returncode, summary["added"]) == (0, 20)
    assert summary["spool"]["events"] == {"pending": 0, "evicted": 0, "dead": 0}
    assert set(truth()) <= set(ingest.sequences)
    assert len(ingest.kept) - len(truth()) in {0, 1}
    assert ingest.conflicts == 0
