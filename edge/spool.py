"""The edge's store of facts: on disk before anyone hears of them, kept until the ingest has them.

Two lanes, each its own stream with a contiguous sequence from 1. A row leaves only because a
receipt covers it, a reject names it (then it lies in `dead` for a week), or the caps evict it:
telemetry before events, oldest first, counted. A message's bytes are made once. On a full disk
telemetry makes room for events, and a reserve beside the file lets confirmed rows go. Age is time
that the spool was open: no clock that jumps, and none at all, drops a row.

An episode that has begun is remembered in the commit of its begin and forgotten in that of its end.

The file is locked by the process that uses it. A file that is found damaged is moved aside by the
next start and new streams begin, so sequences are never used twice.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from edge.messages import Place
from edge.reserve import Reserve
from edge.spool_age import Running, count_aged
from edge.spool_file import open_file, suspect
from edge.spool_lanes import DAY, LANES, Lane, LaneState, SpoolLimits, load_lanes, oldest
from linli.clock import Clock
from linli.errors import PayloadError, StoreError
from linli.events import MAX_PAYLOAD, LaneReport, Receipt, Reject
from linli.log import get_logger

__all__ = ["DAY", "LANES", "Lane", "Row", "Spool", "SpoolLimits"]

log = get_logger(__name__)

EVICTION_ORDER: tuple[Lane, ...] = ("telemetry", "events")
DEAD_FOR = 7 * DAY
LOOK_EVERY = 60.0
MAX_DEAD = 10_000
_HIGHEST = 2**63 - 1
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BATCH = 128  # rows that go in one commit, so that it fits into what the log has

T = TypeVar("T")
_MakeRoom = Callable[[sqlite3.Connection], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One message that waits for its receipt."""

    lane: Lane
    stream: str
    sequence: int
    topic: str
    payload: bytes


