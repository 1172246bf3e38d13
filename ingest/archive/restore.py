"""Brings an archive back into a data folder: prepared beside it, then put into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import msgspec

from ingest.archive import stream
from ingest.archive.age import Key
from ingest.archive.make import Say, check_databases, fresh, silent
from ingest.archive.manifest import DATABASES, EVIDENCE, SECRETS, Manifest
from ingest.archive.settle import NOTHING, Known, Settled, known, lacking, settle
from ingest.archive.tombstones import Tombstones, since
from ingest.evidence.shelf import FolderStore
from ingest.settings import IngestSettings
from ingest.store import copying
from ingest.store.choose import database_of
from ingest.store.files import UNFINISHED, Files
from ingest.store.migrate import FILES
from ingest.store.server import Server
from linli.clock import Clock
from linli.errors import InputError, StoreError
from linli.settings import make_folder

STAGE = "restore-stage"
ASIDE = "before-restore-"
_BESIDE = "linli_restore_"
_FOLDER = EVIDENCE.rstrip("/")
_PLACES = (
    *(f"{name}.db{end}" for name in DATABASES for end in ("", "-wal", "-shm")),
    *SECRETS,
    _FOLDER,
)


class Restored(NamedTuple):
    """What was restored.

    `aside` is the folder with the files that were there before, None for none, `schemas` what the
    names of a PostgreSQL's schemas begin with that hold what was there before.
    """

    manifest: Manifest
    settled: Settled
    aside: Path | None
    schemas: str | None = None


def restore(
    settings: IngestSettings,
    path: Path,
    key: Key,
    clock: Clock,
    *,
    graves: Sequence[Tombstones] = (),
    say: Say = silent,
) -> Restored:
    """Put an archive into the data folder; the caller holds its lock, so no ingest runs.

    `graves` are lists of what must not come back. Until all is prepared nothing there is touched.
    Raises InputError and StoreError.
    """
    folder = settings.folder
    if (folder / _FOLDER).is_mount():
        hint = "Put the whole data folder on that disk"
        raise InputError("is a disk of its own", where=str(folder / _FOLDER), hint=hint)
    stage = fresh(folder / STAGE)
    try:
        manifest, lacks = _unpack(settings, path, key, stage, say)
        say("taking in what was not worked on yet")
        staged = msgspec.structs.replace(settings, data=str(stage))
        before = _known(settings, say)
        before = before._replace(gone=since(graves, manifest.made) | before.gone)
        settled = settle(staged, lacks, before, clock)
        mark = f"{ASIDE}{clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        database = database_of(settings)
        schemas = None
        if isinstance(database, Server):
            say("writing it into the PostgreSQL, comparing what arrived")
            schemas = _into_server(database, folder, stage, mark)
        aside = _into_place(folder, stage, mark)
    except OSError as error:
        raise StoreError(f"not restored ({error.strerror})", where=str(folder)) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return Restored(manifest, settled, aside, schemas)


def _unpack(
    settings: IngestSettings, path: Path, key: Key, stage: Path, say: Say
) -> tuple[Manifest, set[str]]:
    shelf, there = FolderStore(stage / _FOLDER), set[str]()

    def picture(name: str, data: bytes) -> None:
        shelf.put(name, data)
        there.add(name)

    say("opening it, comparing hashes")
    with path.open("rb") as source, key.opening(source, str(path)) as plain:
        manifest = stream.read(plain, stage, picture, str(path))
    if manifest.site != settings.site.id:
        hint = f"The settings are of {settings.site.id!r}"
        raise InputError(f"a backup of {manifest.site!r}", where=str(path), hint=hint)
    say("comparing rows")
    check_databases(manifest, stage, str(path))
    files = Files(stage)
    files.prepare(backups=False)
    return manifest, lacking(files, there)


def _known(settings: IngestSettings, say: Say) -> Known:
    """Return what the data that is there must not lose; nothing where it is damaged."""
    folders = [settings.folder]
    if (settings.folder / UNFINISHED).exists():  # a restore before this one put it aside
        folders += sorted(settings.folder.glob(f"{ASIDE}*"))[-1:]
    found = NOTHING
    server = [] if settings.database.url is None else [database_of(settings)]
    for database in (*map(Files, folders), *server):
        if database.is_empty():
            continue
        try:
            one = known(database)
        except StoreError as error:
            say(f"what was deleted since, and newer keys, cannot be read: {error}")
            continue
        newest = one.audit or found.audit
        found = Known(found.gone | one.gone, found.keys | one.keys, newest)
    return found


def _into_server(server: Server, folder: Path, stage: Path, mark: str) -> str | None:
    """Let a PostgreSQL hold what is staged; the files of the stage are not needed any more.

    All is written and read back in schemas of their own, which then take the place of ours in one
    transaction. Return what the names of those that were there begin with, None for none.
    """
    beside = server.beside(stage, _BESIDE)
    owners = [] if server.is_empty() else [server.writer(file, sole=True) for file in FILES]
    try:
        for one in owners:
            server.claim(one)  # no ingest of another machine writes there
        beside.drop()
        beside.prepare(backups=False)
        copying.copy_all(Files(stage), beside)
        (folder / UNFINISHED).touch(mode=0o600)
        _sync(folder)
        aside = mark.lower().replace("-", "_") + "_"
        beside.replace(server, aside)
    finally:
        for one in owners:
            one.dispose()
    for name in _PLACES[: -len(SECRETS) - 1]:
        (stage / name).unlink(missing_ok=True)
    return aside if owners else None


def _into_place(folder: Path, stage: Path, mark: str) -> Path | None:
    _sync(stage)
    marker = folder / UNFINISHED
    marker.touch(mode=0o600)
    _sync(folder)
    there = [name for name in _PLACES if (folder / name).exists()]
    aside = None
    if there:
        aside = make_folder(folder / mark)
        for name in there:
            (folder / name).replace(aside / name)
    for name in _PLACES:
        if (stage / name).exists():
            (stage / name).replace(folder / name)
    _sync(folder)
    marker.unlink()
    return aside


def _sync(folder: Path) -> None:
    """Make sure that a folder and the files right in it are on disk."""
    for path in (*(one for one in folder.iterdir() if one.is_file()), folder):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
