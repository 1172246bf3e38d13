"""The receiver on a real mosquitto: receive, lose the broker, get it all again, answer it all."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from brokers import NEEDS_MOSQUITTO, RunningBroker, running_broker
from facts import AREA, DEVICE, EVENT_TOPIC, NODE, SITE, STREAM, event_bytes

from ingest.receive.process import run_receiver
from ingest.registry import add_device, add_node
from ingest.settings import IngestSettings, load_settings
from ingest.store.engine import open_reader, open_writer, reading, writing
from ingest.store.files import path_of, prepare
from ingest.store.journal import CLOCK, counters, messages_after, turned_away
from linli.broker import free_port
from linli.clock import SystemClock
from linli.codec import decode_part
from linli.events import Receipt, Reject, Status
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.process import StopSignal, linli_argv
from linli.settings import write_secret

OTHER = "c001-n02"
pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]


@dataclass
class Node:
    """An edge's side of the wire: publishes, and hears what the ingest answers."""

    name: str = NODE
    stream: str = STREAM
    upto: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    rejects: list[Reject] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    sent: int = 0
    link: PahoLink | None = None

    def connect(self, port: int) -> None:
        base = f"linli/v1/{SITE}/_sys"
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id=self.name,
            username=self.name,
            password="two",
            subscriptions=(
                f"{base}/{self.name}/ingest/receipt/+",
                f"{base}/{self.name}/ingest/reject/+",
                f"{base}/all/ingest/health/status",
            ),
        )
        self.link = PahoLink(options, self, SystemClock())

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None:
        assert error is None
        self.sent += 1

    def on_message(self, delivery: Delivery) -> None:
        kind = delivery.topic.split("/")[6]
        if kind == "receipt":
            receipt = decode_part(delivery.payload, Receipt)
            assert receipt.stream == self.stream
            self.upto, self.ranges = receipt.upto, receipt.ranges
        elif kind == "reject":
            self.rejects.append(decode_part(delivery.payload, Reject))
        else:
            self.states.append(decode_part(delivery.payload, Status).state)
        assert self.link is not None
        self.link.ack(delivery)

    def until(self, condition: Callable[[], bool]) -> None:
        assert self.link is not None
        for _ in range(2000):
            self.link.step(0.02)
            if condition():
                return
        raise AssertionError(f"it did not happen: {self}")

    def send(self, payload: bytes) -> None:
        assert self.link is not None
        self.link.publish(EVENT_TOPIC.replace(NODE, self.name), payload)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[tuple[IngestSettings, RunningBroker]]:
    (tmp_path / "b").mkdir()
    with running_broker(tmp_path / "b", {"svc-ingest": "one", NODE: "two", OTHER: "two"}) as broker:
        write_secret(tmp_path / "secret", "one")
        config = tmp_path / "ingest.toml"
        config.write_text(
            f'[site]\nid = "{SITE}"\nlabel = "x"\n[mqtt]\nport = {broker.port}\n'
            'username = "svc-ingest"\npassword_file = "secret"\n'
            "[rate]\nmessages = 200\nburst = 400\n"
        )
        loaded = load_settings(config)
        prepare(loaded.folder)
        engine = open_writer(path_of(loaded.folder, "state"))
        with writing(engine) as connection:
            for name in (NODE, OTHER):
                add_node(connection, site=SITE, area=AREA, name=name, label="x")
                add_device(connection, node_name=name, name=DEVICE, kind="camera", label="x")
        engine.dispose()
        yield loaded, broker


@dataclass
class Running:
    settings: IngestSettings
    stop: StopSignal = field(default_factory=StopSignal)
    thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=run_receiver, args=(self.settings, self.stop))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        assert self.thread is not None
        self.thread.join(45)
        assert not self.thread.is_alive()


def stored(settings: IngestSettings) -> tuple[list[int | None], dict[str, int]]:
    engine = open_reader(path_of(settings.folder, "journal"))
    with reading(engine) as connection:
        rows = messages_after(connection, 0, 10_000)
        found = [row.sequence for row in rows if row.kind != CLOCK]
        counted = counters(connection)
    engine.dispose()
    return found, counted


