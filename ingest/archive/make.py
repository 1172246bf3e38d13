"""Makes an archive of a running ingest and reads it back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from ingest.archive import stream, tables
from ingest.archive.age import Key, check_public, sealing
from ingest.archive.manifest import (
    DATABASES,
    EVIDENCE,
    FORMAT,
    SECRETS,
    Manifest,
    Pictures,
)
from ingest.audit import book as audit
from ingest.evidence import keys
from ingest.evidence.shelf import FolderStore
from ingest.repairs.room import spare
from ingest.settings import IngestSettings
from ingest.store import backup, copying
from ingest.store.choose import database_of
from ingest.store.engine import open_reader, reading
from ingest.store.files import Files, path_of
from ingest.store.migrate import File
from ingest.store.space import STAGE, free_of, same_disk
from linli.errors import InputError, StoreError
from linli.settings import make_folder

Say = Callable[[str], None]
SUFFIX = ".linli.age"
_TIME = "%Y%m%dT%H%M%SZ"
_EACH = 500


class _Order(NamedTuple):
    settings: IngestSettings
    now: datetime
    pictures: Pictures
    say: Say


def silent(text: str) -> None:
    """Say nothing."""
    del text


class Made(NamedTuple):
    """An archive that was made and read back."""

    path: Path
    bytes: int
    manifest: Manifest


def make(
    settings: IngestSettings,
    target: Path,
    public: Sequence[str],
    now: datetime,
    *,
    pictures: Pictures = "all",
    say: Say = silent,
) -> Made:
    """Write an archive into a folder; the ingest may run. The caller holds the lock `backup`.

    It has its name only once it was read back and found to be what was copied. Raises InputError,
    also where the room that it needs meanwhile would have history deleted, and StoreError; then
    there is no new archive.
    """
    recipients = [check_public(one) for one in public]
    if not recipients:
        raise InputError("for nobody: there is no public key", hint="linli backup key FILE")
    site = settings.site.id
    path = make_folder(target) / name_of(site, now)
    partial = path.with_suffix(".part")
    # Only this call can open it with this key, and only to read it back: it is never on a disk.
    once = Key.new()
    order = _Order(settings, now, pictures, say)
    shutil.rmtree(settings.folder / STAGE, ignore_errors=True)  # what a fall left there
    _check_room(order, path.parent)
    stage = fresh(settings.folder / STAGE)
    try:
        _write(order, stage, partial, [*recipients, once.public])
        say("reading it back")
        manifest = verify(partial, once, fresh(stage / "again"))
        size = partial.stat().st_size
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"no backup ({error.strerror})", where=str(path)) from None
    finally:
        partial.unlink(missing_ok=True)
        shutil.rmtree(stage, ignore_errors=True)
    return Made(path, size, manifest)


def name_of(site: str, at: datetime) -> str:
    """Return what the archive of a community and a moment is called."""
    return f"{site}-{at.astimezone(UTC):{_TIME}}{SUFFIX}"


def time_in(site: str, name: str) -> datetime | None:
    """Return when an archive of the community was made by its name, None for anything else."""
    middle = name.removeprefix(f"{site}-").removesuffix(SUFFIX)
    try:
        found = datetime.strptime(middle, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if name_of(site, found) == name else None


def verify(path: Path, key: Key, scratch: Path) -> Manifest:
    """Restore an archive into an empty folder and compare hashes, rows, and that files are whole.

    Pictures are hashed and not written. Raises InputError and StoreError.
    """
    with path.open("rb") as source, key.opening(source, str(path)) as plain:
        manifest = stream.read(plain, scratch, _hashed_alone, str(path))
    check_databases(manifest, scratch, str(path))
    return manifest


def _hashed_alone(name: str, data: bytes) -> None:
    del name, data


def check_databases(manifest: Manifest, folder: Path, where: str) -> None:
    """Raise InputError unless a folder holds the databases, whole and with all their rows."""
    for name in DATABASES:
        database = folder / f"{name}.db"
        if not database.exists():
            raise InputError(f"there is no {name} in it", where=where)
        tables.check(database)
        if tables.rows(database) != manifest.rows.get(name):
            raise InputError(f"{name} has other rows than the manifest says", where=where)


def fresh(folder: Path) -> Path:
    """Return an empty folder for us alone; what a fall left there goes."""
    shutil.rmtree(folder, ignore_errors=True)
    return make_folder(folder)


def _check_room(order: _Order, target: Path) -> None:
    """Raise InputError unless the disk of the data stays above what has things given up for it.

    The databases lie there twice while it is read back; the archive, where it is the same disk.
    """
    settings, now, pictures, _ = order
    database, free = database_of(settings), free_of(settings.folder)
    if free is None or database.is_empty():
        return
    need = 2 * (size := database.size())
    if same_disk(settings.folder, target):
        state = database.reader("state")
        try:
            need += size + tables.room(state, pictures, now)
        finally:
            state.dispose()
    least = spare(settings.disk.least_free)
    if free - need < least:
        raise InputError(
            f"no room for a backup: {need >> 20} MiB needed meanwhile and {least >> 20} MiB to "
            f"stay free, {free >> 20} MiB are",
            where=str(settings.folder),
            hint="Make room there: with less the oldest history would go for it",
        )


def _write(order: _Order, stage: Path, partial: Path, recipients: list[str]) -> None:
    for name in DATABASES:
        order.say(f"copying {name}")
        _copy(order.settings, name, stage)
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with partial.open("wb") as out:
        with sealing(out, recipients, str(partial)) as plain, stream.writing_to(plain) as archive:
            _fill(archive, order, stage)
        out.flush()
        os.fsync(out.fileno())


def _copy(settings: IngestSettings, name: File, stage: Path) -> None:
    """Let a SQLite file in `stage` hold what a file of the ingest holds after its last commit."""
    database = database_of(settings)
    if database.is_empty():
        raise InputError("no ingest has kept anything here", where=database.place)
    if not isinstance(database, Files):
        Files(stage).prepare(backups=False)
        copying.copy(database, Files(stage), name)
        return
    source, target = path_of(settings.folder, name), path_of(stage, name)
    try:
        backup.copy_file(source, target)
    except InputError as error:
        raise InputError(error.what, where=error.where, hint="Make room there") from None


def _fill(archive: stream.Writer, order: _Order, stage: Path) -> None:
    settings, now, pictures, say = order
    for name in DATABASES:
        archive.file(f"{name}.db", stage / f"{name}.db")
    for secret in SECRETS:
        with suppress(FileNotFoundError):  # made when first needed
            archive.data(secret, (settings.folder / secret).read_bytes())
    shelf = FolderStore(settings.folder / "evidence")
    names, left = tables.wanted(stage / "state.db", pictures, now)
    taken = 0
    for number, picture in enumerate(names):
        if number % _EACH == 0:
            say(f"pictures: {number} of {len(names)}")
        data = shelf.get(picture)
        if data is not None:  # its time may just have ended
            archive.data(f"{EVIDENCE}{picture}", data)
            taken += 1
    archive.close(
        Manifest(
            format=FORMAT,
            linli=metadata.version("linli"),
            site=settings.site.id,
            made=now,
            files=archive.files,
            rows={name: tables.rows(stage / f"{name}.db") for name in DATABASES},
            keys=tuple(sealing_keys(stage / "state.db")),
            pictures=taken,
            left=left,
            vanished=len(names) - taken,
            audit=newest_audit(stage / "state.db"),
        )
    )


def newest_audit(state: Path) -> str | None:
    """Return the newest row of the log of who did what, as an anchor; None before the first."""
    engine = open_reader(state)
    try:
        with reading(engine) as connection:
            found = audit.head(connection)
            return None if found is None else str(found)
    finally:
        engine.dispose()


def sealing_keys(state: Path) -> list[str]:
    """Return the ids of the keys that a state can open pictures of edges with."""
    engine = open_reader(state)
    try:
        with reading(engine) as connection:
            return keys.known(connection)
    finally:
        engine.dispose()
