"""The only writer of `journal.db`: one batch, one transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc

from ingest.receive.batch import Batch, Original, Refusal, Stream, StreamKey
from ingest.receive.places import BEHIND, catch_up
from ingest.receive.repeats import judge, key_of, refused_before
from ingest.receive.room import Room
from ingest.receive.shelf import Shelf
from ingest.receive.streams import Positions
from ingest.store import journal
from ingest.store.engine import insert, on_lost, reading, writing
from ingest.store.prepared import Prepared
from linli.events import MAX_COUNT

QUARANTINE_BYTES = 100 * 1024 * 1024
PARKED_BYTES = 100 * 1024 * 1024
PARKED_FACTS = 1000
TELL_EVERY = 1.0
_CACHED = 4096


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a committed batch means to the senders: streams to answer, messages to refuse."""

    stored: int
    streams: tuple[Stream, ...]
    refusals: tuple[Refusal, ...]


class JournalWriter:
    """Commits batches and remembers what the next one needs: stream positions, last documents."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        quarantine_bytes: int = QUARANTINE_BYTES,
        parked_bytes: int = PARKED_BYTES,
        parked_facts: int = PARKED_FACTS,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`parked_bytes` bound what waits of all unknown devices, `parked_facts` that of each.

        `now` is in seconds since whenever.
        """
        self._engine = engine
        self._quarantine = Shelf(journal.quarantine, quarantine_bytes)
        self._parked_bytes = parked_bytes
        self._parked_facts = parked_facts
        self._streams: dict[StreamKey, Stream] = {}
        self._documents: dict[str, str] = {}
        self._now = now
        self._effort: Counter[str] = Counter()
        self._told_at = now()
        self._unplaced = BEHIND
        on_lost(engine, self._forget)

    @property
    def engine(self) -> sa.Engine:
        """The journal's writer engine."""
        return self._engine

    def batch(self, received: int) -> Batch:
        """Return an empty batch that knows this journal; `received` in microseconds."""
        return Batch(received, self._load_stream, self._load_document, self._load_room)

    def commit(self, batch: Batch, *, parked_done: list[int] | None = None) -> Outcome:
        """Write all of a batch or nothing; `parked_done` are parked rows that it replaces.

        Raises StoreError: nothing was kept, make the batch again.
        """
        started = self._now()
        telling = started >= self._told_at + TELL_EVERY
        if telling:
            batch.counts.update(self._effort)
        try:
            outcome = self._write(batch, parked_done or [], one_by_one=False)
        except exc.IntegrityError:
            # An id that is kept already: rare, so only then is each row asked for by itself.
            outcome = self._write(batch, parked_done or [], one_by_one=True)
        self._remember(batch)
        behind = self._unplaced + len(batch.rows)
        self._unplaced = 0 if behind >= BEHIND else behind
        if telling:
            self._effort.clear()
            self._told_at = started
        if batch.originals:
            self._effort["commits"] += 1
            self._effort["bytes"] += sum(len(one.payload) for one in batch.originals)
            self._effort["commit_micros"] += int((self._now() - started) * 1_000_000)
        return outcome

    def tell(self) -> None:
        """Write down what the last commits took; each does it only now and then. StoreError."""
        if self._effort:
            with writing(self._engine) as connection:
                add_counts(connection, self._effort)
            self._effort.clear()

    def tick(self, site: str, received: int) -> None:
        """Write down that we were listening, in microseconds. Raises StoreError."""
        empty = dict.fromkeys(("area", "node", "device", "source"), "")
        values = {"site": site, "kind": journal.CLOCK, "name": "tick", "received": received}
        with writing(self._engine) as connection:
            connection.execute(
                journal.message.insert(),
                {**empty, **values, "time": received, "flags": 0, "payload": b""},
            )
            add_counts(connection, self._effort)
        self._effort.clear()

    def count_up(self, name: str) -> int:
        """Add one to a counter; return what it is now. Raises StoreError."""
        with writing(self._engine) as connection:
            add_counts(connection, Counter({name: 1}))
            return journal.counters(connection)[name]

    def _write(self, batch: Batch, parked_done: list[int], *, one_by_one: bool) -> Outcome:
        with writing(self._engine) as connection:
            known: list[Original] = []
            if one_by_one:
                known = self._insert_one_by_one(connection, batch)
            elif batch.rows:
                _INSERT_MESSAGES.put(connection, batch.rows)
            if self._unplaced + len(batch.rows) >= BEHIND:
                catch_up(connection)
            judge(connection, batch, batch.suspects + known)
            self._write_refusals(connection, batch)
            _write_parked(connection, batch)
            if parked_done:
                table = journal.parked
                connection.execute(table.delete().where(table.c.id.in_(parked_done)))
            _write_streams(connection, batch)
            _write_documents(connection, batch)
            add_counts(connection, batch.counts)
        return Outcome(
            len(batch.rows) - len(known), tuple(batch.streams.values()), tuple(batch.refusals)
        )

    def _insert_one_by_one(self, connection: sa.Connection, batch: Batch) -> list[Original]:
        """Insert what can be; return what is kept already."""
        statement = insert(journal.message).on_conflict_do_nothing().returning(journal.message.c.id)
        known: list[Original] = []
        for row, original in zip(batch.rows, batch.originals, strict=True):
            values = dict(zip(_COLUMNS, row, strict=True))
            if connection.scalar(statement, values) is None:
                known.append(original)
        return known

    def _write_refusals(self, connection: sa.Connection, batch: Batch) -> None:
        """Write down what was never refused before; what was is told its sender again, no more."""
        refusals = {key_of(one.node, one.sha256, one.place): one for one in batch.refusals}
        for before in refused_before(connection, (one.sha256 for one in batch.refusals)):
            refusals.pop(before, None)
        batch.counts["duplicates"] += len(batch.refusals) - len(refusals)
        if not refusals:
            return
        connection.execute(
            journal.reject.insert(),
            [
                {
                    "received": batch.received,
                    "topic": one.address[:512],
                    "node": one.node,
                    "code": one.code,
                    "path": one.path,
                    "what": one.what,
                    "sha256": one.sha256,
                    "event_id": one.event_id,
                    "stream": one.place.stream if one.place else None,
                    "sequence": one.place.sequence if one.place else None,
                }
                for one in refusals.values()
            ],
        )
        batch.counts.update(Counter(f"rejected.{one.code}" for one in refusals.values()))
        quarantined: list[dict[str, object]] = [
            {
                "sha256": one.sha256,
                "received": batch.received,
                "size": len(one.payload),
                "payload": one.payload,
            }
            for one in refusals.values()
        ]
        batch.counts["quarantine_dropped"] += self._quarantine.put(connection, quarantined)

    def _forget(self) -> None:
        """Read positions and documents again: the batch in hand may be kept, or another's be."""
        self._streams.clear()
        self._documents.clear()

    def _remember(self, batch: Batch) -> None:
        if len(self._streams) > _CACHED:
            self._streams.clear()
        if len(self._documents) > _CACHED:
            self._documents.clear()
        self._streams.update(batch.streams)
        self._documents.update(batch.documents)

    def _load_stream(self, node: str, stream_id: str) -> Stream:
        known = self._streams.get((node, stream_id))
        if known is not None:
            return known
        table = journal.stream
        wanted = sa.select(table).where(table.c.node == node, table.c.stream == stream_id)
        with reading(self._engine) as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return Stream(node, stream_id)
        ranges = msgspec.json.decode(row.ranges, type=list[tuple[int, int]])
        positions = Positions(row.upto, ranges)
        return Stream(node, stream_id, positions, row.low, row.evicted, row.duplicates)

    def _load_document(self, address: str) -> str | None:
        known = self._documents.get(address)
        if known is not None:
            return known
        table = journal.latest
        with reading(self._engine) as connection:
            found: str | None = connection.execute(
                sa.select(table.c.sha256).where(table.c.topic == address)
            ).scalar()
        return found

    def _load_room(self) -> Room:
        table = journal.parked.c
        waiting = sa.select(
            table.node, table.device, sa.func.count(table.sequence), sa.func.sum(table.size)
        ).group_by(table.node, table.device)
        with reading(self._engine) as connection:
            rows = connection.execute(waiting).all()
        facts = Counter({(node, device): number for node, device, number, _ in rows})
        taken = int(sum(row[3] for row in rows))
        return Room(self._parked_bytes - taken, self._parked_facts, facts)