def test_one_line_says_when_the_ingest_is_ready(
    settings: tuple[IngestSettings, RunningBroker], tmp_path: Path
) -> None:
    _, broker = settings
    config, port = tmp_path / "ingest.toml", free_port()
    with config.open("a") as more:
        more.write(f"[http]\nport = {port}\n")
    argv = linli_argv("ingest", "run", "--config", str(config))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
        rest = process.stdout.read()
    address = f"127.0.0.1:{port}/, messages from 127.0.0.1:{broker.port}"
    assert said == f"Linli is ready: pages at http://{address}\n"
    assert (rest, process.returncode) == ("", 0)


def test_everything_is_stored_once_and_answered_through_a_killed_broker(
    settings: tuple[IngestSettings, RunningBroker],
) -> None:
    loaded, broker = settings
    node = Node()
    node.connect(broker.port)
    with Running(loaded):
        node.until(lambda: "ready" in node.states)
        for sequence in range(1, 301):
            node.send(event_bytes(sequence))
        node.send(b"\xff garbage")
        node.until(lambda: node.upto == 300 and len(node.rejects) == 1)
        broker.kill()
        node.until(lambda: node.link is not None and not node.link.connected)
        broker.start()
        node.until(lambda: node.link is not None and node.link.connected)
        node.states.clear()
        node.until(lambda: "ready" in node.states)
        for sequence in range(291, 401):
            node.send(event_bytes(sequence))
        node.until(lambda: node.upto == 400)
    node.until(lambda: node.states[-1] == "stopped")
    assert node.link is not None
    node.link.close()
    found, counted = stored(loaded)
    assert found == list(range(1, 401))
    assert counted["rejected.json"] == 1
    assert node.rejects[0].code == "json"


def test_what_arrives_while_the_receiver_is_away_is_kept_by_the_broker(
    settings: tuple[IngestSettings, RunningBroker],
) -> None:
    loaded, broker = settings
    node = Node()
    node.connect(broker.port)
    with Running(loaded):
        node.until(lambda: "ready" in node.states)
    node.until(lambda: node.states[-1] == "stopped")
    for sequence in range(1, 51):
        node.send(event_bytes(sequence))
    with Running(loaded):
        node.until(lambda: node.upto == 50)
    assert node.link is not None
    node.link.close()
    assert stored(loaded)[0] == list(range(1, 51))


def test_a_node_above_its_rate_waits_and_another_one_does_not(
    settings: tuple[IngestSettings, RunningBroker],
) -> None:
    loaded, broker = settings
    fast, calm = Node(), Node(OTHER, "0000aaaa")
    fast.connect(broker.port)
    calm.connect(broker.port)
    with Running(loaded):
        fast.until(lambda: "ready" in fast.states)
        calm.until(lambda: "ready" in calm.states)
        began = time.monotonic()
        for sequence in range(1, 1001):
            fast.send(event_bytes(sequence))
        fast.until(lambda: fast.sent == 1000)
        in_haste = time.monotonic() - began < 0.4
        source = f"/{SITE}/{OTHER}/{DEVICE}"
        for sequence in range(1, 11):
            calm.send(event_bytes(sequence, source=source, stream=calm.stream))
        calm.until(lambda: calm.upto == 10)
        assert fast.upto < 1000
        fast.until(lambda: fast.upto >= 800)
        while fast.upto < 1000:
            for sequence in range(fast.upto + 1, 1001):
                fast.send(event_bytes(sequence))
            before = fast.upto
            fast.until(lambda before=before: fast.upto > before)
    for node in (fast, calm):
        assert node.link is not None
        node.link.close()
    found, counted = stored(loaded)
    assert sorted(one or 0 for one in found) == sorted([*range(1, 1001), *range(1, 11)])
    if in_haste:  # a busy machine cannot even send a hundred too many
        assert counted[turned_away(NODE)] >= 1
