"""What rules cost: microseconds per journal row and bytes per device, beside decoding the row.

    python bench/rules.py [--devices 100,1000,10000] [--rounds 5] [--json]

Every device sends its readings once a minute, in random order, nodes report, some events come. The
same rows go through decoding alone, through the built-in rules, and through a document with every
kind of rule, without and with keeping what is remembered in SQLite every 256 rows.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from end_to_end import machine
from wire import Envelope, Numbered

from ingest.rules import keeper
from ingest.rules.engine import Engine
from ingest.rules.loading import builtin, load
from ingest.rules.memory import Memory
from ingest.rules.rows import message_of, row_of
from ingest.rules.rule_set import Known, RuleSet
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from ingest.store.journal import Kept
from linli.codec import encode
from linli.events import (
    EventData,
    EventMessage,
    LaneReport,
    Reading,
    ReportData,
    ReportMessage,
    TelemetryData,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import uuid7

BEGINNING = datetime(2026, 3, 2, 12, tzinfo=UTC)
BATCH = 256
Sent = EventMessage | ReportMessage | TelemetryMessage
PER_NODE = 50
DOCUMENT = """
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
reading = "temperature"
above = 60
clear = 50
[[rule]]
type = "threshold"
id = "full"
label = "Full for long"
reading = "fill-level"
above = 0.9
clear = 0.7
for = "2h"
hits = 3
of = 5
[[rule]]
type = "threshold"
id = "dark"
label = "Dark at night"
reading = "power"
below = 5
for = "10min"
during = [{ from = "18:00", to = "06:00" }]
[[rule]]
type = "change"
id = "jump"
label = "Jump"
reading = "power"
by = 1000
[[rule]]
type = "absence"
id = "silent"
label = "Silent"
for = "10min"
[[rule]]
type = "rate"
id = "often"
label = "Often"
event = ["ebike-in-elevator"]
count = 3
within = "1h"
per = "area"
[[rule]]
type = "event"
id = "door"
label = "Door"
event = ["door-open"]
for = "10min"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5, help="minutes of the estate")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sizes: list[dict[str, float]] = []
    for count in (int(part) for part in arguments.devices.split(",")):
        sizes.append(measure(count, arguments.rounds))
        if not arguments.json:
            print("  ".join(f"{name} {value}" for name, value in sizes[-1].items()))
            sys.stdout.flush()
    if arguments.json:
        print(json.dumps({"machine": machine(), "sizes": sizes}))


def measure(devices: int, rounds: int) -> dict[str, float]:
    rows = list(estate(devices, rounds))
    decode = per_row(rows, lambda kept: message_of(kept, telemetry=True))
    plain = per_row(rows, taker(engine_of("")))
    before = resident()
    engine = engine_of(DOCUMENT)
    full = per_row(rows, taker(engine))
    memory = resident() - before
    kept = kept_per_row(rows, engine_of(DOCUMENT))
    return {
        "devices": devices,
        "rows": len(rows),
        "targets": len(engine.memory.targets),
        "decode_us": round(decode, 2),
        "builtin_us": round(plain, 2),
        "every_kind_us": round(full, 2),
        "every_kind_kept_us": round(kept, 2),
        "every_kind_over_decode": round(full / decode, 2),
        "rss_bytes_per_device": round(memory / devices),
    }


def engine_of(text: str) -> Engine:
    rules = RuleSet(1, load(text), builtin(), ZoneInfo("Asia/Shanghai"))
    engine = Engine(rules, Memory(), known)
    engine.begin()
    return engine


def known(_: str, device: str) -> Known:
    return Known("edge" if device == "self" else "sensor")


def taker(engine: Engine) -> Callable[[Kept], object]:
    telemetry = engine.rules.wants_readings

    def take(kept: Kept) -> object:
        said = message_of(kept, telemetry=telemetry)
        return engine.take(row_of(kept, said, engine.memory.clocks.now, None))

    return take


def per_row(rows: Sequence[Kept], action: Callable[[Kept], object]) -> float:
    started = time.process_time()
    for kept in rows:
        action(kept)
    return (time.process_time() - started) / len(rows) * 1e6


