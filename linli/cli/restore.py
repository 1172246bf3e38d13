"""Bring a backup back into the data folder of an ingest."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ingest.archive.age import Key
from ingest.archive.restore import Restored, restore
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.supervise import sole_owner
from linli.cli.backup import lines, progress, summary
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock


@click.command(
    epilog="Example: linli restore c001-….linli.age --config ingest.toml --key linli-backup.key"
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option
@click.option("--key", "secret", type=click.Path(path_type=Path), required=True, help="Key file")
@click.option("--yes", is_flag=True, help="Do not ask when there is data already")
@json_option
def command(file: Path, config: Path, secret: Path, *, yes: bool, as_json: bool) -> None:
    """Restore FILE, which `linli backup make` wrote; the ingest must not run.

    Everything is checked and prepared first. Data that is there is put aside, never deleted. Nobody
    is told of what was going on then; everybody signs in anew.
    """
    settings, key = load_settings(config), Key.read(secret)
    with sole_owner(settings.folder), sole_owner(settings.folder, "backup"):
        if not yes and not database_of(settings).is_empty():
            click.confirm(
                f"{settings.folder} holds data of an ingest. Put it aside and restore {file.name}?",
                abort=True,
                err=True,
            )
        done = restore(settings, file, key, SystemClock(), say=progress)
    _say(done, config, as_json=as_json)


def _say(done: Restored, config: Path, *, as_json: bool) -> None:
    quiet, gone, keys = done.settled
    aside = None if done.aside is None else str(done.aside)
    if as_json:
        more = {"quiet": quiet, "gone": gone, "newer_keys": keys, "aside": aside}
        click.echo(json.dumps(summary(done.manifest) | more))
        return
    for line in lines(done.manifest):
        click.echo(line)
    click.echo(
        f"not told again: {quiet}; pictures whose time is over or that are not there: {gone}"
    )
    if keys:
        click.echo(f"newer keys for pictures that wait on edges, kept: {keys}")
    if aside is not None:
        click.echo(f"what was there: {aside}; names and pictures are in it, remove it when sure")
    click.echo(f"Start with: linli ingest run --config {config}")
