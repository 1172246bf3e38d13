"""What the benchmarks of the ingest send, and the communities they send it to."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from wire import SITE, Head, Sent

from ingest.registry import book, sheet
from ingest.registry.records import Device, Edge, Place, Record
from ingest.services.registry import plan_of_file
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from linli.codec import encode
from linli.events import (
    EventData,
    EventMessage,
    Reading,
    TelemetryData,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import uuid7


class Community:
    """Devices behind nodes, and what they send; every message is a new one."""

    def __init__(self, devices: int, nodes: int, *, seed: int = 1) -> None:
        self.homes = [(f"c001-n{number % nodes:04}", f"d{number}") for number in range(devices)]
        self.nodes = sorted({node for node, _ in self.homes})
        self._chance = random.Random(seed)
        self._sequence: dict[tuple[str, str], int] = {}
        self._episodes: dict[int, tuple[str, datetime]] = {}

    def register(self, folder: Path) -> None:
        """Make a data folder in which all of it is confirmed."""
        prepare(folder)
        engine = open_writer(path_of(folder, "state"))
        with writing(engine) as connection:
            made = plan_of_file(connection, self._list().encode(), None, SITE)
            assert not made.preview.faults
            book.write(connection, made, "bench", datetime.now(UTC))
        engine.dispose()

    def _list(self) -> str:
        """Return all of it as a list to bring in at once."""
        found: list[Record] = [Place(id=SITE, kind="site", label="Bench")]
        areas = sorted({area(node) for node in self.nodes})
        found += [Place(id=f"{SITE}/{one}", kind="building", label=one) for one in areas]
        found += [Edge(id=one, label=one, place=f"{SITE}/{area(one)}") for one in self.nodes]
        found += [
            Device(id=f"{node}/{device}", kind="camera", label=device)
            for node, device in self.homes
        ]
        return sheet.write(found, "en")

    def events(self, count: int, at: datetime) -> Iterator[Sent]:
        """Yield events of about 530 bytes: something begins somewhere, or ends again."""
        for number in range(count):
            yield self.event(at + timedelta(milliseconds=number))

    def event(self, at: datetime) -> Sent:
        """Return one more event."""
        index = self._chance.randrange(len(self.homes))
        known = self._episodes.pop(index, None)
        episode, since = known or (uuid7(at), at)
        if known is None:
            self._episodes[index] = (episode, since)
        message = EventMessage(
            **self._head("event", "zone-dwell", index, at),
            data=EventData(
                phase="begin" if known is None else "end",
                episode=episode,
                severity="high",
                label="person",
                since=since,
                confidence=0.9,
                zone="gate",
            ),
        )
        return self._topic("event", "zone-dwell", index), encode(message)

    def reading(self, at: datetime) -> Sent:
        """Return one more batch of three readings."""
        index = self._chance.randrange(len(self.homes))
        readings = tuple(
            Reading(n=name, v=self._chance.gauss(40, 8), u=unit, t=at)
            for name, unit in (("temperature", "Cel"), ("illuminance", "lx"), ("power", "W"))
        )
        head = self._head("telemetry", "sensor", index, at)
        message = TelemetryMessage(**head, data=TelemetryData(readings=readings))
        return self._topic("telemetry", "sensor", index), encode(message)

    def _topic(self, kind: str, name: str, index: int) -> str:
        node, device = self.homes[index]
        return f"linli/v1/{SITE}/{area(node)}/{node}/{device}/{kind}/{name}"

    def _head(self, kind: str, name: str, index: int, at: datetime) -> Head:
        node, device = self.homes[index]
        sequence = self._sequence[node, kind] = self._sequence.get((node, kind), 0) + 1
        return {
            "specversion": "1.0",
            "id": uuid7(at),
            "source": f"/{SITE}/{node}/{device}",
            "type": f"linli.{kind}.{name}",
            "time": at,
            "datacontenttype": "application/json",
            "dataschema": schema_uri(kind),
            "clocksync": "synced",
            "stream": f"{self.nodes.index(node):06x}{'0e' if kind == 'event' else '07'}",
            "sequence": sequence_text(sequence),
            "low": sequence_text(1),
        }


def area(node: str) -> str:
    return f"b{int(node[-4:]) % 20:02}"


def fresh(template: Path, name: str) -> Path:
    """Return a copy of a data folder beside it."""
    folder = template.with_name(name)
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(template, folder))


def until(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.005) -> None:
    """Wait for real processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(pause)


def family_rss(pid: int) -> dict[str, float]:
    """Return the resident megabytes of a process and its children, by what they run."""
    parent = psutil.Process(pid)
    sizes = {"parent": parent.memory_info().rss / 2**20}
    for child in parent.children():
        name = next((one for one in ("receiver", "web") if one in child.cmdline()), "other")
        sizes[name] = sizes.get(name, 0.0) + child.memory_info().rss / 2**20
    return {name: round(size, 1) for name, size in sizes.items()}


def family_pss(pid: int) -> float:
    """Return the megabytes of the same processes with every shared page counted once."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children()]
    return round(sum(one.memory_full_info().pss for one in family) / 2**20, 1)


def load_average() -> str:
    return " ".join(f"{one:.1f}" for one in os.getloadavg())
