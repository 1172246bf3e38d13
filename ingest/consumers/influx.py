"""Journal and incidents → InfluxDB: nothing is lost, nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from ingest.consumers.own import of_chain
from ingest.incidents import book as incidents
from ingest.incidents.incident import Transition
from ingest.influx import book, gauges
from ingest.influx.book import Positions, State
from ingest.influx.deliver import Refusal, deliver
from ingest.influx.endpoint import Endpoint, Unavailable
from ingest.influx.lines import LineEncoder, Point, TooManySeries
from ingest.influx.points import KINDS, points_of
from ingest.influx.schema import NOTHING
from ingest.influx.transitions import Course, points_of_incident
from ingest.registry.book import revision
from ingest.services.views import ChainView
from ingest.store.engine import reading, writing
from ingest.store.journal import Kept, last_position, messages_after
from linli.clock import Clock
from linli.codec import decode
from linli.errors import InputError, PayloadError
from linli.events import Status
from linli.log import get_logger
from linli.topics import Topic

log = get_logger(__name__)

MOST_LINES = 1000
ROWS = 500
TRANSITIONS = 200
OVERLAP = 64
"""Transitions that are looked at again: with several writers a lower one may be kept later."""
COURSES = 256
"""Incidents of which is remembered how far they were read; others are read from their beginning."""
GAUGE_SECONDS = 15.0
LABEL_EVERY = timedelta(hours=1)
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0


class Sources(NamedTuple):
    """Where it reads, and the one engine that it writes."""

    journal: sa.Engine
    state: sa.Engine
    series: sa.Engine
    writer: sa.Engine


class _Piece:
    """What is sent in one go, and what is committed when it is stored."""

    def __init__(self, old: Positions, sessions: dict[str, str]) -> None:
        self.old = old
        self.journal = old.journal
        self.transition = old.transition
        self.lines: list[str] = []
        self.refusals: list[Refusal] = []
        self.again: list[int] = []
        self.seen: set[int] = set()
        self.poisoned = 0
        self.gauged = False
        self.named: tuple[int, int] | None = None
        self.sessions = sessions
        self.more = False

    @property
    def full(self) -> bool:
        return len(self.lines) >= MOST_LINES

    @property
    def new(self) -> Positions:
        return Positions(self.journal, self.transition)


class InfluxJob:
    """Sends what is new behind its own positions, and moves them only when it is stored.

    Nothing waits in memory: what could not be sent is read again. The positions, and the points
    that were refused for good, are committed together.
    """

    def __init__(
        self,
        sources: Sources,
        endpoint: Callable[[], Endpoint],
        site: str,
        clock: Clock,
        chain: Callable[[], ChainView] | None = None,
    ) -> None:
        """`endpoint` is called by the thread that steps, once; `chain` tells of the probes."""
        self._chain = chain
        self._sources = sources
        self._open = endpoint
        self._site = site
        self._clock = clock
        self._endpoint: Endpoint | None = None
        self._encoder = LineEncoder()
        self._recent: set[int] = set()
        self._sessions: dict[str, str] = {}
        self._courses: dict[str, Course] = {}
        self._not_before = 0.0
        self._waits = 0
        self._said: State | None = None
        self._words = ""
        self._gauged = -GAUGE_SECONDS
        self._labelled: tuple[int, int] | None = None

    def step(self) -> bool:
        """Send one piece; tell whether there may be more. Raises StoreError of our own stores."""
        if self._clock.monotonic() < self._not_before:
            return False
        piece = self._gather()
        try:
            refused = self._send(piece.lines)
        except Unavailable as error:
            self._wait(error)
            return False
        self._commit(piece, refused)
        return piece.more

    def close(self) -> None:
        """Let go of connections, after the last step; nothing is waiting to be sent."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None

    def _gather(self) -> _Piece:
        with reading(self._sources.state) as connection:
            piece = _Piece(book.positions(connection), dict(self._sessions))
            for one in book.wanted_again(connection, MOST_LINES // 2):
                piece.lines.append(one.line)
                piece.again.append(one.id)
            self._take_transitions(connection, piece)
        with reading(self._sources.journal) as connection:
            rows = messages_after(connection, piece.old.journal, ROWS)
        self._take_rows(rows, piece)
        self._take_gauges(piece)
        return piece

    def _take_rows(self, rows: list[Kept], piece: _Piece) -> None:
        for kept in rows:
            if piece.full:
                break
            piece.journal = kept.id
            if kept.kind not in KINDS:
                continue
            topic = Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)
            try:
                message = decode(topic, kept.payload).message
                if not (isinstance(message, Status) and _is_old(message, kept.node, piece)):
                    self._encode(points_of(kept, message), piece)
            except (PayloadError, ValueError, OverflowError) as error:
                piece.poisoned += 1
                log.warning("influx: journal row %d is skipped: %s", kept.id, type(error).__name__)
        piece.more |= piece.full or len(rows) == ROWS

    def _take_transitions(self, connection: sa.Connection, piece: _Piece) -> None:
        after = max(0, piece.old.transition - OVERLAP)
        found = incidents.transitions_after(connection, after, TRANSITIONS)
        fresh = [row for row in found if row.id not in self._recent]
        if not fresh:
            return
        wanted: dict[str, set[int]] = {}
        for row in fresh:
            wanted.setdefault(row.incident, set()).add(row.id)
        for name, ids in wanted.items():
            self._take_incident(connection, name, ids, piece)
        piece.transition = max(piece.old.transition, found[-1].id)
        piece.seen = {row.id for row in found}
        piece.more |= len(found) == TRANSITIONS

    def _take_incident(
        self, connection: sa.Connection, name: str, ids: set[int], piece: _Piece
    ) -> None:
        """Go on from where this incident was last left: one that lasts for months has many rows."""
        course = self._courses.pop(name, None)
        if course is None or course.upto >= min(ids):
            course = Course()
        rows = _rows_of(connection, name, course.upto, max(ids))
        try:
            self._encode(points_of_incident(rows, ids, course), piece)
        except ValueError as error:
            piece.poisoned += 1
            log.warning("influx: incident %s is skipped: %s", name, error)
            return
        self._courses[name] = course
        if len(self._courses) > COURSES:
            del self._courses[next(iter(self._courses))]

    def _take_gauges(self, piece: _Piece) -> None:
        if self._clock.monotonic() - self._gauged < GAUGE_SECONDS:
            return
        now, sources = self._clock.now(), self._sources
        with reading(sources.journal) as connection:
            position = last_position(connection)
            self._encode(gauges.of_journal(connection, self._site, now), piece)
        with reading(sources.series) as connection:
            self._encode(gauges.of_series(connection, self._site, position, now), piece)
        with reading(sources.state) as connection:
            points = gauges.of_state(connection, self._site, position, piece.journal, now)
            self._encode(points, piece)
            hour = int(now.timestamp() // LABEL_EVERY.total_seconds())
            piece.named = (hour, revision(connection))
            if piece.named != self._labelled:
                self._encode(gauges.labels(connection, now), piece)
        if self._chain is not None:
            self._encode(of_chain(self._chain(), self._site, now), piece)
        piece.gauged = True

    def _encode(self, points: Iterable[Point], piece: _Piece) -> None:
        for point in points:
            try:
                piece.lines.append(self._encoder.line(point))
            except TooManySeries as error:
                piece.refusals.append(Refusal(error.line, 0, str(error)))

    def _send(self, lines: list[str]) -> list[Refusal]:
        if not lines:
            return []
        if self._endpoint is None:
            try:
                self._endpoint = self._open()
            except InputError as error:
                raise Unavailable(str(error), person=True) from None
        canary = gauges.metric(self._site, "canary", NOTHING, 0, self._clock.now())
        return deliver(self._endpoint, lines, LineEncoder().line(canary))

    def _commit(self, piece: _Piece, refused: list[Refusal]) -> None:
        refusals = [*piece.refusals, *refused]
        moved = piece.new != piece.old or piece.poisoned or piece.again or refusals
        if moved or (piece.lines and self._said != "ok"):
            now = self._clock.now()
            with writing(self._sources.writer) as connection:
                book.start(connection, now)
                if not book.move(connection, piece.old, piece.new, piece.poisoned):
                    piece.more = True
                    self._recent.clear()
                    return
                book.unpark(connection, piece.again)
                book.park(connection, refusals, now)
                if piece.lines:
                    book.note(connection, "ok", "", now)
        self._stored(piece)
        if refusals:
            log.warning("influx: %d points refused: %s", len(refusals), refusals[0].words)

    def _stored(self, piece: _Piece) -> None:
        self._sessions = piece.sessions
        if piece.seen:
            self._recent = piece.seen
        if piece.gauged:
            self._gauged, self._labelled = self._clock.monotonic(), piece.named
        if not piece.lines:
            return
        if self._said not in {None, "ok"}:
            log.warning("influx: works again")
        self._said, self._words = "ok", ""
        self._waits, self._not_before = 0, 0.0

    def _wait(self, error: Unavailable) -> None:
        """Keep everything, say why when it is new, and try again later: for ever."""
        said: State = "refused" if error.person else "waiting"
        wait = min(FIRST_WAIT * 2 ** min(self._waits, 10), LONGEST_WAIT)
        if error.person:
            wait = LONGEST_WAIT
        self._waits += 1
        self._not_before = self._clock.monotonic() + (
            error.after if error.after is not None else wait
        )
        if (said, error.what) == (self._said, self._words):
            return
        self._said, self._words = said, error.what
        now = self._clock.now()
        with writing(self._sources.writer) as connection:
            book.start(connection, now)
            book.note(connection, said, error.what, now)
        log.warning("influx: %s; everything is kept", error)


def _rows_of(connection: sa.Connection, name: str, after: int, last: int) -> Iterator[Transition]:
    """Yield the rows of one incident behind `after`, up to `last`."""
    while after < last:
        rows = incidents.transitions_of(connection, name, after, ROWS)
        yield from (row for row in rows if row.id <= last)
        after = rows[-1].id if rows else last


def _is_old(status: Status, node: str, piece: _Piece) -> bool:
    """Tell whether it is the last will of a connection that a newer one has replaced."""
    known = piece.sessions.get(node)
    if status.state in {"lost", "stopped"}:
        return known is not None and known != status.session
    piece.sessions[node] = status.session
    return False
