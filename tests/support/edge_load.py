"""An edge without eyes: the real spool and uplink, fed with events at a rate; for fault tests.

Adds `--count` events (begin, end, begin, …) to the spool in `--data`, then runs until the spool is
drained, prints one JSON summary and exits 0; 1 when it was told to stop before that. Started again
on the same folder it goes on with the same spool. `--count 0` only drains.

`DIR/truth.ndjson` gets one line per event *after* the spool's commit: id, stream, sequence,
episode, phase. A kill between the two leaves a stored event that the truth does not name, never
the reverse.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

from edge import messages
from edge.messages import Address, Stamp
from edge.spool import Spool
from edge.uplink import Document, Uplink
from linli.clock import SystemClock
from linli.events import DescribeData, EventData, Phase
from linli.ids import short_id, uuid7
from linli.log import set_up
from linli.mqtt import LinkOptions, PahoLink
from linli.process import StopSignal, follow_parent
from linli.settings import read_secret

CLOCK = SystemClock()


def main() -> int:
    set_up("edge-load")
    follow_parent()
    arguments = parse()
    stop, halt = StopSignal(), threading.Event()
    stop.install()
    address = Address(arguments.site, arguments.area, arguments.node)
    with Spool(arguments.data / "spool.db", CLOCK) as spool:
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
            PahoLink,
            spool,
            CLOCK,
            session=short_id(),
            agent="load",
            documents=births(address, arguments.device),
        )
        thread = threading.Thread(target=uplink.run, args=(halt,), daemon=True)
        thread.start()
        added = produce(arguments, address, spool, stop)
        while spool.pending() and not stop.is_set() and thread.is_alive():
            stop.wait(0.02)
        halt.set()
        thread.join()
        summary = {
            "added": added,
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


def produce(arguments: argparse.Namespace, address: Address, spool: Spool, stop: StopSignal) -> int:
    """Add the events at the rate; return how many were added before the end was asked for."""
    topic = address.topic(arguments.device, "event", "zone-dwell")
    truth = os.open(arguments.data / "truth.ndjson", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    started, episode, since = time.monotonic(), "", CLOCK.now()
    for number in range(arguments.count):
        if stop.wait(max(0.0, started + number / arguments.rate - time.monotonic())):
            return number
        now = CLOCK.now()
        phase: Phase = "end" if number % 2 else "begin"
        if phase == "begin":
            episode, since = uuid7(now), now
        event_id = uuid7(now)
        data = EventData(
            phase=phase,
            episode=episode,
            severity="medium",
            label="person",
            since=messages.milliseconds(since),
            zone="door",
            confidence=0.9,
            dwell=(now - since).total_seconds(),
        )
        row = spool.put(
            "events",
            str(topic),
            lambda place, data=data, now=now, event_id=event_id: messages.event(
                topic, Stamp(now), place, data, event_id=event_id, time=now
            ),
        )
        line = {
            "id": event_id,
            "stream": row.stream,
            "sequence": row.sequence,
            "episode": episode,
            "phase": phase,
        }
        os.write(truth, json.dumps(line).encode() + b"\n")
    os.close(truth)
    return arguments.count


if __name__ == "__main__":
    sys.exit(main())