def _write_parked(connection: sa.Connection, batch: Batch) -> None:
    """Park facts beside each other; of a document the newest is enough."""
    table = journal.parked
    documents = list(batch.parked_documents.values())
    if documents:
        columns = (table.c.node, table.c.device, table.c.topic)
        older = table.delete().where(*(column == sa.bindparam(column.name) for column in columns))
        keys = [{column.name: row[column.name] for column in columns} for row in documents]
        connection.execute(older, keys)
    rows = [*batch.parked, *documents]
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def add_counts(connection: sa.Connection, counts: Counter[str]) -> None:
    """Add to the journal's counters; they stop at `MAX_COUNT`."""
    rows = [
        {"name": name, "value": min(value, MAX_COUNT)} for name, value in counts.items() if value
    ]
    if not rows:
        return
    _ADD_COUNTS.run(connection, *rows)


def _write_streams(connection: sa.Connection, batch: Batch) -> None:
    rows = [
        (
            stream.node,
            stream.id,
            stream.positions.upto,
            msgspec.json.encode(stream.positions.ranges).decode(),
            stream.low,
            stream.evicted,
            stream.duplicates,
            batch.received,
        )
        for stream in batch.streams.values()
    ]
    if rows:
        _PUT_STREAMS.put(connection, rows)


def _write_documents(connection: sa.Connection, batch: Batch) -> None:
    rows = [{"topic": topic, "sha256": digest} for topic, digest in batch.documents.items()]
    _PUT_DOCUMENTS.run(connection, *rows)


def _counting_up() -> Prepared:
    table, new = journal.counter, insert(journal.counter)
    total = table.c.value + new.excluded.value
    most = sa.case((total < MAX_COUNT, total), else_=MAX_COUNT)
    statement = new.on_conflict_do_update(index_elements=[table.c.name], set_={"value": most})
    return Prepared(statement, ("name", "value"))


def _putting(table: sa.Table) -> Prepared:
    """Return what makes a row, or sets all of it that is not its key."""
    new = insert(table)
    rest = {one.name: new.excluded[one.name] for one in table.c if not one.primary_key}
    statement = new.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
    return Prepared(statement, [one.name for one in table.c])


_COLUMNS = [one.name for one in journal.message.c if not one.primary_key]
_INSERT_MESSAGES = Prepared(journal.message.insert(), _COLUMNS)
_ADD_COUNTS = _counting_up()
_PUT_STREAMS = _putting(journal.stream)
_PUT_DOCUMENTS = _putting(journal.latest)
