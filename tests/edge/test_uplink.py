"""Draining the spool: only while the ingest is ready, and nothing leaves without its receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.flight import LIVE, WINDOW
from edge.messages import Address
from edge.spool import Lane, Spool
from edge.uplink import Uplink
from linli.clock import ManualClock
from linli.codec import decode_part, encode, sha256
from linli.events import IN_ORDER, NodeState, Receipt, Reject, Status
from linli.mqtt import FakeBroker, FakeLink, LinkOptions
from linli.topics import Topic, ingest_status_topic, receipt_topic, reject_topic

ADDRESS = Address("c001", "b03", "c001-n01")
EVENT = "linli/v1/c001/b03/c001-n01/cam/event/zone-dwell"
READING = "linli/v1/c001/b03/c001-n01/cam/telemetry/camera"
REPORT = Topic.parse("linli/v1/c001/b03/c001-n01/self/health/report")
BIRTH = Topic.parse("linli/v1/c001/b03/c001-n01/cam/meta/describe")
BACKLOG = 2 * IN_ORDER
STATUS = "linli/v1/c001/b03/c001-n01/self/health/status"


@dataclass
class World:
    broker: FakeBroker
    clock: ManualClock
    spool: Spool
    uplink: Uplink

    def say(self, state: NodeState, session: str = "00000001") -> None:
        status = encode(Status(state=state, session=session))
        self.broker.route(str(ingest_status_topic("c001")), status, retain=True, qos=1)

    def receipt(self, upto: int, lane: str = "events") -> None:
        stream = self.spool.stream(lane)
        receipt = encode(Receipt(stream=stream, upto=upto))
        topic = str(receipt_topic("c001", "c001-n01", stream))
        self.broker.route(topic, receipt, retain=True, qos=1)

    def reject(self, payload: bytes) -> None:
        reject = Reject(code="schema", path="$.data", sha256=sha256(payload), topic=EVENT)
        topic = str(reject_topic("c001", "c001-n01", "schema"))
        self.broker.route(topic, encode(reject), retain=False, qos=1)

    def put(self, *payloads: bytes, lane: Lane = "events") -> None:
        topic = EVENT if lane == "events" else READING
        self.spool.put_all(lane, [(topic, lambda _, made=one: made) for one in payloads])

    def turn(self, times: int = 2) -> list[bytes]:
        """Return the facts published in these turns."""
        before = len(self.broker.published)
        for _ in range(times):
            self.uplink.turn(0)
        sent = self.broker.published[before:]
        return [payload for topic, payload, _ in sent if topic in {EVENT, READING}]

    def statuses(self) -> list[str]:
        return [
            decode_part(payload, Status).state
            for topic, payload, _ in self.broker.published
            if topic == STATUS
        ]

    @property
    def link(self) -> FakeLink:
        link = self.uplink._link
        assert isinstance(link, FakeLink)
        return link


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    broker = FakeBroker()
    clock = ManualClock(datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC))
    options = LinkOptions(host="fake", port=1, client_id="ignored")
    with Spool(tmp_path / "spool.db", clock) as spool:
        uplink = Uplink(
            ADDRESS,
            options,
            broker.link,
            spool,
            clock,
            session="0000000a",
            agent="1",
            documents=[(BIRTH, b"born")],
            report=lambda: (REPORT, b"well"),
        )
        yield World(broker, clock, spool, uplink)


def test_tells_who_it_is_and_leaves_politely(world: World) -> None:
    world.turn()
    assert world.broker.retained[str(BIRTH)] == b"born"
    ready = decode_part(world.broker.retained[STATUS], Status)
    assert (ready.state, ready.session, ready.agent) == ("ready", "0000000a", "1")
    world.uplink.close()
    assert world.statuses() == ["ready", "stopped"]


def test_vanishing_speaks_the_will_of_this_session(world: World) -> None:
    world.turn()
    world.link.cut()
    lost = decode_part(world.broker.retained[STATUS], Status)
    assert (lost.state, lost.session) == ("lost", "0000000a")
    world.turn()
    assert world.statuses() == ["ready", "lost", "ready"]


def test_reports_at_once_and_every_minute(world: World) -> None:
    def reports() -> int:
        return sum(topic == str(REPORT) for topic, *_ in world.broker.published)

    world.turn()
    assert reports() == 1
    world.clock.advance(59)
    world.turn()
    assert reports() == 1
    world.clock.advance(1)
    world.turn()
    assert reports() == 2
    world.link.cut()
    world.turn()
    assert reports() == 3


def test_a_change_is_reported_within_seconds_but_not_in_floods(world: World) -> None:
    def reports() -> int:
        return sum(topic == str(REPORT) for topic, *_ in world.broker.published)

    world.turn()
    for _ in range(5):
        world.uplink.report_soon()
        world.turn()
    assert reports() == 1
    world.clock.advance(3)
    world.turn()
    assert reports() == 2
    world.clock.advance(3)
    world.turn()
    assert reports() == 2


@pytest.mark.parametrize("state", [None, "init", "stopped", "lost"])
def test_nothing_is_sent_while_the_ingest_is_not_ready(
    world: World, state: NodeState | None
) -> None:
    world.put(b"1")
    if state is not None:
        world.say(state)
    assert world.turn() == []
    world.say("ready")
    assert world.turn() == [b"1"]


def test_sending_stops_when_the_ingest_goes(world: World) -> None:
    world.say("ready")
    world.turn()
    world.say("lost")
    world.turn()
    world.put(b"1")
    world.clock.advance(1000)
    assert world.turn() == []


@pytest.mark.parametrize("state", ["lost", "stopped"])
def test_last_words_of_an_older_ingest_are_old_news(world: World, state: NodeState) -> None:
    world.say("ready", "00000002")
    world.turn()
    world.say(state, "00000001")
    world.put(b"1")
    assert world.turn() == [b"1"]


def test_broker_acknowledgement_removes_nothing_receipt_does(world: World) -> None:
    world.say("ready")
    world.put(b"1", b"2")
    assert world.turn(5) == [b"1", b"2"]
    assert world.spool.pending() == 2
    world.receipt(1)
    world.turn()
    assert [row.payload for row in world.spool.page("events", 0, 9)] == [b"2"]
    world.receipt(2)
    world.receipt(2)
    world.turn()
    assert (world.spool.pending(), world.uplink.counts.confirmed) == (0, 2)


def test_lost_receipt_means_the_same_bytes_again(world: World) -> None:
    world.say("ready")
    world.put(b"1")
    sent = []
    for second in range(75):
        sent += [(second, payload) for payload in world.turn()]
        world.clock.advance(1)
    assert sent == [(0, b"1"), (10, b"1"), (30, b"1"), (70, b"1")]
    world.receipt(1)
    world.turn()
    world.clock.advance(1000)
    assert world.turn() == []
    assert world.uplink.counts.resent == 3


def test_events_go_before_telemetry_and_each_has_its_window(world: World) -> None:
    world.put(*[b"m%d" % number for number in range(WINDOW + 5)], lane="telemetry")
    world.put(*[b"e%d" % number for number in range(WINDOW + 5)])
    world.say("ready")
    sent = world.turn(5)
    assert [one[:1] for one in sent] == [b"e"] * WINDOW + [b"m"] * WINDOW
    world.receipt(WINDOW)
    assert world.turn() == [b"e%d" % number for number in range(WINDOW, WINDOW + 5)]


@pytest.mark.parametrize("cause", ["link", "broker", "session"])
def test_everything_held_goes_again_after(world: World, cause: str) -> None:
    world.say("ready")
    world.put(b"1", b"2", b"3")
    world.turn()
    world.receipt(1)
    world.turn()
    if cause == "link":
        world.link.cut()
    elif cause == "broker":
        world.broker.stop()
        assert world.turn() == []
        world.broker.start()
    else:
        world.say("ready", "00000002")
    assert world.turn(5) == [b"2", b"3"]


def test_same_session_again_sends_nothing_twice(world: World) -> None:
    world.say("ready")
    world.put(b"1")
    world.turn()
    world.say("ready")
    assert world.turn() == []


def test_rejected_row_is_dead_and_never_sent_again(world: World) -> None:
    world.say("ready")
    world.put(b"poison", b"good")
    world.turn()
    world.reject(b"poison")
    world.reject(b"poison")
    world.turn()
    assert world.spool.reports()[0].dead == 1
    world.say("ready", "00000002")
    assert world.turn() == [b"good"]


def test_a_newer_ingest_is_understood(world: World) -> None:
    def say(where: Topic, **words: object) -> None:
        body = json.dumps({**words, "new": {"er": 1}}).encode()
        world.broker.route(str(where), body, retain=True, qos=1)

    say(ingest_status_topic("c001"), state="ready", session="00000001")
    world.put(b"1", b"2", b"3")
    assert world.turn(5) == [b"1", b"2", b"3"]
    stream = world.spool.stream("events")
    code = {"code": "too-warm", "path": "$", "topic": EVENT, "sha256": sha256(b"2")}
    say(reject_topic("c001", "c001-n01", "too-warm"), **code, stream=stream)
    say(receipt_topic("c001", "c001-n01", stream), stream=stream, upto=1)
    world.turn()
    assert [row.payload for row in world.spool.page("events", 0, 9)] == [b"3"]
    assert world.spool.reports()[0].dead == 1
    assert world.uplink.counts.unreadable == 0


def test_refused_row_is_kept_and_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.say("ready")
    world.put(b"1", b"2")
    world.uplink.turn(0)
    for token in [sent.token for sent in world.uplink._courses["events"].live._sent.values()]:
        world.uplink.on_sent(token, "Not authorized")
    assert (world.uplink.counts.refused, world.spool.pending()) == (2, 2)
    assert sum("refused" in line for line in caplog.messages) == 1
    world.clock.advance(10)
    assert world.turn() == [b"1", b"2"]


def test_unreadable_answers_are_counted_and_change_nothing(world: World) -> None:
    world.say("ready")
    world.put(b"1")
    world.turn()
    receipts = str(receipt_topic("c001", "c001-n01", world.spool.stream("events")))
    for topic in (receipts, str(ingest_status_topic("c001"))):
        world.broker.route(topic, b"{", retain=False, qos=1)
    world.turn()
    assert (world.uplink.counts.unreadable, world.spool.pending()) == (2, 1)
    assert not world.link._unacked


def test_evicted_rows_are_passed_over(world: World) -> None:
    world.put(b"1", b"2")
    world.turn()
    world.spool.confirm(Receipt(stream=world.spool.stream("events"), upto=2))
    world.say("ready")
    assert world.turn() == []
    world.put(b"3")
    assert world.turn() == [b"3"]


def _drained(world: World, *first: int, lane: Lane = "events") -> list[int]:
    """Receipt what is sent, `first` to begin with, until nothing is; return it in its order."""
    came, sent = list(first), list(first)
    while sent or not came:
        spans = tuple((one, one) for one in sent)
        receipt = Receipt(stream=world.spool.stream(lane), upto=0, ranges=spans)
        world.spool.confirm(receipt)
        world.uplink._courses[lane].confirm(receipt)
        sent = [int(one) for one in world.turn(1)]
        came += sent
    return came


def test_new_events_pass_a_long_backlog_and_nothing_comes_out_of_it_twice(world: World) -> None:
    world.put(*(b"%d" % number for number in range(1, BACKLOG + 1)))
    world.say("ready")
    first = [int(one) for one in world.turn(1)]
    assert first == [*range(BACKLOG - LIVE + 1, BACKLOG - LIVE + 1 + WINDOW), *range(1, WINDOW + 1)]
    world.put(b"%d" % (BACKLOG + 1))
    came = _drained(world, *first)
    assert sorted(came) == list(range(1, BACKLOG + 2))
    at = came.index(BACKLOG + 1)
    assert at < 2 * (LIVE + WINDOW), "a new event waited for the old ones"
    old = [one for one in came if one <= BACKLOG - LIVE]
    live = [one for one in came if one > BACKLOG - LIVE]
    assert (old, live) == (sorted(old), sorted(live))
    assert (world.uplink.counts.sent, world.uplink.counts.resent) == (BACKLOG + 1, 0)


@pytest.mark.parametrize(("lane", "rows"), [("events", IN_ORDER), ("telemetry", BACKLOG)])
def test_a_short_backlog_and_all_readings_come_in_order(
    world: World, lane: Lane, rows: int
) -> None:
    world.put(*(b"%d" % number for number in range(1, rows + 1)), lane=lane)
    world.say("ready")
    assert _drained(world, lane=lane) == list(range(1, rows + 1))


def test_who_falls_behind_while_connected_lets_new_events_pass_too(world: World) -> None:
    world.put(*(b"%d" % number for number in range(1, WINDOW + 1)))
    world.say("ready")
    assert len(world.turn()) == WINDOW
    world.put(*(b"%d" % number for number in range(WINDOW + 1, BACKLOG + 1)))
    world.receipt(WINDOW)
    sent = [int(one) for one in world.turn(2)]
    assert sent[0] == BACKLOG - LIVE + 1
    assert WINDOW + 1 in sent
    world.receipt(BACKLOG)
    world.turn()
    assert world.spool.pending() == 0
    world.put(b"9999")
    assert world.turn() == [b"9999"]
