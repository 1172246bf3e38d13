"""A community that boxes join: broker, keeper, receiver and web side, and the boxes themselves."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from broker_house import House, running
from click.testing import CliRunner
from served import Served, served

from edge.agent.build import address_of, link_options
from edge.messages import Stamp, event
from edge.settings import load_settings as load_edge
from edge.spool import Spool
from edge.uplink import Uplink
from ingest.app import create_app
from ingest.receive.process import run_receiver
from ingest.services.joining import JoiningService
from ingest.settings import IngestSettings, load_settings
from ingest.store.engine import open_reader, reading
from ingest.store.files import path_of
from ingest.store.journal import messages_after
from linli.cli.broker.keep import Owed, look
from linli.cli.edge.command import command as edge
from linli.clock import SystemClock
from linli.events import EventData
from linli.ids import short_id, uuid7
from linli.mqtt import PahoLink
from linli.process import StopSignal

CLOCK = SystemClock()
NEW = "c001-n09"


@contextlib.contextmanager
def community(house: House) -> Iterator[tuple[Served, JoiningService]]:
    """Run broker, keeper, receiver and web side of one community."""
    settings, stop, over = load_settings(house.config), StopSignal(), threading.Event()
    with running(house), served(create_app(settings)) as web:
        assert house.process is not None
        told = ["kill", "-HUP", str(house.process.pid)]

        def keep() -> None:
            owed = Owed()
            while not over.wait(0.2):
                look(settings, told, days=365, owed=owed)

        threads = [
            threading.Thread(target=run_receiver, args=(settings, stop)),
            threading.Thread(target=keep),
        ]
        for one in threads:
            one.start()
        try:
            yield web, web.app.state.services.joining
        finally:
            stop.set()
            over.set()
            for one in threads:
                one.join(60)


def join(folder: Path, web: Served, code: str, *options: str) -> Any:
    words = ["init", "--join", code, "--server", web.url, "--camera", "pattern:square", *options]
    return CliRunner().invoke(edge, [*words, "--config", str(folder / "edge.toml")])


class Box:
    """An edge's spool and uplink as its settings say."""

    def __init__(self, folder: Path) -> None:
        self.settings = load_edge(folder / "edge.toml")
        self.folder = folder

    def deliver(self, count: int) -> None:
        """Send facts and wait until the ingest has them all."""
        address = address_of(self.settings)
        topic = address.topic("cam-1", "event", "zone-dwell")
        with Spool(self.folder / "spool.db", CLOCK) as spool:
            for _ in range(count):
                now = CLOCK.now()
                data = EventData(
                    phase="begin", episode=uuid7(now), severity="medium", label="x", since=now
                )
                spool.put(
                    "events",
                    str(topic),
                    lambda place, data=data, now=now: event(
                        topic, Stamp(now), place, data, event_id=uuid7(now), time=now
                    ),
                )
            options = link_options(self.settings)
            session = short_id()
            link = Uplink(address, options, PahoLink, spool, CLOCK, session=session, agent="1")
            wait(lambda: spool.pending() == 0, lambda: link.turn(0.02))
            link.close()


def wait(there: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end, "it did not happen"
        meanwhile()


def streams(settings: IngestSettings) -> dict[tuple[str, str], list[int]]:
    """Return the sequences that were stored, by node and stream."""
    engine = open_reader(path_of(settings.folder, "journal"))
    found: dict[tuple[str, str], list[int]] = {}
    with reading(engine) as connection:
        for row in messages_after(connection, 0, 1000):
            if row.kind == "event":
                found.setdefault((row.node, row.stream), []).append(row.sequence)
    engine.dispose()
    return found
