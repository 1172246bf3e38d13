"""An edge without eyes: the real spool and uplink, fed with events at a rate; for fault tests.

Adds `--count` events (begin, end, begin, …) to the spool in `--data`, fewer when a file `enough`
appears there, then runs until the spool is drained, prints one JSON summary and exits 0; 1 when it
was told to stop before that. Started again on the same folder it goes on with the same spool.
`--count 0` only drains.

`DIR/truth.ndjson` gets one line per fact *after* the spool's commit: id, stream, sequence, sha256,
when, and of an event episode and phase. A kill between the two leaves a stored fact that the truth
does not name, never the reverse.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from fault_receipts import jumbled

from edge import messages
from edge.messages import Address, Place, Stamp
from edge.spool import Row, Spool, SpoolLimits
from edge.uplink import Document, Uplink
from linli.clock import SystemClock
from linli.errors import StoreError
from linli.events import DescribeData, EventData, Phase, Reading, TelemetryData
from linli.ids import short_id, uuid7
from linli.log import set_up
from linli.mqtt import LinkOptions, PahoLink
from linli.process import StopSignal, follow_parent
from linli.settings import read_secret

CLOCK = SystemClock()
ZONES = ("door", "hall", "yard")


def main() -> int:
    set_up("edge-load")
    follow_parent()
    arguments = parse()
    stop, halt = StopSignal(), threading.Event()
    stop.install()
    address = Address(arguments.site, arguments.area, arguments.node)
    limits = SpoolLimits(arguments.spool_rows, 2**31) if arguments.spool_rows else None
    with Spool((arguments.spool or arguments.data) / "spool.db", CLOCK, limits) as spool:
        uplink = Uplink(
            address,
            LinkOptions(
                host=arguments.host,
                port=arguments.port,
                client_id=arguments.node,
                username=arguments.node if arguments.password_file else None,
                password=read_secret(arguments.password_file) if arguments.password_file else None,
                protocol=arguments.protocol,
            ),
            jumbled(arguments.jumble) if arguments.jumble is not None else PahoLink,
            spool,
            CLOCK,
            session=short_id(),
            agent="load",
            documents=births(address, arguments.device),
        )
        thread = threading.Thread(target=uplink.run, args=(halt,), daemon=True)
        thread.start()
        producer = Producer(arguments, address, spool)
        added = producer.run(stop)
        (arguments.data / "produced").touch()
        while spool.pending() and not stop.is_set() and thread.is_alive():
            stop.wait(0.02)
        halt.set()
        thread.join()
        summary = {
            "added": added,
            "not_kept": producer.refused,
            "damaged_files": spool.damaged,
            "sent": uplink.counts.sent,
            "resent": uplink.counts.resent,
            "confirmed": uplink.counts.confirmed,
            "rejected": uplink.counts.rejected,
            "spool": {
                report.lane: {
                    "pending": report.pending,
                    "evicted": report.evicted,
                    "dead": report.dead,
                }
                for report in spool.reports()
            },
        }
        sys.stdout.write(json.dumps(summary) + "\n")
        return 1 if spool.pending() else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", default="c001")
    parser.add_argument("--area", default="b03")
    parser.add_argument("--node", default="c001-n01")
    parser.add_argument("--device", default="cam")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    parser.add_argument("--rate", type=float, default=50.0, help="events per second")
    parser.add_argument("--count", type=int, default=100, help="events to add; 0 only drains")
    parser.add_argument("--telemetry", type=int, help="a reading with every so many events")
    parser.add_argument("--seed", type=int, help="several zones and uneven pauses, by this seed")
    parser.add_argument("--jumble", type=int, help="lose, repeat and delay receipts, by this seed")
    parser.add_argument("--spool", type=Path, help="another folder for the spool alone")
    parser.add_argument("--spool-rows", type=int, help="most rows in a lane, in 2 GiB at most")
    return parser.parse_args()


def births(address: Address, device: str) -> list[Document]:
    made = []
    for name, data in (
        ("self", DescribeData(kind="edge", label="负载 Load")),
        (device, DescribeData(kind="camera", label="负载摄像头 Load camera")),
    ):
        topic = address.topic(name, "meta", "describe")
        made.append((topic, messages.describe(topic, Stamp(CLOCK.now()), data)))
    return made


class Producer:
    """Makes facts of a few zones, puts them into the spool and writes down which are safe there."""

    def __init__(self, arguments: argparse.Namespace, address: Address, spool: Spool) -> None:
        self.refused = 0
        self._arguments = arguments
        self._spool = spool
        self._event = address.topic(arguments.device, "event", "zone-dwell")
        self._telemetry = address.topic(arguments.device, "telemetry", "load")
        self._dice = random.Random(arguments.seed)
        self._zones = ZONES if arguments.seed is not None else ZONES[:1]
        self._begun: dict[str, tuple[str, datetime]] = {}
        self._truth = os.open(
            arguments.data / "truth.ndjson", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600
        )

    def run(self, stop: StopSignal) -> int:
        """Add the facts at the rate; return how many events were added before the end."""
        arguments, due = self._arguments, time.monotonic()
        for number in range(arguments.count):
            if stop.wait(max(0.0, due - time.monotonic())) or self._enough():
                return number
            due += 1 / arguments.rate
            if arguments.seed is not None:
                due += self._dice.uniform(-0.5, 0.5) / arguments.rate
            try:
                self._put_event()
                if arguments.telemetry and number % arguments.telemetry == 0:
                    self._put_telemetry(number)
            except StoreError:
                self.refused += 1
        return int(arguments.count)

    def _enough(self) -> bool:
        return (self._arguments.data / "enough").exists()

    def _put_event(self) -> None:
        now, zone = CLOCK.now(), self._dice.choice(self._zones)
        phase: Phase = "end" if zone in self._begun else "begin"
        episode, since = self._begun.get(zone, (uuid7(now), now))
        event_id = uuid7(now)
        data = EventData(
            phase=phase,
            episode=episode,
            severity="medium",
            label="person",
            since=messages.milliseconds(since),
            zone=zone,
            confidence=0.9,
            dwell=(now - since).total_seconds(),
        )

        def make(place: Place) -> bytes:
            return messages.event(self._event, Stamp(now), place, data, event_id=event_id, time=now)

        row = self._spool.put("events", str(self._event), make)
        if phase == "begin":
            self._begun[zone] = (episode, since)
        else:
            del self._begun[zone]
        self._note(row, {"id": event_id, "episode": episode, "phase": phase}, now)

    def _put_telemetry(self, number: int) -> None:
        now = CLOCK.now()
        reading = Reading(n="load", v=float(number), u="1", t=messages.milliseconds(now))
        data = TelemetryData(readings=(reading,))
        row = self._spool.put(
            "telemetry",
            str(self._telemetry),
            lambda place: messages.telemetry(self._telemetry, Stamp(now), data, place),
        )
        self._note(row, {"id": json.loads(row.payload)["id"]}, now)

    def _note(self, row: Row, more: dict[str, str], at: datetime) -> None:
        line = {
            **more,
            "stream": row.stream,
            "sequence": row.sequence,
            "sha256": hashlib.sha256(row.payload).hexdigest(),
            "at": at.timestamp(),
        }
        os.write(self._truth, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