def kept_per_row(rows: Sequence[Kept], engine: Engine) -> float:
    """Return the cost with what has changed written after every batch, commits included."""
    take = taker(engine)
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        state = open_writer(path_of(Path(name), "state"))
        started = time.process_time()
        for first in range(0, len(rows), BATCH):
            for kept in rows[first : first + BATCH]:
                take(kept)
            engine.note()
            with writing(state) as connection:
                keeper.keep(connection, engine.memory)
            engine.memory.changed.clear()
        spent = time.process_time() - started
        state.dispose()
    return spent / len(rows) * 1e6


def resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def estate(devices: int, rounds: int) -> Iterator[Kept]:
    """Yield the rows of some minutes, as the receiver would have committed them."""
    chance = random.Random(1)
    names = [(f"c001-n{index // PER_NODE:04}", f"d{index}") for index in range(devices)]
    nodes = sorted({node for node, _ in names})
    position = 0
    for minute in range(rounds):
        turns = [*names, *((node, "self") for node in nodes)]
        chance.shuffle(turns)
        for turn, (node, device) in enumerate(turns):
            position += 1
            at = BEGINNING + timedelta(minutes=minute, seconds=60 * turn / len(turns))
            yield kept_row(position, at, node, device, chance)


def kept_row(position: int, at: datetime, node: str, device: str, chance: random.Random) -> Kept:
    if device == "self":
        return kept_of(position, at, node, device, report(at, node))
    if chance.random() < 0.01:
        return kept_of(position, at, node, device, event(position, at, node, device, chance))
    return kept_of(position, at, node, device, telemetry(position, at, node, device, chance))


def kept_of(
    position: int,
    at: datetime,
    node: str,
    device: str,
    message: EventMessage | ReportMessage | TelemetryMessage,
) -> Kept:
    micros = round(at.timestamp() * 1e6)
    kind, name = message.type.split(".")[1:]
    area = f"b{int(node[-4:]) % 20:02}"
    return Kept(
        id=position,
        received=micros,
        site="c001",
        area=area,
        node=node,
        device=device,
        kind=kind,
        name=name,
        source=message.source,
        event_id=message.id,
        stream=None,
        sequence=None,
        time=micros,
        flags=0,
        payload=encode(message),
    )


def envelope(kind: str, name: str, at: datetime, node: str, device: str) -> Envelope:
    return {
        "specversion": "1.0",
        "id": uuid7(at),
        "source": f"/c001/{node}/{device}",
        "type": f"linli.{kind}.{name}",
        "time": at,
        "datacontenttype": "application/json",
        "dataschema": schema_uri(kind),
        "clocksync": "synced",
    }


def fact(number: int) -> Numbered:
    return {"stream": "0000000a", "sequence": sequence_text(number), "low": sequence_text(1)}


def telemetry(
    number: int, at: datetime, node: str, device: str, chance: random.Random
) -> TelemetryMessage:
    readings = (
        Reading(n="temperature", v=chance.gauss(40, 8), u="Cel", t=at),
        Reading(n="fill-level", v=chance.random(), u="1", t=at),
        Reading(n="power", v=chance.gauss(30, 20), u="W", t=at),
    )
    common = envelope("telemetry", "sensor", at, node, device)
    return TelemetryMessage(**common, **fact(number), data=TelemetryData(readings=readings))


def event(number: int, at: datetime, node: str, device: str, chance: random.Random) -> EventMessage:
    name = chance.choice(["ebike-in-elevator", "door-open"])
    data = EventData(phase="begin", episode=uuid7(at), severity="high", label="thing", since=at)
    return EventMessage(**envelope("event", name, at, node, device), **fact(number), data=data)


def report(at: datetime, node: str) -> ReportMessage:
    lanes = tuple(
        LaneReport(lane=lane, pending=0, evicted=0, dead=0) for lane in ("events", "telemetry")
    )
    data = ReportData(agent="bench", uptime=1, rss=1, diskfree=8 << 30, lanes=lanes)
    return ReportMessage(**envelope("health", "report", at, node, "self"), data=data)


if __name__ == "__main__":
    main()
