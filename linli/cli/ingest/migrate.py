"""Tables of journal, state and series: which version they are at, up to this one, one step back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ingest.settings import load_settings
from ingest.store import migrate as versions
from ingest.store.backup import file_of
from ingest.store.choose import database_of
from ingest.store.migrate import FILES, File
from linli.cli.ingest.options import config_option, json_option
from linli.counted import counted
from linli.errors import InputError
from linli.owner import sole_owner


@click.group()
def migrate() -> None:
    """Bring the tables of the ingest up to this version, or one step back."""


@migrate.command(epilog="Example: linli ingest migrate status --config ingest.toml --json")
@config_option
@json_option
def status(config: Path, *, as_json: bool) -> None:
    """Show the version of each file's tables, and the newest that this Linli knows."""
    database = database_of(load_settings(config))
    found = [
        {"file": file, "version": database.revision(file), "newest": versions.head(file)}
        for file in FILES
    ]
    if as_json:
        click.echo(json.dumps({"database": database.place, "files": found}))
        return
    click.echo(database.place)
    for one in found:
        version = one["version"] or "not there yet"
        word = "" if version == one["newest"] else f"  (newest: {one['newest']})"
        click.echo(f"{one['file']:<8} {version}{word}")


@migrate.command(epilog="Example: linli ingest migrate up --config ingest.toml")
@click.option("--no-backup", is_flag=True, help="Go on where no backup can be made")
@config_option
@json_option
def up(config: Path, *, no_backup: bool, as_json: bool) -> None:
    """Bring all tables up to this version; `run` does it by itself.

    What holds data is backed up first, into `backups` in the data folder; the last three of each
    file are kept.
    """
    database = database_of(load_settings(config))
    made = database.prepare(backups=not no_backup)
    if as_json:
        click.echo(json.dumps({"backups": [str(path) for path in made]}))
        return
    for path in made:
        click.echo(f"backup: {path}")
    click.echo("up to date")


@migrate.command(epilog="Example: linli ingest migrate back state --config ingest.toml")
@click.argument("file", type=click.Choice(FILES))
@click.option("--yes", is_flag=True, help="Do not ask")
@click.option("--no-backup", is_flag=True, help="Go on where no backup can be made")
@config_option
@json_option
def back(file: File, config: Path, *, yes: bool, no_backup: bool, as_json: bool) -> None:
    """Undo the newest change of one file's tables, before an older Linli is installed.

    What only the newer tables hold is destroyed; it is shown and asked for first, and backed up.
    The ingest must not run.
    """
    settings = load_settings(config)
    database = database_of(settings)
    with sole_owner(settings.folder):
        if database.revision(file) is None:
            raise InputError(f"there is no {file} here yet", where=database.place)
        lost = database.losses(file)
        if not yes:
            _ask(file, lost)
        made = None if no_backup else database.back_up(file)
        database.step_back(file)
        version = database.revision(file)
    if as_json:
        backup = None if made is None else str(made)
        click.echo(json.dumps({"version": version, "destroyed": lost, "backup": backup}))
        return
    if made is not None:
        click.echo(f"backup: {made}")
    click.echo(
        f"{file} is at {version}; `linli ingest run` of this version would bring it up again"
    )


@migrate.command(epilog="Example: linli ingest migrate check --config ingest.toml")
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> None:
    """Look whether `up` can be undone: rights, programs, room for the backups.

    Nothing is changed; what is missing is said, with exit code 2.
    """
    database = database_of(load_settings(config))
    files = database.outdated()
    database.check_way_back(files)
    if as_json:
        click.echo(json.dumps({"outdated": files}))
        return
    click.echo(f"to be brought up: {', '.join(files)}" if files else "up to date")


@migrate.command(epilog="Example: linli ingest migrate backup --config ingest.toml")
@config_option
@json_option
def backup(config: Path, *, as_json: bool) -> None:
    """Write the backups that `up` would write, and no more."""
    settings = load_settings(config)
    database = database_of(settings)
    with sole_owner(settings.folder):
        made = {file: str(database.back_up(file)) for file in database.outdated()}
    if as_json:
        click.echo(json.dumps({"backups": made}))
        return
    for path in made.values():
        click.echo(f"backup: {path}")


@migrate.command(
    epilog="Example: linli ingest migrate restore data/backups/state_0008-20260302T120000Z.backup"
)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rehearse", is_flag=True, help="Only find out whether it would do")
@click.option("--yes", is_flag=True, help="Do not ask")
@config_option
@json_option
def restore(path: Path, config: Path, *, rehearse: bool, yes: bool, as_json: bool) -> None:
    """Put a backup from before a change of tables into the place of its file.

    What is there stays beside it, as state.db.replaced or schema linli_replaced_state; all of it is
    done or nothing. On a PostgreSQL a rehearsal also compares every row with what is there. The
    ingest must not run; what a backup of everything holds is for `linli restore`.
    """
    settings = load_settings(config)
    database, file = database_of(settings), file_of(path)
    with sole_owner(settings.folder):
        if not (yes or rehearse):
            click.confirm(f"Put {path.name} into the place of the {file}?", abort=True, err=True)
        database.bring_back(file, path, rehearse=rehearse)
        version = database.revision(file)
    if as_json:
        click.echo(json.dumps({"file": file, "version": version, "rehearsed": rehearse}))
        return
    click.echo(f"{path} would do" if rehearse else f"{file} is at {version}")


def _ask(file: File, lost: dict[str, int]) -> None:
    for name, rows in lost.items():
        click.echo(f"goes: {name} ({counted(rows, 'row')})", err=True)
    click.confirm(f"Take {file} back from {versions.head(file)}?", abort=True, err=True)
