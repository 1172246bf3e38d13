"""What a restored ingest must go through before it runs: nobody is told of old things again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ingest.archive import gone as departed
from ingest.archive.gone import Gone
from ingest.audit import book as audit
from ingest.audit.row import Anchor
from ingest.consumers.conflicts import ConflictJob
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.evidence import book
from ingest.evidence.shelf import FolderStore
from ingest.evidence.sweep import SweepJob, kept_for
from ingest.feed import Feed
from ingest.incidents.book import last_transition
from ingest.incidents.flow import Surroundings
from ingest.notify import climbs, outbox
from ingest.services.wiring import KnownWiring
from ingest.settings import IngestSettings
from ingest.store import access, state
from ingest.store.database import Database
from ingest.store.engine import reading, writing
from ingest.store.files import Files
from linli.clock import Clock

_PREFIX = "evidence-key/"


class Known(NamedTuple):
    """What an ingest knows that an older copy of it must not forget.

    `gone`: what was deleted, and who left; `keys`: rows of private keys that edges sealed for;
    `audit`: the newest row of the log of who did what, None when it cannot be told.
    """

    gone: Gone
    keys: dict[str, bytes]
    audit: Anchor | None = None


NOTHING = Known(Gone(), {})


class Settled(NamedTuple):
    """`quiet`: notifications and climbs that were ended; `gone`: pictures that are not kept.

    `people`: who had left since, and accounts and tokens that had ended.
    """

    quiet: int
    gone: int
    keys: int
    people: int = 0


def known(files: Database) -> Known:
    """Return what must outlive a restore. Raises StoreError when the state cannot be read."""
    engine = files.reader("state")
    try:
        with reading(engine) as connection:
            secret = state.secret.c
            kept = sa.select(secret.name, secret.value).where(secret.name.startswith(_PREFIX))
            keys = {row.name: row.value for row in connection.execute(kept)}
            new = sa.inspect(connection).has_table(access.audit.name)
            newest = audit.head(connection) if new else None
            return Known(departed.of(connection), keys, newest)
    finally:
        engine.dispose()


def settle(settings: IngestSettings, lacking: set[str], before: Known, clock: Clock) -> Settled:
    """Bring restored data to now: `settings` lead to it, and nobody else uses it.

    What the journal has beyond the state is taken in, time passes for incidents, and only then
    everything that waits to be told is ended. Pictures in `lacking` have no bytes. Raises
    StoreError.
    """
    files = Files(settings.folder)
    shelf = FolderStore(settings.folder / "evidence")
    reader, writer = files.reader("state"), files.writer("state")
    try:
        _catch_up(settings, files, (reader, writer), clock)
        now = clock.now()
        with writing(writer) as connection:
            gone = _delete(connection, shelf, dict.fromkeys(lacking, now) | before.gone.pictures)
            added = _add_keys(connection, before.keys)
            connection.execute(state.session.delete())  # who signed out since must not be in
            quiet = outbox.call_off_all(connection, "old", now)
            quiet += climbs.end_all(connection, "restored")
            people = departed.bury(connection, before.gone, now)
            if climbs.position(connection) is not None:
                climbs.move(connection, last_transition(connection))
            kept = _kept(connection)
            had = None if before.audit is None else str(before.audit)
            audit.note(connection, now, "cli", "restored", "", had=had)
        keep, most = kept_for(settings.evidence), settings.evidence.max_bytes
        sweep = SweepJob(reader, writer, shelf, clock, most_bytes=most, keep=keep)
        while sweep.step():
            pass
        with reading(reader) as connection:
            gone += kept - _kept(connection)
    finally:
        reader.dispose()
        writer.dispose()
    return Settled(quiet, gone, added, people)


def _catch_up(
    settings: IngestSettings, files: Database, ends: tuple[sa.Engine, sa.Engine], clock: Clock
) -> None:
    reader, writer = ends
    journal, feed = files.reader("journal"), Feed()
    around = Surroundings(zone=ZoneInfo(settings.site.timezone), wiring=KnownWiring())
    effect = IncidentEffect(feed, RuleWork(journal, around.zone), around)
    incidents = Cursor(journal, writer, state.cursor, effect)
    conflicts = ConflictJob(journal, writer, feed, clock, around=around)
    try:
        while incidents.step():
            pass
        while conflicts.step():
            pass
        TickJob(journal, reader, writer, feed, clock, around=around).step()
    finally:
        journal.dispose()


def _delete(connection: sa.Connection, shelf: FolderStore, gone: dict[str, datetime]) -> int:
    """Delete pictures that are still kept; return how many."""
    number = 0
    for name, at in gone.items():
        row = book.find(connection, name)
        if row is not None and row.deleted is None:
            shelf.remove(name)
            book.deleted(connection, name, at)
            number += 1
    return number


def _add_keys(connection: sa.Connection, keys: dict[str, bytes]) -> int:
    table = state.secret
    there = set(connection.scalars(sa.select(table.c.name)))
    missing = [{"name": name, "value": keys[name]} for name in sorted(keys.keys() - there)]
    if missing:
        connection.execute(table.insert(), missing)
    return len(missing)


def _kept(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).where(state.evidence.c.deleted.is_(None))
    return connection.scalar(query) or 0


def lacking(files: Files, there: set[str]) -> set[str]:
    """Return the pictures that should be there by the state and are not. Raises StoreError."""
    engine = files.reader("state")
    try:
        with reading(engine) as connection:
            query = sa.select(state.evidence.c.id).where(state.evidence.c.deleted.is_(None))
            return set(connection.scalars(query)) - there
    finally:
        engine.dispose()
