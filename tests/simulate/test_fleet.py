"""How what was said is sent: held until a receipt covers it, and never more than there is room."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import linli.simulate.fleet as fleet_module
import linli.simulate.sender as sender_module
from linli.clock import ManualClock
from linli.codec import encode
from linli.errors import LinkError
from linli.events import Receipt, Reject, Status
from linli.mqtt import Delivery, FakeBroker, LinkOptions
from linli.simulate.community import community
from linli.simulate.fleet import Fleet
from linli.simulate.lane import WINDOW, Lane
from linli.simulate.said import readings
from linli.simulate.sender import ROOM
from linli.simulate.world import World
from linli.topics import ingest_status_topic, receipt_topic, reject_topic

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MADE = community("c001", 20, 2)
DEVICE = MADE.devices[0]


class Ingest:
    """Hears facts and gives receipts for them, when it feels like it; rejects on demand."""

    def __init__(self, broker: FakeBroker, clock: ManualClock, *, ready: bool = True) -> None:
        self.receipts = True
        self.reject = ""
        self.seen: dict[tuple[str, int], bytes] = {}
        self.retold = 0
        options = LinkOptions(
            host="", port=1, client_id="svc-ingest", subscriptions=("linli/v1/c001/#",)
        )
        self.link = broker.link(options, self, clock)
        self.link.step(0)
        if ready:
            status = Status(state="ready", session="0123abcd")
            self.link.publish(str(ingest_status_topic("c001")), encode(status), retain=True)

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None: ...

    def on_message(self, delivery: Delivery) -> None:
        self.link.ack(delivery)
        _, _, _, _, node, _, kind, _ = delivery.topic.split("/")
        if kind not in {"event", "telemetry"}:
            return
        said = json.loads(delivery.payload)
        key = said["stream"], int(said["sequence"])
        self.retold += key in self.seen
        assert self.seen.setdefault(key, delivery.payload) == delivery.payload
        if self.reject == said["id"]:
            refusal = Reject(
                code="schema",
                path="$",
                sha256="0" * 64,
                topic=delivery.topic,
                stream=key[0],
                sequence=said["sequence"],
            )
            self.link.publish(str(reject_topic("c001", node, "schema")), encode(refusal))
        elif self.receipts:
            receipt = Receipt(stream=key[0], upto=0, ranges=((key[1], key[1]),))
            self.link.publish(str(receipt_topic("c001", node, key[0])), encode(receipt))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock(NOON)
    monkeypatch.setattr(fleet_module.time, "sleep", clock.advance)
    return clock


def fleet_of(broker: FakeBroker, clock: ManualClock, length: timedelta, **faults: int) -> Fleet:
    world = World(MADE, seed=1, start=NOON, length=length, faults={"lamp": 2, **faults})
    links = {box.id: LinkOptions(host="", port=1, client_id=box.id) for box in MADE.boxes}
    return Fleet(MADE, world, links, clock=clock, factory=broker.link)


def test_all_of_a_run_is_received_and_the_edges_say_goodbye(clock: ManualClock) -> None:
    broker = FakeBroker()
    ingest = Ingest(broker, clock)
    fleet = fleet_of(broker, clock, timedelta(hours=1))
    fleet.run(600, lambda: False, lambda: (ingest.link.step(0), None)[1], patience=5)
    expected = World(MADE, seed=1, start=NOON, length=timedelta(hours=1), faults={"lamp": 2})
    said = [*expected.step(expected.end), *expected.close(expected.end)]
    assert fleet.made == len(ingest.seen) == len(said)
    assert fleet.counts.receipted == fleet.made
    assert fleet.standing.held == 0
    streams: dict[str, list[int]] = {}
    for stream, sequence in ingest.seen:
        streams.setdefault(stream, []).append(sequence)
    for sequences in streams.values():
        assert sequences == list(range(1, len(sequences) + 1))
    for box in MADE.boxes:
        status = broker.retained[str(box.topic("self", "health", "status"))]
        assert json.loads(status)["state"] == "stopped"
        assert str(box.topic("self", "meta", "describe")) in broker.retained


@pytest.mark.parametrize("most", [10_000, 5])
def test_an_edge_that_was_cut_off_brings_everything_when_it_is_back(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(sender_module, "MOST_AWAY", most)
    broker = FakeBroker()
    ingest = Ingest(broker, clock)
    fleet = fleet_of(broker, clock, timedelta(hours=1), **{"edge-offline": 1, "clock-off": 1})
    connected, held = set(), 0

    def tell() -> None:
        nonlocal held
        ingest.link.step(0)
        if fleet.made:
            connected.add(fleet.standing.connected)
            held = max(held, fleet.standing.held)

    fleet.run(60, lambda: False, tell, patience=5)
    wills = [
        one for topic, one, _ in broker.published if topic.endswith("/status") and b"lost" in one
    ]
    assert (connected, len(wills)) == ({1, 2}, 1)
    assert held > 10
    assert fleet.counts.receipted == fleet.made == len(ingest.seen)
    unsynced = [one for one in ingest.seen.values() if b'"unsynced"' in one]
    assert 0 < len(unsynced) < fleet.made


def test_edges_come_up_one_after_another(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "_DEVICES_A_SECOND", 1)
    broker = FakeBroker()
    ingest = Ingest(broker, clock)
    fleet = fleet_of(broker, clock, timedelta(minutes=1))
    seen = []

    def tell() -> None:
        seen.append((clock.monotonic(), fleet.standing.connected))
        ingest.link.step(0)

    fleet.run(1, lambda: False, tell, patience=5)
    both = min(at for at, number in seen if number == 2)
    assert both - min(at for at, number in seen if number == 1) >= 9


def test_without_receipts_time_stands_still_and_little_is_held(clock: ManualClock) -> None:
    broker = FakeBroker()
    ingest = Ingest(broker, clock)
    ingest.receipts = False
    fleet = fleet_of(broker, clock, timedelta(days=2))
    rounds = iter(range(3000))
    most = 0

    def tell() -> None:
        nonlocal most
        ingest.link.step(0)
        most = max(most, fleet.standing.held)

    fleet.run(100_000, lambda: next(rounds, None) is None, tell, patience=1)
    slice_brings = 2 * len(MADE.devices)
    assert ROOM <= most <= 2 * 2 * ROOM + slice_brings
    assert fleet.standing.at < NOON + timedelta(hours=6)
    assert fleet.standing.behind > 3600
    assert len(ingest.seen) <= 4 * WINDOW
    assert ingest.retold  # ten seconds without a receipt


def test_a_reject_is_final_and_counted(clock: ManualClock) -> None:
    broker = FakeBroker()
    ingest = Ingest(broker, clock)
    fleet = fleet_of(broker, clock, timedelta(minutes=10))

    def tell() -> None:
        if not ingest.reject and broker.published:
            facts = [one for one in broker.published if "/telemetry/" in one[0]]
            ingest.reject = json.loads(facts[0][1])["id"] if facts else ""
        ingest.link.step(0)

    fleet.run(600, lambda: False, tell, patience=5)
    assert dict(fleet.counts.rejected) == {"schema": 1}
    assert fleet.counts.receipted == fleet.made - 1
    assert fleet.standing.held == 0


def test_without_an_ingest_that_is_ready_it_says_so(clock: ManualClock) -> None:
    broker = FakeBroker()
    Ingest(broker, clock, ready=False)
    fleet = fleet_of(broker, clock, timedelta(minutes=10))
    with pytest.raises(LinkError, match="2 of 2 edges"):
        fleet.run(1, lambda: False, lambda: None, patience=1)
    assert not [one for one in broker.published if "/telemetry/" in one[0]]


def test_a_lane_keeps_its_window_and_forgets_only_what_is_covered() -> None:
    lane = Lane("0123abcd")
    for number in range(WINDOW + 50):
        at = NOON + timedelta(seconds=number)
        lane.put(readings(DEVICE, at, "camera", ("people", 1.0, "1")))
    sent = lane.fresh(0.0)
    assert len(sent) == WINDOW
    assert not lane.fresh(1.0)
    assert lane.confirm(Receipt(stream="0123abcd", upto=10, ranges=((12, 13),))) == 12
    assert [json.loads(one)["sequence"][-3:] for _, one in lane.fresh(2.0)] == [
        f"{number:03}" for number in range(WINDOW + 1, WINDOW + 11)
    ]
    assert not lane.overdue(9.0)
    again = lane.overdue(10.0)
    assert again[0] == sent[10]  # the same bytes
    assert len(again) == WINDOW - 12
    assert not lane.overdue(11.0)
    assert len(lane.overdue(12.0)) == 10
    assert not lane.overdue(29.0)
    assert lane.drop(11)
    assert not lane.drop(11)
    lane.again()
    assert len(lane.fresh(40.0)) == WINDOW
    lane.put(readings(DEVICE, NOON, "camera", ("people", 1.0, "1")))
    assert lane.confirm(Receipt(stream="0123abcd", upto=10**6)) == len(range(14, WINDOW + 52))
    assert len(lane) == 0


def test_low_is_what_is_still_held() -> None:
    lane = Lane("0123abcd")
    for number in range(3):
        lane.put(readings(DEVICE, NOON, "camera", ("people", float(number), "1")))
    lane.confirm(Receipt(stream="0123abcd", upto=2))
    lane.put(readings(DEVICE, NOON, "camera", ("people", 1.0, "1")))
    lows = [int(json.loads(one)["low"]) for _, one in lane.fresh(0.0)]
    assert lows == [1, 3]
