"""Backups: is there one, is it young enough, did it reach every place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.archive import left, record
from ingest.archive.record import Standing
from ingest.doctor.sources import Sources
from ingest.repairs.finding import Finding, well
from ingest.store.engine import reading
from ingest.store.state import account

_OLD = timedelta(hours=50)
"""Two nights: one may have failed, or the machine was off."""
_NEW = timedelta(days=3)
_AT_ONCE = timedelta(minutes=10)
_LOST = (
    "Nobody notices anything; when this disk dies, incidents, people and pictures since then go."
)


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    backup, now = sources.settings.backup, sources.now
    if not backup.places:
        begun = _begun(sources)
        if begun is not None and now - begun > _NEW:
            yield Finding(
                code="backup-none",
                level="warning",
                what="no backup is made by itself",
                since=begun,
                means="Nobody notices anything; when this disk dies, everything is gone.",
                do="Write [backup] with keys and places into the settings (docs/backup.md)",
            )
        return
    known = record.read(sources.settings.folder)
    for one in backup.places:
        yield _of(one.to, known.places.get(one.to, Standing()), now)
    yield from _untold(sources)


def _of(place: str, standing: Standing, now: datetime) -> Finding:
    why = f": {standing.why}" if standing.why else ""
    if standing.good is None or now - standing.good > _OLD:
        had = "none yet" if standing.good is None else f"the newest is of {standing.good:%Y-%m-%d}"
        return Finding(
            code="backup-missing",
            about=place,
            level="bad" if standing.good is not None else "warning",
            what=f"there is no young backup at {place}, {had}{why}",
            since=standing.since or standing.good,
            means=_LOST,
            do="See that the ingest runs at night; `linli backup make` says what is wrong",
        )
    if standing.why is not None:
        return Finding(
            code="backup-failed",
            about=place,
            level="warning",
            what=f"the last backup did not reach {place}{why}",
            since=standing.since,
            means="Nobody notices anything; the one before is there.",
            do="It is tried again each hour; `linli backup make` tries now",
        )
    return well("backup", f"a backup is at {place}", last=standing.good)


def _untold(sources: Sources) -> Iterator[Finding]:
    folder = sources.settings.folder
    gone = left.read(folder)
    for place, told in left.lacking(
        folder, [one.to for one in sources.settings.backup.places]
    ).items():
        if told.why is None and (gone.at is None or sources.now - gone.at < _AT_ONCE):
            continue
        number = max(1, gone.number - told.number)
        why = f": {told.why}" if told.why else ""
        yield Finding(
            code="backup-untold",
            about=place,
            level="warning",
            what=f"that {number} people, accounts or tokens left is not written at {place}{why}",
            since=told.since or gone.at,
            means="Nobody notices anything; an older backup alone would bring them back.",
            do="It is tried again each hour and with each backup; `linli backup bury` tries now",
        )


def _begun(sources: Sources) -> datetime | None:
    """Return when the first account was made that is still there."""
    with reading(sources.state) as connection:
        found: datetime | None = connection.scalar(sa.select(sa.func.min(account.c.created)))
        return found
