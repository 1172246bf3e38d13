"""Backups of an ingest: a key pair, an archive, whether an archive can be restored."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from ingest.archive.age import Key
from ingest.archive.make import Made, make, verify
from ingest.archive.manifest import Manifest, Pictures
from ingest.audit import book as audit
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from ingest.store.migrate import head
from ingest.supervise import sole_owner
from linli.cli.ingest.folder import actor
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError
from linli.settings import write_secret

_LONGEST = 200


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
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="Folder")
@click.option("--for", "public", multiple=True, required=True, help="Public key; may be repeated")
@click.option(
    "--pictures",
    type=click.Choice(["all", "safety", "none"]),
    default="all",
    show_default=True,
    help="Which are taken along; safety: of incidents about safety, and those held",
)
@click.option(
    "--keep", type=click.IntRange(1, 1000), default=7, show_default=True, help="Archives to keep"
)
@json_option
def make_one(
    config: Path,
    target: Path,
    public: tuple[str, ...],
    pictures: Pictures,
    keep: int,
    *,
    as_json: bool,
) -> None:
    """Write one archive into a folder, read it back, then drop the oldest of this community.

    The ingest may run. Nothing is taken for a backup before it was restored into a scratch folder
    with the same hashes and rows.
    """
    settings = load_settings(config)
    with sole_owner(settings.folder, "backup"):
        _write_down(settings, target)
        made = make(
            settings,
            target,
            public,
            SystemClock().now(),
            pictures=pictures,
            keep=keep,
            say=progress,
        )
    _say_made(made, as_json=as_json)


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


def _write_down(settings: IngestSettings, target: Path) -> None:
    """Say in the audit log that all of it was copied; tables of an older Linli have no such log."""
    if settings.database.url is not None:
        return  # `make` says so
    database = database_of(settings)
    if database.is_empty() or database.revision("state") != head("state"):
        return
    engine = database.writer("state")
    try:
        with writing(engine) as connection:
            now = SystemClock().now()
            audit.note(connection, now, actor(), "backed-up", str(target)[:_LONGEST])
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


def _say_made(made: Made, *, as_json: bool) -> None:
    if as_json:
        dropped = [str(path) for path in made.dropped]
        more = {"path": str(made.path), "bytes": made.bytes, "dropped": dropped}
        click.echo(json.dumps(more | summary(made.manifest)))
        return
    click.echo(f"{made.path} ({made.bytes} bytes)")
    for line in lines(made.manifest):
        click.echo(line)
    for path in made.dropped:
        click.echo(f"dropped: {path}")
