"""The receiver on a real mosquitto: receive, lose the broker, get it all again, answer it all."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from brokers import NEEDS_MOSQUITTO, RunningBroker
from facts import DEVICE, NODE, SITE, event_bytes
from nodes import OTHER, Node, running_site

from ingest.receive.process import run_receiver
from ingest.settings import IngestSettings
from ingest.store.engine import open_reader, reading
from ingest.store.files import path_of
from ingest.store.journal import CLOCK, counters, messages_after, turned_away
from linli.broker import free_port
from linli.process import StopSignal, linli_argv

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[tuple[IngestSettings, RunningBroker]]:
    with running_site(tmp_path) as site:
        yield site


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