class Spool:
    """The store; a context manager, safe for threads. Every method may raise StoreError."""

    def __init__(self, path: Path, clock: Clock, limits: SpoolLimits | None = None) -> None:
        self.damaged = 0  # files that lie aside; what waited in them is lost until read by hand
        self._broken = ""
        self._path = path
        self._clock = clock
        self._limits = limits or SpoolLimits()
        self._reserve = Reserve(path.with_name(f"{path.stem}.reserve"))
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._lanes: dict[Lane, LaneState] = {}
        self._running = Running(clock)
        self._look_at = 0.0

    def __enter__(self) -> Self:
        """Open or make the file. Raises InputError when it cannot be used."""
        opened = open_file(self._path, LANES, self._clock.now())
        self.damaged = opened.damaged
        self._database = opened.database
        try:
            with self._lock, self._reading() as database:
                self._lanes = load_lanes(database)
                self._running.begin(database)
                self._reserve.settle(database)
            self._commit(self._purge, self._reserve.spare)
        except StoreError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file and let go of its lock."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def put(
        self,
        lane: Lane,
        topic: str,
        make: Callable[[Place], bytes],
        *,
        opens: str | None = None,
        closes: str | None = None,
    ) -> Row:
        """Number a message, write it with `make`, and return once it is safe on disk.

        `opens` and `closes` name the episode that begins or ends with it. Raises PayloadError when
        it is larger than the contract allows; then no number is used.
        """

        def insert(database: sqlite3.Connection) -> Row:
            row = self._insert(database, lane, topic, make)
            if opens is not None:
                database.execute(
                    "INSERT OR REPLACE INTO open_episode VALUES (?, ?, ?)",
                    (opens, topic, row.payload),
                )
            if closes is not None:
                database.execute("DELETE FROM open_episode WHERE episode = ?", (closes,))
            return row

        return self._commit(insert, self._sacrifice if lane == "events" else None)

    def put_all(self, lane: Lane, messages: Sequence[tuple[str, Callable[[Place], bytes]]]) -> None:
        """Put several, as (topic, make), in one commit: all of them or none. As `put` otherwise."""

        def insert(database: sqlite3.Connection) -> None:
            for topic, make in messages:
                self._insert(database, lane, topic, make)

        self._commit(insert, self._sacrifice if lane == "events" else None)

    def check(self) -> None:
        """Raise StoreError when the file was found damaged at work: only a start can mend it."""
        if self._broken:
            raise StoreError(
                f"spool is damaged ({self._broken})",
                where=str(self._path),
                hint="The next start mends it or moves it aside",
            )

    def open_episodes(self) -> list[tuple[str, bytes]]:
        """Return topic and payload of each begin whose end was never put, the oldest first."""
        query = "SELECT topic, payload FROM open_episode ORDER BY rowid"
        with self._lock, self._reading() as database:
            return database.execute(query).fetchall()

    def confirm(self, receipt: Receipt) -> int:
        """Drop what a receipt covers; return how many rows that were. Unknown streams drop none."""

        def drop(database: sqlite3.Connection) -> int:
            dropped = 0
            if lane := self._lane_of(receipt.stream):
                for span in ((1, receipt.upto), *receipt.ranges):
                    dropped += self._drop_span(database, (lane, *span), _BATCH - dropped)
            return dropped

        total = 0
        while rows := self._commit(drop, self._reserve.spare):
            total += rows
            if rows < _BATCH:
                break
        return total

    def reject(self, reject: Reject) -> Row | None:
        """Move the row that a reject names to `dead`; return it, None when it is not held."""

        def bury(database: sqlite3.Connection) -> Row | None:
            row = self._named(database, reject)
            if row is None:
                return None
            now = self._running.now()
            database.execute(
                "INSERT INTO dead VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row.lane, row.sequence, row.topic, now, reject.code, reject.path, row.payload),
            )
            self._drop(database, row.lane, row.sequence, len(row.payload))
            self._lanes[row.lane].dead += 1
            self._save(database, row.lane)
            self._purge(database)
            return row

        return self._commit(bury, self._reserve.spare)

    def page(self, lane: Lane, after: int, limit: int, upto: int = _HIGHEST) -> list[Row]:
        """Return up to `limit` rows held with a sequence above `after`, in order, to `upto`."""
        with self._lock, self._reading() as database:
            found = database.execute(
                "SELECT sequence, topic, payload FROM row WHERE lane = ? AND sequence > ?"
                " AND sequence <= ? ORDER BY sequence LIMIT ?",
                (lane, after, upto, limit),
            ).fetchall()
            stream = self._lanes[lane].stream
        return [Row(lane, stream, *one) for one in found]

    def get(self, lane: Lane, sequence: int) -> Row | None:
        """Return one row, None when it is no longer held."""
        rows = self.page(lane, sequence - 1, 1)
        return rows[0] if rows and rows[0].sequence == sequence else None

    def last(self, lane: Lane) -> int:
        """Return the last sequence given, 0 before the first; costs no look at the disk."""
        with self._lock:  # one that is being written may yet fail, and the next row get its number
            return self._lanes[lane].next - 1

    def stream(self, lane: Lane) -> str:
        """Return the id of a lane's stream."""
        return self._lanes[lane].stream

    def pending(self) -> int:
        """Return how many rows wait for a receipt, both lanes together."""
        return sum(state.rows for state in self._lanes.values())

    def reports(self) -> tuple[LaneReport, ...]:
        """Return both lanes as the health report shows them; losses count since the file began."""
        with self._lock, self._reading() as database:
            return tuple(
                LaneReport(
                    lane=lane,
                    pending=state.rows,
                    evicted=state.evicted,
                    dead=state.dead,
                    oldest=oldest(database, lane),
                )
                for lane, state in self._lanes.items()
            )

    def _insert(
        self, database: sqlite3.Connection, lane: Lane, topic: str, make: Callable[[Place], bytes]
    ) -> Row:
        state = self._lanes[lane]
        sequence = state.next
        query = "SELECT min(sequence) FROM row WHERE lane = ?"
        low = database.execute(query, (lane,)).fetchone()[0]
        payload = make(Place(state.stream, sequence, low or sequence))
        if len(payload) > MAX_PAYLOAD:
            raise PayloadError("size", f"{len(payload)} bytes, at most {MAX_PAYLOAD} allowed")
        stored, digest = self._clock.now().timestamp(), hashlib.sha256(payload).hexdigest()
        database.execute(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)",
            (lane, sequence, topic, stored, digest, payload, self._running.now()),
        )
        state.next += 1
        state.rows += 1
        state.bytes += len(payload)
        self._evict(database, lane)
        self._save(database, lane)
        return Row(lane, state.stream, sequence, topic, payload)

    def _named(self, database: sqlite3.Connection, reject: Reject) -> Row | None:
        query = "SELECT lane, sequence, topic, payload FROM row WHERE "
        if reject.stream is not None and reject.sequence is not None:
            lane = self._lane_of(reject.stream)
            if lane is None or not reject.sequence.isdecimal():
                return None
            found = database.execute(
                query + "lane = ? AND sequence = ?", (lane, int(reject.sequence))
            ).fetchone()
        else:
            found = database.execute(query + "sha256 = ?", (reject.sha256,)).fetchone()
        if found is None:
            return None
        lane, sequence, topic, payload = found
        return Row(lane, self._lanes[lane].stream, sequence, topic, payload)

    def _lane_of(self, stream: str) -> Lane | None:
        found = (lane for lane, state in self._lanes.items() if state.stream == stream)
        return next(found, None)

    def _evict(self, database: sqlite3.Connection, written: Lane) -> None:
        while self._lanes[written].rows > self._limits.rows:
            self._evict_oldest(database, written)
        while sum(state.bytes for state in self._lanes.values()) > self._limits.bytes:
            self._evict_oldest(
                database, next(lane for lane in EVICTION_ORDER if self._lanes[lane].rows)
            )
        self._evict_aged(database)

    def _evict_aged(self, database: sqlite3.Connection) -> None:
        now = self._running.now()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        for lane in EVICTION_ORDER:
            if aged := count_aged(database, lane, now - self._limits.ages[lane], _BATCH):
                self._look_at = now
                self._evict_oldest(database, lane, aged)

    def _evict_oldest(self, database: sqlite3.Connection, lane: Lane, rows: int = 1) -> None:
        state = self._lanes[lane]
        if state.evicted == 0:
            log.warning("spool: full or too old, dropping the oldest of lane %s", lane)
        for sequence, size in database.execute(
            "SELECT sequence, length(payload) FROM row WHERE lane = ? ORDER BY sequence LIMIT ?",
            (lane, rows),
        ).fetchall():
            self._drop(database, lane, sequence, size)
            state.evicted += 1
        self._save(database, lane)

    def _drop(self, database: sqlite3.Connection, lane: Lane, sequence: int, size: int) -> None:
        database.execute("DELETE FROM row WHERE lane = ? AND sequence = ?", (lane, sequence))
        self._lanes[lane].rows -= 1
        self._lanes[lane].bytes -= size

    def _drop_span(
        self, database: sqlite3.Connection, span: tuple[Lane, int, int], most: int
    ) -> int:
        lane, first, _ = span
        found = database.execute(
            "SELECT sequence, length(payload) FROM row WHERE lane = ?"
            " AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?",
            (*span, most),
        ).fetchall()
        if found:
            database.execute(
                "DELETE FROM row WHERE lane = ? AND sequence BETWEEN ? AND ?",
                (lane, first, found[-1][0]),
            )
        self._lanes[lane].rows -= len(found)
        self._lanes[lane].bytes -= sum(size for _, size in found)
        return len(found)

    def _save(self, database: sqlite3.Connection, lane: Lane) -> None:
        state = self._lanes[lane]
        database.execute(
            "UPDATE lane SET next = ?, evicted = ?, dead = ? WHERE lane = ?",
            (state.next, state.evicted, state.dead, lane),
        )

    def _purge(self, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM dead WHERE moved < ?", (self._running.now() - DEAD_FOR,))
        database.execute(
            "DELETE FROM dead WHERE rowid <= (SELECT max(rowid) FROM dead) - ?", (MAX_DEAD,)
        )

    def _commit(self, change: Callable[[sqlite3.Connection], T], make_room: _MakeRoom | None) -> T:
        """Make a change in one commit; on a full disk once more whenever `make_room` made some."""
        with self._lock, self._reading() as database:
            while True:
                try:
                    done = self._attempt(database, change)
                except sqlite3.OperationalError as error:
                    if "full" not in str(error) or make_room is None or not make_room(database):
                        raise
                else:
                    self._reserve.settle(database)
                    return done

    def _attempt(
        self, database: sqlite3.Connection, change: Callable[[sqlite3.Connection], T]
    ) -> T:
        """One commit, or nothing: neither on disk nor in what we remember of the lanes."""
        before = {lane: replace(state) for lane, state in self._lanes.items()}
        try:
            database.execute("BEGIN IMMEDIATE")
            done = change(database)
            database.execute("COMMIT")
        except BaseException:
            self._lanes = before
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        return done

    def _sacrifice(self, database: sqlite3.Connection) -> bool:
        """Make room for an event: the oldest telemetry goes."""
        if not self._lanes["telemetry"].rows:
            return False
        self._reserve.spare(database)
        self._attempt(database, partial(self._evict_oldest, lane="telemetry", rows=_BATCH))
        return True

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._database is None:
            raise StoreError("is closed", where=str(self._path))
        try:
            yield self._database
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                self._broken = str(error)
                with suppress(OSError):
                    suspect(self._path).touch()
                self.check()
            raise StoreError(
                f"spool failed ({error})", where=str(self._path), hint="Free some disk space"
            ) from None
