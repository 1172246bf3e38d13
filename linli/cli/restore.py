"""Bring a backup back into the data folder of an ingest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from ingest.archive.age import Key
from ingest.archive.delivery import resume
from ingest.archive.make import fresh
from ingest.archive.places import find, place_of
from ingest.archive.restore import Restored, restore
from ingest.archive.tombstones import Tombstones, end_life, gather
from ingest.backup_settings import BackupPlace
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.space import BACKUP
from linli.cli.backup import lines, progress, summary
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError, LinliError
from linli.owner import sole_owner


@click.command(
    epilog="Example: linli restore c001-….linli.age --config ingest.toml --key linli-backup.key"
)
@click.argument("file")
@config_option
@click.option("--key", "secret", type=click.Path(path_type=Path), required=True, help="Key file")
@click.option("--yes", is_flag=True, help="Do not ask when there is data already")
@click.option("--alone", is_flag=True, help="Also when a place of [backup] does not answer")
@json_option
def command(
    file: str, config: Path, secret: Path, *, yes: bool, alone: bool, as_json: bool
) -> None:
    """Restore FILE, which `linli backup make` wrote; the ingest must not run.

    FILE is a file, or an address of `linli backup list`. Everything is checked and prepared first.
    Data that is there is put aside, never deleted. Nobody is told of what was going on then;
    everybody signs in anew. What was deleted since, and who left, does not come back: each place
    of [backup] is asked for its list of that.
    """
    settings, key = load_settings(config), Key.read(secret)
    with sole_owner(settings.folder), sole_owner(settings.folder, BACKUP):
        database = database_of(settings)
        if not yes and not database.is_empty():
            click.confirm(
                f"{database.place} holds data of an ingest. Put it aside and restore {file}?",
                abort=True,
                err=True,
            )
        scratch = fresh(settings.folder / "restore-fetched")
        try:
            path = _fetched(settings, file, scratch)
            graves = _graves(settings, path, key, scratch / "deleted", alone=alone)
            end_life(settings.folder)
            done = restore(settings, path, key, SystemClock(), graves=graves, say=progress)
            resume(settings, SystemClock().now(), path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    _say(done, config, as_json=as_json)


def _fetched(settings: IngestSettings, file: str, scratch: Path) -> Path:
    """Return the archive as a file of this machine. Raises InputError and StoreError."""
    found = None if Path(file).is_file() else find(settings.backup, file)
    if found is None:
        if not Path(file).is_file():
            hint = "`linli backup list` shows what the places of [backup] hold"
            raise InputError("there is no such archive", where=file, hint=hint)
        return Path(file)
    place, name = found
    progress(f"fetching {file}")
    try:
        place.fetch(name, scratch / "archive")
    except FileNotFoundError:
        raise InputError("there is no such archive", where=file) from None
    return scratch / "archive"


def _graves(
    settings: IngestSettings, path: Path, key: Key, scratch: Path, *, alone: bool
) -> list[Tombstones]:
    """Return what must not come back: by the places, and by the list beside the archive."""
    found: list[Tombstones] = []
    beside = BackupPlace(to=str(path.absolute().parent))
    for one in (beside, *settings.backup.places):
        try:
            found += gather([place_of(one)], settings.site.id, key, scratch)
        except LinliError as error:
            if not alone:
                raise InputError(
                    f"what was deleted since is not known ({error})",
                    where=one.to,
                    hint="Mend that, or say --alone: what was deleted since may come back",
                ) from None
            progress(f"what was deleted since is not known of {one.to}: {error}")
    return found


def _say(done: Restored, config: Path, *, as_json: bool) -> None:
    quiet, gone, keys, people = done.settled
    aside = None if done.aside is None else str(done.aside)
    if as_json:
        more = {"quiet": quiet, "gone": gone, "newer_keys": keys, "people": people, "aside": aside}
        more["schemas"] = done.schemas
        click.echo(json.dumps(summary(done.manifest) | more))
        return
    for line in lines(done.manifest):
        click.echo(line)
    click.echo(
        f"not told again: {quiet}; pictures whose time is over or that are not there: {gone}"
    )
    if people:
        click.echo(f"people, accounts and tokens that were ended since, ended again: {people}")
    if keys:
        click.echo(f"newer keys for pictures that wait on edges, kept: {keys}")
    if aside is not None:
        click.echo(f"what was there: {aside}; names and pictures are in it, remove it when sure")
    if done.schemas is not None:
        click.echo(f"what was there: schemas {done.schemas}…; drop them when sure")
    click.echo(f"Start with: linli ingest run --config {config}")
