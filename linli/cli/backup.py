"""Backups of an ingest: a key pair, an archive, what there is, whether it can be restored."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path

import click
import msgspec

from ingest.archive.age import Key
from ingest.archive.delivery import Delivered, bury, deliver
from ingest.archive.make import time_in, verify
from ingest.archive.manifest import Manifest, Pictures
from ingest.archive.places import place_of
from ingest.audit import book as audit
from ingest.backup_settings import BackupPlace
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from ingest.store.migrate import head
from ingest.store.space import BACKUP
from linli.cli.ingest.folder import actor
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError, LinliError
from linli.owner import sole_owner
from linli.settings import make_folder, write_secret

_LONGEST = 200
_WAIT_SECONDS = 5.0  # while what a killed one left is cleared away


@click.group()
def command() -> None:
    """Make encrypted backups of an ingest, while it runs, and check them."""


@command.command(epilog="Example: linli backup key linli-backup.key")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def key(file: Path, *, as_json: bool) -> None:
    """Make a key pair: the private one into FILE, the public one is shown.

    Backups are made for the public one. Keep FILE away from the server, at two places: without it
    no backup can be opened, by nobody.
    """
    if file.exists():
        raise InputError("is there already", where=str(file), hint="Choose another name")
    made = Key.new()
    write_secret(file, made.private)
    if as_json:
        click.echo(json.dumps({"public": made.public, "file": str(file)}))
        return
    click.echo(made.public)
    click.echo(f"{file} opens what is made for it: take it away from this machine", err=True)


@command.command(
    "make", epilog="Example: linli backup make --config ingest.toml --to /mnt/usb --for age1…"
)
@config_option
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="Folder; not the places of [backup]"
)
@click.option("--for", "public", multiple=True, help="Public key, not those of [backup]; repeat")
@click.option(
    "--pictures",
    type=click.Choice(["all", "safety", "none"]),
    help="Which are taken along; safety: of incidents about safety, and those held",
)
@click.option("--anew", is_flag=True, help="Also beside backups that this data knows nothing of")
@json_option
def make_one(
    config: Path,
    target: Path | None,
    public: tuple[str, ...],
    pictures: Pictures | None,
    *,
    anew: bool,
    as_json: bool,
) -> None:
    """Write one archive, read it back, bring it to every place, then drop what is too old there.

    The ingest may run. Nothing is taken for a backup before it was restored into a scratch folder
    with the same hashes and rows. A place with backups that this data folder knows nothing of is
    left as it is: `linli restore` first, or --anew. The exit code is 1 when it did not reach every
    place.
    """
    settings = _told(load_settings(config), target, public, pictures)
    with sole_owner(settings.folder, BACKUP, wait=_WAIT_SECONDS):
        _write_down(settings, ", ".join(one.to for one in settings.backup.places))
        now, noted = SystemClock().now(), target is None
        done = deliver(settings, now, noted=noted, anew=anew, say=progress)
    _say_made(done, as_json=as_json)
    click.get_current_context().exit(1 if done.failed else 0)


@command.command("bury", epilog="Example: linli backup bury --config ingest.toml")
@config_option
def bury_one(config: Path) -> None:
    """Write down beside the archives what was deleted and who left, so that none brings it back.

    The ingest does it by itself when somebody leaves, and with each backup. The exit code is 1 when
    it did not reach every place.
    """
    settings = load_settings(config)
    failed = bury(settings, SystemClock().now())
    for one in settings.backup.places:
        click.echo(f"{one.to}: {failed.get(one.to, 'written')}", err=one.to in failed)
    click.get_current_context().exit(1 if failed else 0)


@command.command("list", epilog="Example: linli backup list --config ingest.toml")
@config_option
@json_option
def list_archives(config: Path, *, as_json: bool) -> None:
    """List the archives at the places of [backup], by addresses that `linli restore` takes.

    The exit code is 1 when a place does not answer.
    """
    settings = load_settings(config)
    found: list[tuple[datetime, str]] = []
    away = False
    for one in settings.backup.places:
        try:
            names = place_of(one).names()
        except LinliError as error:
            away = True
            click.echo(f"not known of {one.to}: {error}", err=True)
            continue
        times = ((time_in(settings.site.id, name), name) for name in names)
        found += [(at, f"{one.to.rstrip('/')}/{name}") for at, name in times if at is not None]
    if as_json:
        click.echo(json.dumps([{"made": at.isoformat(), "address": text} for at, text in found]))
    else:
        for at, text in sorted(found):
            click.echo(f"{at:%Y-%m-%d %H:%M:%S} UTC  {text}")
    click.get_current_context().exit(1 if away else 0)


@command.command(epilog="Example: linli backup check c001-….linli.age --key linli-backup.key")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "secret", type=click.Path(path_type=Path), required=True, help="Key file")
@json_option
def check(file: Path, secret: Path, *, as_json: bool) -> None:
    """Restore an archive into a scratch folder and compare hashes and rows with what it says."""
    with tempfile.TemporaryDirectory(prefix="linli-check-") as scratch:
        manifest = verify(file, Key.read(secret), Path(scratch))
    if as_json:
        click.echo(json.dumps(summary(manifest)))
        return
    for line in lines(manifest):
        click.echo(line)


def _told(
    settings: IngestSettings,
    target: Path | None,
    public: tuple[str, ...],
    pictures: Pictures | None,
) -> IngestSettings:
    """Return the settings as the options change them. Raises InputError."""
    rule = settings.backup
    keys = public or rule.keys
    if not keys or (target is None and not rule.places):
        hint = "Write [backup] with keys and places into it, or say --to and --for"
        raise InputError("nothing says where to, and for whom", where="backup", hint=hint)
    places = rule.places
    if target is not None:
        places = (BackupPlace(to=str(make_folder(target.absolute()))),)
    given = msgspec.structs.replace(
        rule, keys=keys, places=places, pictures=pictures or rule.pictures
    )
    return msgspec.structs.replace(settings, backup=given)


def _write_down(settings: IngestSettings, target: str) -> None:
    """Say in the audit log that all of it was copied; tables of an older Linli have no such log."""
    database = database_of(settings)
    if database.is_empty() or database.revision("state") != head("state"):
        return
    engine = database.writer("state")
    try:
        with writing(engine) as connection:
            now = SystemClock().now()
            audit.note(connection, now, actor(), "backed-up", target[:_LONGEST])
    finally:
        engine.dispose()


def progress(text: str) -> None:
    """Say what is being done."""
    click.echo(text, err=True)


def summary(manifest: Manifest) -> dict[str, object]:
    """Return what machines want to know of an archive."""
    return {
        "site": manifest.site,
        "made": manifest.made.isoformat(),
        "linli": manifest.linli,
        "rows": {name: sum(rows.values()) for name, rows in manifest.rows.items()},
        "pictures": manifest.pictures,
        "left": manifest.left,
        "vanished": manifest.vanished,
        "keys": list(manifest.keys),
        "audit": manifest.audit,
    }


def lines(manifest: Manifest) -> list[str]:
    """Return what people want to know of an archive."""
    rows = ", ".join(f"{name} {sum(rows.values())}" for name, rows in manifest.rows.items())
    said = [
        f"{manifest.site}, as of {manifest.made:%Y-%m-%d %H:%M:%S} UTC: hashes and rows are right",
        f"rows: {rows}",
        f"pictures: {manifest.pictures}, left out {manifest.left}",
        f"keys for pictures that wait on edges: {', '.join(manifest.keys) or 'none yet'}",
    ]
    if manifest.audit is not None:
        said.append(f"newest row of the audit log, for linli audit verify: {manifest.audit}")
    if manifest.vanished:
        said.append(f"pictures whose bytes were not there: {manifest.vanished}")
    return said


def _say_made(done: Delivered, *, as_json: bool) -> None:
    made = done.made
    for place, why in done.failed.items():
        click.echo(f"not at {place}: {why}", err=True)
    if as_json:
        more = {"path": str(made.path), "bytes": made.bytes, "dropped": done.dropped}
        click.echo(json.dumps(more | {"failed": done.failed} | summary(made.manifest)))
        return
    click.echo(f"{made.path.name} ({made.bytes} bytes)")
    for line in lines(made.manifest):
        click.echo(line)
    for one in done.dropped:
        click.echo(f"dropped: {one}")
