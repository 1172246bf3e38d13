"""One archive, made once and brought to every place; what became of it is written down."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest.archive import left, record, tombstones
from ingest.archive.folder_place import FolderPlace
from ingest.archive.leaving import left_of
from ingest.archive.make import Made, Say, fresh, make, silent, time_in
from ingest.archive.place import Place
from ingest.archive.places import place_of
from ingest.archive.record import Record
from ingest.archive.schedule import kept
from ingest.archive.settle import known
from ingest.settings import IngestSettings
from ingest.store.choose import database_of
from ingest.store.space import WORKSHOP
from linli.clock import EARLIEST
from linli.errors import InputError, LinliError
from linli.owner import sole_owner

_WAIT_SECONDS = 60.0


class Delivered(NamedTuple):
    """What was made, which older archives went (by address), and where it is not, with why."""

    made: Made
    dropped: tuple[str, ...]
    failed: dict[str, str]


def deliver(
    settings: IngestSettings,
    now: datetime,
    *,
    noted: bool,
    anew: bool = False,
    say: Say = silent,
) -> Delivered:
    """Make one archive by `settings.backup`, bring it to its places, drop what is too old there.

    A place that fails does not keep others from theirs. One that holds archives which this data
    folder knows nothing of is left as it is, unless `anew`. With `noted` what became of it is
    written down. The caller holds the lock `backup`. Raises InputError and StoreError when there is
    none to bring.
    """
    places, failed = _ready(settings, now, anew=anew)
    try:
        if not places:
            raise next(iter(failed.values()))
        made = _made(settings, places, now, say)
    except LinliError as error:
        if noted:
            whole = dict.fromkeys([one.to for one in settings.backup.places], error) | failed
            _write_down(settings, now, whole)
        raise
    else:
        dropped, more = _bring(settings, places, made, say)
    finally:
        shutil.rmtree(settings.folder / WORKSHOP, ignore_errors=True)
    failed |= more
    if noted:
        _write_down(settings, now, {one.to: failed.get(one.to) for one in settings.backup.places})
    return Delivered(made, dropped, {address: str(error) for address, error in failed.items()})


def bury(settings: IngestSettings, now: datetime) -> dict[str, str]:
    """Bring what was deleted and who left to the places now; return where that failed, with why.

    What failed is noted, and goes with the next backup at the latest. Raises InputError and
    StoreError.
    """
    failed: dict[str, str] = {}
    for one in settings.backup.places:
        try:
            _tell(settings, place_of(one), now)
        except LinliError as error:
            failed[one.to] = str(error)
            left.note_failure(settings.folder, one.to, now, str(error))
    return failed


def resume(settings: IngestSettings, now: datetime, path: Path) -> None:
    """Write down what is known from now on: the places, and where the archive of a restore was.

    Raises InputError.
    """
    addresses = {one.to for one in settings.backup.places} | {str(path.absolute().parent)}
    _keep(settings, Record().begin(now, addresses))


def _ready(
    settings: IngestSettings, now: datetime, *, anew: bool
) -> tuple[list[Place], dict[str, LinliError]]:
    """Return the places that can be written to, before anything is made, and why not the others.

    A data folder that knows nothing of what a place holds is a new one: its archives, of nothing
    yet, would take the place of those. Raises InputError.
    """
    before = record.read(settings.folder)
    ready: list[Place] = []
    failed: dict[str, LinliError] = {}
    for one in settings.backup.places:
        try:
            place = place_of(one)
            there = [name for name in place.names() if time_in(settings.site.id, name)]
            if there and not (anew or before.knows(one.to)):
                raise InputError(
                    "holds backups that this data folder knows nothing of",
                    where=one.to,
                    hint="`linli restore` brings one back; `linli backup make --anew` begins "
                    "beside them",
                )
            ready.append(place)
        except LinliError as error:
            failed[one.to] = error
    new = [place.address for place in ready if not before.knows(place.address)]
    if new:
        _keep(settings, before.begin(now, new))
    return ready, failed


def _made(settings: IngestSettings, places: Sequence[Place], now: datetime, say: Say) -> Made:
    only, own = (places[0] if len(places) == 1 else None), settings.folder / WORKSHOP
    rule = settings.backup
    # Right where it shall be, if that is one folder: this disk needs no room for it then.
    workshop = only.folder if isinstance(only, FolderPlace) else fresh(own)
    return make(settings, workshop, rule.keys, now, pictures=rule.pictures, say=say)


def _bring(
    settings: IngestSettings, places: Sequence[Place], made: Made, say: Say
) -> tuple[tuple[str, ...], dict[str, LinliError]]:
    dropped: list[str] = []
    failed: dict[str, LinliError] = {}
    begun = record.read(settings.folder).begun
    for place in places:
        say(f"to {place.address}")
        try:
            place.put(made.path, made.path.name)
            _tell(settings, place, made.manifest.made)
            dropped += _drop(settings, place, begun.get(place.address, EARLIEST))
        except LinliError as error:
            failed[place.address] = error
    return tuple(dropped), failed


def _tell(settings: IngestSettings, place: Place, now: datetime) -> None:
    """Bring what is gone to a place: of two that do, the later one knows what the earlier did."""
    site = settings.site.id
    with sole_owner(settings.folder, "delivery", wait=_WAIT_SECONDS):
        stage = fresh(settings.folder / "tombstones")
        try:
            path = stage / tombstones.name_of(site, tombstones.life(settings.folder))
            gone = known(database_of(settings)).gone
            tombstones.write(gone, site, settings.backup.keys, path, now)
            place.put(path, path.name)
            left.note(settings.folder, place.address, left_of(gone, now))
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _drop(settings: IngestSettings, place: Place, begun: datetime) -> list[str]:
    """Remove archives of this community that need not stay; return their addresses."""
    site, there = settings.site.id, place.names()
    for name in there:
        if _is_cut_short(site, name):  # of a fall; none runs but us
            place.remove(name)
    named = {at: name for name in there if (at := time_in(site, name)) is not None}
    stay = kept(named, settings.backup, ZoneInfo(settings.site.timezone), begun)
    gone = [named[at] for at in sorted(named.keys() - stay)]
    for name in gone:
        place.remove(name)
    return [f"{place.address}/{name}" for name in gone]


def _is_cut_short(site: str, name: str) -> bool:
    """Tell whether it is an archive of the community, half made or half sent."""
    whole = name.removesuffix(".part")
    return whole != name and any(time_in(site, one) for one in (whole, f"{whole}.age"))


def _write_down(
    settings: IngestSettings, now: datetime, outcomes: Mapping[str, LinliError | None]
) -> None:
    """Keep what became of it. Raises InputError."""
    said = {address: None if one is None else str(one) for address, one in outcomes.items()}
    _keep(settings, record.read(settings.folder).after(now, said))


def _keep(settings: IngestSettings, found: Record) -> None:
    try:
        record.write(settings.folder, found)
    except OSError as error:
        raise InputError(f"no record of it ({error.strerror})", where=record.NAME) from None
