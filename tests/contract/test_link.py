"""One contract for every link: the real client on real brokers, and the fake beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from brokers import NEEDS_MOSQUITTO, RunningBroker, running_broker

from linli.clock import ManualClock, SystemClock
from linli.errors import LinkError
from linli.mqtt import Delivery, FakeBroker, Link, LinkOptions, PahoLink, Will
from linli.mqtt.paho_link import SESSION_EXPIRY

USERS = {"svc-ingest": "one", "c001-n01": "two"}
EVENT = "linli/v1/c001/b03/c001-n01/cam/event/zone-dwell"
STATUS = "linli/v1/c001/b03/c001-n01/self/health/status"
RECEIPT = "linli/v1/c001/_sys/c001-n01/ingest/receipt/00000000"


@dataclass
class Recorder:
    ups: int = 0
    downs: list[str] = field(default_factory=list)
    messages: list[Delivery] = field(default_factory=list)
    sent: list[tuple[int, str | None]] = field(default_factory=list)

    def on_up(self) -> None:
        self.ups += 1

    def on_down(self, reason: str) -> None:
        self.downs.append(reason)

    def on_message(self, delivery: Delivery) -> None:
        self.messages.append(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        self.sent.append((token, error))

    def payloads(self) -> list[bytes]:
        return [delivery.payload for delivery in self.messages]


@dataclass
class World:
    connect: Callable[..., tuple[Link, Recorder]]
    kill: Callable[[], None]
    start: Callable[[], None]
    refuses_foreign_topics: bool


def until(condition: Callable[[], bool], *links: Link) -> None:
    for _ in range(400):
        for link in links:
            link.step(0.01)
        if condition():
            return
    raise AssertionError("it did not happen")


@contextlib.contextmanager
def fake_world() -> Iterator[World]:
    broker = FakeBroker()
    clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))

    def connect(client_id: str, **options: object) -> tuple[Link, Recorder]:
        recorder = Recorder()
        settings = LinkOptions(host="fake", port=1, client_id=client_id, **options)  # type: ignore[arg-type]
        return broker.link(settings, recorder, clock), recorder

    yield World(connect, broker.stop, broker.start, refuses_foreign_topics=False)


def real_world(broker: RunningBroker) -> World:
    assert broker.plan is not None
    protocol = broker.plan.protocol

    def connect(client_id: str, **options: object) -> tuple[Link, Recorder]:
        recorder = Recorder()
        settings = LinkOptions(
            host="127.0.0.1",
            port=broker.port,
            client_id=client_id,
            username=client_id,
            password=USERS[client_id],
            protocol=protocol,
            **options,  # type: ignore[arg-type]
        )
        return PahoLink(settings, recorder, SystemClock()), recorder

    return World(connect, broker.kill, broker.start, refuses_foreign_topics=protocol == "5")


@pytest.fixture(
    params=[
        "fake",
        pytest.param("mosquitto", marks=[pytest.mark.broker, NEEDS_MOSQUITTO]),
        "embedded",
    ]
)
def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    if request.param == "fake":
        with fake_world() as made:
            yield made
        return
    if request.param == "embedded":
        monkeypatch.setenv("LINLI_BROKER", "embedded")
    with running_broker(tmp_path, USERS) as broker:
        yield real_world(broker)


def test_what_is_published_arrives_once_acknowledged(world: World) -> None:
    ingest, got = world.connect("svc-ingest", keep_session=True, subscriptions=(EVENT,))
    edge, sent = world.connect("c001-n01")
    until(lambda: ingest.connected and edge.connected, ingest, edge)
    tokens = [edge.publish(EVENT, f"{number}".encode()) for number in range(20)]
    until(lambda: len(got.messages) == 20 and len(sent.sent) == 20, ingest, edge)
    assert got.payloads() == [f"{number}".encode() for number in range(20)]
    assert sorted(sent.sent) == sorted((token, None) for token in tokens)
    for delivery in got.messages:
        ingest.ack(delivery)
    ingest.step(0.05)
    ingest.close()
    edge.close()


def test_what_waits_can_be_sent_without_another_turn(world: World) -> None:
    ingest, got = world.connect("svc-ingest", subscriptions=(EVENT,))
    edge, _ = world.connect("c001-n01")
    until(lambda: ingest.connected and edge.connected, ingest, edge)
    edge.publish(EVENT, b"now")
    edge.flush()
    until(lambda: bool(got.messages), ingest)
    assert got.payloads() == [b"now"]
    ingest.close()
    edge.close()


def test_retained_documents_reach_who_comes_later(world: World) -> None:
    ingest, _ = world.connect("svc-ingest")
    until(lambda: ingest.connected, ingest)
    ingest.publish(RECEIPT, b"kept", retain=True)
    ingest.step(0.1)
    edge, got = world.connect("c001-n01", subscriptions=(RECEIPT,))
    until(lambda: bool(got.messages), edge, ingest)
    assert (got.messages[0].payload, got.messages[0].retain) == (b"kept", True)
    ingest.close()
    edge.close()


def test_publishing_without_a_connection_is_refused_not_lost_silently(world: World) -> None:
    edge, _ = world.connect("c001-n01")
    with pytest.raises(LinkError, match="not connected"):
        edge.publish(EVENT, b"x")


def test_it_comes_back_by_itself_when_the_broker_does(world: World) -> None:
    edge, seen = world.connect("c001-n01")
    until(lambda: edge.connected, edge)
    world.kill()
    until(lambda: not edge.connected, edge)
    assert len(seen.downs) == 1
    world.start()
    until(lambda: edge.connected, edge)
    assert seen.ups == 2
    edge.close()


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_what_was_not_acknowledged_comes_again(tmp_path: Path) -> None:
    with running_broker(tmp_path, USERS) as broker:
        world = real_world(broker)
        ingest, got = world.connect("svc-ingest", keep_session=True, subscriptions=(EVENT,))
        edge, _ = world.connect("c001-n01")
        until(lambda: ingest.connected and edge.connected, ingest, edge)
        for number in range(6):
            edge.publish(EVENT, f"{number}".encode())
        until(lambda: len(got.messages) == 6, ingest, edge)
        for delivery in got.messages[:2]:
            ingest.ack(delivery)
        ingest.step(0.1)
        ingest.close()
        again, more = world.connect("svc-ingest", keep_session=True, subscriptions=(EVENT,))
        until(lambda: len(more.messages) >= 4, again, edge)
        assert more.payloads() == [b"2", b"3", b"4", b"5"]
        again.close()
        edge.close()


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_will_is_spoken_for_the_dead_and_not_for_the_polite(tmp_path: Path) -> None:
    with running_broker(tmp_path, USERS) as broker:
        world = real_world(broker)
        ingest, got = world.connect("svc-ingest", subscriptions=(STATUS,))
        will = Will(STATUS, b"lost", delay=0)
        polite, _ = world.connect("c001-n01", will=will)
        until(lambda: ingest.connected and polite.connected, ingest, polite)
        polite.close()
        dying, _ = world.connect("c001-n01", will=will)
        until(lambda: dying.connected, ingest, dying)
        assert got.messages == []
        rival, _ = world.connect("c001-n01")
        until(lambda: bool(got.messages), ingest, rival)
        assert got.payloads() == [b"lost"]
        ingest.close()
        rival.close()


def test_a_cut_speaks_the_will_and_the_link_comes_back(world: World) -> None:
    ingest, got = world.connect("svc-ingest", subscriptions=(STATUS,))
    edge, seen = world.connect("c001-n01", will=Will(STATUS, b"lost", delay=0))
    until(lambda: ingest.connected and edge.connected, ingest, edge)
    edge.cut()
    assert not edge.connected
    until(lambda: bool(got.messages), ingest)
    assert (got.payloads(), seen.downs) == ([b"lost"], ["cut"])
    until(lambda: edge.connected, edge)
    ingest.close()
    edge.close()


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_topic_of_somebody_else_is_refused_and_said_so(tmp_path: Path) -> None:
    with running_broker(tmp_path, USERS) as broker:
        edge, seen = real_world(broker).connect("c001-n01")
        until(lambda: edge.connected, edge)
        token = edge.publish(EVENT.replace("c001-n01", "c001-n02"), b"x")
        until(lambda: bool(seen.sent), edge)
        assert seen.sent == [(token, "Not authorized")]
        assert edge.connected
        edge.close()


@pytest.mark.parametrize("client_id", ["c001-n01", "svc-ingest"])
def test_a_wrong_password_is_told_and_tried_again_later(
    client_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_BROKER", "embedded")
    with running_broker(tmp_path, USERS) as broker:
        recorder = Recorder()
        options = LinkOptions(
            host="127.0.0.1",
            port=broker.port,
            client_id=client_id,
            username=client_id,
            password="wrong",
            protocol="3.1.1",
        )
        link = PahoLink(options, recorder, SystemClock())
        for _ in range(20):
            link.step(0.02)
        assert not link.connected
        assert recorder.ups == 0


def test_a_password_never_shows_in_the_options() -> None:
    options = LinkOptions(host="h", port=1, client_id="c", username="u", password="s3cret")
    assert "s3cret" not in repr(options)


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_the_window_of_the_broker_is_read_when_connecting(tmp_path: Path) -> None:
    with running_broker(tmp_path, USERS) as broker:
        world = real_world(broker)
        wide, _ = world.connect("svc-ingest", window=5000)
        narrow, _ = world.connect("c001-n01", window=20)
        until(lambda: wide.connected and narrow.connected, wide, narrow)
        assert (wide.window, narrow.window) == (1000, 20)
        wide.close()
        narrow.close()


@pytest.mark.parametrize(
    ("options", "expiry"),
    [
        ({"will": Will("t", b"lost", delay=10)}, 10),
        ({"will": Will("t", b"lost", delay=10), "keep_session": True}, SESSION_EXPIRY),
        ({}, None),
    ],
)
def test_a_session_outlives_the_delay_of_its_will(
    options: dict[str, Any], expiry: int | None
) -> None:
    """Else a broker speaks the will at once: the session has ended."""
    link = PahoLink(LinkOptions("h", 1, "me", **options), Recorder(), SystemClock())
    properties = link._connect_arguments()["properties"]
    assert getattr(properties, "SessionExpiryInterval", None) == expiry
