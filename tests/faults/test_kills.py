"""Nothing is lost and nothing doubled when processes are killed: real broker, ingest and edge.

In each: every event that the edge put on disk is stored, once, or visibly rejected; one key is one
incident; the edge's spool is empty at the end.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, DEVICE, NODE, Estate, running_estate, until

from linli.clock import SystemClock
from linli.mqtt import Delivery, LinkOptions, PahoLink

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

RATE, COUNT = 100.0, 300


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with running_estate(tmp_path) as made:
        yield made


def finish(load: subprocess.Popen[str], seconds: float = 60) -> dict[str, object]:
    out, _ = load.communicate(timeout=seconds)
    summary: dict[str, object] = json.loads(out)
    assert load.returncode == 0, summary
    return summary


def check(estate: Estate, *, at_least: int) -> None:
    truth = {event["id"] for event in estate.truth()}
    assert len(truth) >= at_least
    stored = [event["id"] for event in estate.stored()]
    assert len(stored) == len(set(stored)), "an event is stored twice"
    assert truth <= set(stored), f"{len(truth - set(stored))} of {len(truth)} lost"
    until(lambda: estate.get("/api/v1/stats")["behind"]["incidents"] == 0)
    incidents = estate.get("/api/v1/incidents", limit=100)["items"]
    assert len(incidents) == 1, "one key is one incident"
    begun = {event["episode"] for event in estate.truth()}
    assert incidents[0]["count"] >= len(begun)


def progressed(estate: Estate, share: float) -> None:
    until(lambda: len(estate.truth()) >= COUNT * share)


def test_ingest_killed_under_load(estate: Estate) -> None:
    load = estate.start_load(COUNT, RATE)
    progressed(estate, 0.3)
    estate.kill_ingest()
    progressed(estate, 0.6)
    estate.start_ingest()
    finish(load)
    estate.wait_ready()
    check(estate, at_least=COUNT)


@pytest.mark.parametrize("child", ["receiver", "web"])
def test_a_child_of_the_ingest_killed_under_load(estate: Estate, child: str) -> None:
    load = estate.start_load(COUNT, RATE)
    progressed(estate, 0.4)
    estate.kill_child(child)
    finish(load)
    estate.wait_ready()
    check(estate, at_least=COUNT)


def test_broker_killed_under_load(estate: Estate) -> None:
    load = estate.start_load(COUNT, RATE)
    progressed(estate, 0.3)
    estate.broker.kill()
    progressed(estate, 0.6)
    estate.broker.start()
    finish(load)
    check(estate, at_least=COUNT)


def test_ingest_and_broker_killed_overlapping(estate: Estate) -> None:
    load = estate.start_load(COUNT, RATE)
    progressed(estate, 0.2)
    estate.kill_ingest()
    progressed(estate, 0.4)
    estate.broker.kill()
    progressed(estate, 0.6)
    estate.broker.start()
    progressed(estate, 0.8)
    estate.start_ingest()
    finish(load)
    estate.wait_ready()
    check(estate, at_least=COUNT)


def test_edge_killed_after_storing_and_before_publishing(estate: Estate) -> None:
    estate.broker.kill()
    load = estate.start_load(COUNT, 1000)
    progressed(estate, 0.99)
    load.kill()
    load.wait()
    estate.broker.start()
    summary = finish(estate.start_load(0, RATE))
    assert summary["added"] == 0
    check(estate, at_least=int(COUNT * 0.99))


@pytest.mark.parametrize("point", ["before-commit", "after-commit", "after-ack"])
def test_receiver_falls_at_each_point_around_its_commit(tmp_path: Path, point: str) -> None:
    estate = Estate(tmp_path)
    try:
        estate.prepare()
        estate.start_ingest({"LINLI_FAILPOINT": point})
        estate.wait_ready()
        finish(estate.start_load(60, RATE))
        check(estate, at_least=60)
    finally:
        estate.close()


class Sender:
    """A node that says what it likes."""

    def __init__(self, estate: Estate) -> None:
        options = LinkOptions(
            host="127.0.0.1",
            port=estate.broker.port,
            client_id=NODE,
            username=NODE,
            password="two",
            subscriptions=(f"linli/v1/{SITE}/_sys/{NODE}/ingest/+/+",),
        )
        self.rejects: list[dict[str, object]] = []
        self.link = PahoLink(options, self, SystemClock())
        until(lambda: bool(self.link.step(0.02)) or self.link.connected)

    def on_up(self) -> None:
        """Nothing to say."""

    def on_down(self, reason: str) -> None:
        self.down = reason

    def on_sent(self, token: int, error: str | None) -> None:
        """Receipts are what counts."""

    def on_message(self, delivery: Delivery) -> None:
        if "/reject/" in delivery.topic:
            self.rejects.append(json.loads(delivery.payload))
        self.link.ack(delivery)


def test_bad_messages_are_refused_and_block_nobody(estate: Estate) -> None:
    topic = f"linli/v1/{SITE}/{AREA}/{NODE}/{DEVICE}/event/zone-dwell"
    example = json.loads(
        (Path(__file__).parents[2] / "docs/reference/examples/event/begin.json").read_text()
    )
    ours = {"source": f"/{SITE}/{NODE}/{DEVICE}", "stream": "0badc0de", "subject": "b03/e1"}

    def message(number: int, **changes: object) -> bytes:
        identity = {
            "id": f"019cae4c-8f63-7a1b-9c2d-{number:012d}",
            "sequence": f"{number:020d}",
            "low": f"{1:020d}",
        }
        return json.dumps({**example, **ours, **identity, **changes}).encode()

    sender = Sender(estate)
    sender.link.publish(topic, b"\x00garbage")
    sender.link.publish(topic, b" " * 40_000)
    sender.link.publish(topic, message(1, time="2026-03-02"))
    sender.link.publish(topic, message(2, data={**example["data"], "face": "x"}))
    sender.link.publish(topic, message(3, time="2999-01-01T00:00:00Z"))
    sender.link.publish(topic, message(4, source=f"/{SITE}/{NODE}/other"))
    sender.link.publish(topic, message(5))

    def all_answered() -> bool:
        sender.link.step(0.02)
        return len(sender.rejects) >= 5

    until(all_answered)
    assert sorted(str(reject["code"]) for reject in sender.rejects) == [
        "json",
        "privacy",
        "schema",
        "size",
        "topic-mismatch",
    ]
    until(lambda: len(estate.stored()) == 2)
    future, good = estate.stored()
    assert [future["sequence"], good["sequence"]] == [3, 5]
    assert not future["time"].startswith("2999"), "a time in the future is indexed when received"
    stats = estate.get("/api/v1/stats")
    assert stats["rejected"] == 5
    position = next(one for one in stats["streams"] if one["stream"] == "0badc0de")
    assert (position["upto"], position["missing"]) == (5, 0), "rejects advance the receipt"
    sender.link.close()
