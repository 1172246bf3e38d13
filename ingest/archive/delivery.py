"""One archive, made once and brought to every place; what became of it is written down."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest.archive import record, tombstones
from ingest.archive.folder_place import FolderPlace
from ingest.archive.make import Made, Say, fresh, make, silent, time_in
from ingest.archive.place import Place
from ingest.archive.schedule import kept
from ingest.settings import IngestSettings
from ingest.store.choose import database_of
from linli.errors import InputError, LinliError

WORKSHOP = "backup-new"


class Delivered(NamedTuple):
    """What was made, which older archives went (by address), and where it is not, with why."""

    made: Made
    dropped: tuple[str, ...]
    failed: dict[str, str]


def deliver(
    settings: IngestSettings,
    places: Sequence[Place],
    now: datetime,
    *,
    noted: bool,
    say: Say = silent,
) -> Delivered:
    """Make one archive by `settings.backup`, bring it to the places, drop what is too old there.

    A place that fails does not keep others from theirs. With `noted` what became of it is written
    down. The caller holds the lock `backup`. Raises InputError and StoreError when there is none to
    bring.
    """
    only = places[0] if len(places) == 1 else None
    # Right where it shall be, if that is one folder: this disk needs no room for it then.
    workshop = only.folder if isinstance(only, FolderPlace) else settings.folder / WORKSHOP
    try:
        if not isinstance(only, FolderPlace):
            fresh(workshop)
        rule = settings.backup
        made = make(settings, workshop, rule.keys, now, pictures=rule.pictures, say=say)
        dropped, failed = _bring(settings, places, made, say)
    except LinliError as error:
        if noted:
            _write_down(settings, now, {one.address: str(error) for one in places})
        raise
    finally:
        shutil.rmtree(settings.folder / WORKSHOP, ignore_errors=True)
    if noted:
        _write_down(settings, now, {one.address: failed.get(one.address) for one in places})
    return Delivered(made, dropped, failed)


def bury(settings: IngestSettings, places: Sequence[Place], now: datetime) -> dict[str, str]:
    """Bring what was deleted to the places now; return where that failed, with why."""
    failed: dict[str, str] = {}
    if not places:
        return failed
    folder = fresh(settings.folder / "tombstones")
    try:
        path = _tombstones(settings, folder, now)
        for place in places:
            try:
                place.put(path, path.name)
            except LinliError as error:
                failed[place.address] = str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return failed


def _bring(
    settings: IngestSettings, places: Sequence[Place], made: Made, say: Say
) -> tuple[tuple[str, ...], dict[str, str]]:
    dropped: list[str] = []
    failed: dict[str, str] = {}
    stage = fresh(settings.folder / "tombstones")
    try:
        graves = _tombstones(settings, stage, made.manifest.made)
        for place in places:
            say(f"to {place.address}")
            try:
                place.put(made.path, made.path.name)
                place.put(graves, graves.name)
                dropped += _drop(settings, place)
            except LinliError as error:
                failed[place.address] = str(error)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return tuple(dropped), failed


def _tombstones(settings: IngestSettings, folder: Path, now: datetime) -> Path:
    site = settings.site.id
    path = folder / tombstones.name_of(site)
    return tombstones.write(database_of(settings), site, settings.backup.keys, path, now)


def _drop(settings: IngestSettings, place: Place) -> list[str]:
    """Remove archives of this community that need not stay; return their addresses."""
    site, there = settings.site.id, place.names()
    for name in there:
        if name.startswith(f"{site}-") and name.endswith(".part"):  # of a fall; none runs but us
            place.remove(name)
    named = {at: name for name in there if (at := time_in(site, name)) is not None}
    stay = kept(named, settings.backup, ZoneInfo(settings.site.timezone))
    gone = [named[at] for at in sorted(named.keys() - stay)]
    for name in gone:
        place.remove(name)
    return [f"{place.address}/{name}" for name in gone]


def _write_down(settings: IngestSettings, now: datetime, outcomes: dict[str, str | None]) -> None:
    """Keep what became of it. Raises InputError."""
    try:
        before = record.read(settings.folder)
        record.write(settings.folder, before.after(now, outcomes))
    except OSError as error:
        raise InputError(f"no record of it ({error.strerror})", where=record.NAME) from None
