"""A receiver on a fake broker and a real journal, with a record of what it did and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
import stores
from facts import DEVICE, EVENT_TOPIC, NODE, NOW, SITE, STREAM

from ingest.receive.batch import Batch
from ingest.receive.check import Standing
from ingest.receive.pace import Pace
from ingest.receive.receiver import Receiver
from ingest.receive.writer import JournalWriter, Outcome
from ingest.store import journal
from ingest.store.engine import reading
from linli.clock import Clock, ManualClock
from linli.codec import decode_part
from linli.errors import StoreError
from linli.events import Receipt, Reject, Status
from linli.mqtt import Delivery, FakeBroker, FakeLink, LinkHandler, LinkOptions

RECEIPT_TOPIC = f"linli/v1/{SITE}/_sys/{NODE}/ingest/receipt/{STREAM}"
INGEST_STATUS = f"linli/v1/{SITE}/_sys/all/ingest/health/status"


class Directory:
    """A registry that changes when a test says so."""

    def __init__(self) -> None:
        self.standings: dict[tuple[str, str], Standing] = {
            (NODE, DEVICE): "known",
            (NODE, "self"): "known",
        }
        self.changed = True

    def standing(self, site: str, area: str, node: str, device: str) -> Standing:
        return self.standings.get((node, device), "unknown")

    def refresh(self) -> Directory | None:
        changed, self.changed = self.changed, False
        return self if changed else None


@dataclass
class Rig:
    """A receiver on a fake broker and a real journal; `told` is what it did, in order."""

    receiver: Receiver
    broker: FakeBroker
    clock: ManualClock
    directory: Directory
    reader: sa.Engine
    told: list[str] = field(default_factory=list)
    store_errors: int = 0
    unstorable: bytes | None = None
    link: FakeLink | None = None
    wakes: int = 0
    beats: list[bool] = field(default_factory=list)

    def send(self, *payloads: bytes, topic: str = EVENT_TOPIC, qos: int = 1) -> None:
        for payload in payloads:
            self.broker.route(topic, payload, retain=False, qos=qos)

    def settle(self) -> None:
        for _ in range(6):
            self.receiver.step(0.0)

    def rows(self) -> list[journal.Kept]:
        """Return what senders made; the receiver's own clock is in `journal`."""
        return [row for row in self.journal() if row.kind != journal.CLOCK]

    def journal(self) -> list[journal.Kept]:
        with reading(self.reader) as connection:
            return journal.messages_after(connection, 0, 10_000)

    def sequences(self) -> list[int | None]:
        return [row.sequence for row in self.rows()]

    def counted(self) -> dict[str, int]:
        with reading(self.reader) as connection:
            found = journal.counters(connection)
        return {name: value for name, value in found.items() if name not in journal.EFFORT}

    def receipt(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        receipt = decode_part(self.broker.retained[RECEIPT_TOPIC], Receipt)
        return receipt.upto, receipt.ranges

    def rejects(self) -> list[Reject]:
        prefix = f"linli/v1/{SITE}/_sys/{NODE}/ingest/reject/"
        return [
            decode_part(payload, Reject)
            for topic, payload, _ in self.broker.published
            if topic.startswith(prefix)
        ]

    def unacknowledged(self) -> int:
        assert self.link is not None
        return len(self.link._unacked)

    def state(self) -> str:
        return decode_part(self.broker.retained[INGEST_STATUS], Status).state


class Writer(JournalWriter):
    rig: Rig

    def commit(self, batch: Batch, *, parked_done: list[int] | None = None) -> Outcome:
        if self.rig.store_errors:
            self.rig.store_errors -= 1
            raise StoreError("database or disk is full")
        if any(one.payload == self.rig.unstorable for one in batch.originals):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        outcome = super().commit(batch, parked_done=parked_done)
        if outcome.stored or outcome.refusals or outcome.streams:
            self.rig.told.append(f"commit {outcome.stored}")
        return outcome


@contextmanager
def running_rig(folder: Path, pace: Pace | None = None, *, newcomer: bool = False) -> Iterator[Rig]:
    """Yield a receiver that has said hello; without a `pace` it receipts everything at once."""
    database = stores.database(folder)
    engine = database.writer("journal", sole=True)
    broker, clock, directory = FakeBroker(), ManualClock(NOW), Directory()
    writer = Writer(engine, parked_bytes=40_000, parked_facts=9, quarantine_bytes=40_000)

    def make_link(options: LinkOptions, handler: LinkHandler, clock: Clock) -> FakeLink:
        link = broker.link(options, handler, clock)
        publish, ack = link.publish, link.ack

        def told_publish(topic: str, payload: bytes, **rest: object) -> int:
            made.told.append("publish " + "/".join(topic.split("/")[-2:]))
            return publish(topic, payload, **rest)  # type: ignore[arg-type]

        def told_ack(delivery: Delivery) -> None:
            made.told.append("ack")
            ack(delivery)

        link.publish, link.ack = told_publish, told_ack  # type: ignore[method-assign]
        links.append(link)
        return link

    def wake() -> None:
        made.wakes += 1

    links: list[FakeLink] = []
    receiver = Receiver(
        site=SITE,
        options=LinkOptions(host="fake", port=1, client_id="svc-ingest"),
        make_link=make_link,
        writer=writer,
        registry=directory,
        clock=clock,
        wake=wake,
        pace=pace or Pace(together=0.0),
        reach=lambda point: made.told.append(point),  # noqa: PLW0108 - `made` comes later
        beat=lambda connected: made.beats.append(connected),  # noqa: PLW0108
        newcomer=newcomer,
    )
    made = Rig(receiver, broker, clock, directory, database.reader("journal"), link=links[0])
    writer.rig = made
    made.settle()
    made.told.clear()
    made.wakes = 0
    yield made
    made.reader.dispose()
    engine.dispose()
