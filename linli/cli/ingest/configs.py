"""What edge boxes are to watch: the wanted version of each, those before it, and rolling back."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from ingest.audit import book as audit
from ingest.registry import book, configs
from ingest.registry.configs import ConfigState, ConfigVersion
from ingest.settings import load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError
from linli.settings import read

_why = click.option("--why", required=True, help="Kept beside the version")


@click.group()
def config() -> None:
    """Say what edge boxes are to watch; each takes the newest version by itself."""


@config.command(epilog="Example: linli ingest config show c001-n07")
@click.argument("edge")
@click.option("--version", type=click.IntRange(1), help="Another one than the newest")
@config_option
@json_option
def show(edge: str, version: int | None, config: Path, *, as_json: bool) -> None:
    """Show what is wanted of an edge box, and what it says that it runs."""
    with state(load_settings(config)) as connection:
        _registered(connection, edge)
        wanted = _wanted(connection, edge, version)
        found = ConfigState(edge=edge, wanted=wanted, running=configs.running(connection, edge))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    if found.running is not None:
        said = found.running
        refused = f", refused {said.refused}: {said.detail}" if said.refused else ""
        click.echo(f"# runs version {said.version}{refused}")
    if wanted is None:
        click.echo("# nothing is wanted of it; it watches what its own file says")
        return
    click.echo(f"# version {wanted.version} of {wanted.at:%Y-%m-%d %H:%M} UTC, {wanted.actor}")
    click.echo(f"# {wanted.why}")
    click.echo(json.dumps(wanted.document, indent=2, ensure_ascii=False))


@config.command(
    "set", epilog="Example: linli ingest config set c001-n07 cameras.toml --why 'new lens'"
)
@click.argument("edge")
@click.argument("file", type=click.Path(path_type=Path))
@_why
@config_option
@json_option
def set_version(edge: str, file: Path, why: str, config: Path, *, as_json: bool) -> None:
    """Want what a FILE says, TOML as in edge.toml or JSON: `model` and `camera`, nothing else."""
    document = configs.checked(_document(file))
    with state(load_settings(config)) as connection:
        _registered(connection, edge)
        made = configs.add(
            connection, edge, document, actor=actor(), why=why, now=SystemClock().now()
        )
        _note(connection, edge, made)
    _say(made, as_json=as_json)


@config.command(epilog="Example: linli ingest config versions c001-n07")
@click.argument("edge")
@config_option
@json_option
def versions(edge: str, config: Path, *, as_json: bool) -> None:
    """List the last hundred versions of an edge box: who wanted them, when and why."""
    with state(load_settings(config)) as connection:
        _registered(connection, edge)
        found = configs.versions(connection, edge, before=None, limit=100)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        back = f" (as version {one.restores})" if one.restores else ""
        click.echo(f"{one.version:>4}  {one.at:%Y-%m-%d %H:%M}  {one.actor}  {one.why}{back}")


@config.command(epilog="Example: linli ingest config restore c001-n07 3 --why 'too many alarms'")
@click.argument("edge")
@click.argument("version", type=click.IntRange(1))
@_why
@config_option
@json_option
def restore(edge: str, version: int, why: str, config: Path, *, as_json: bool) -> None:
    """Roll back: want again what an old VERSION said, as a new version."""
    with state(load_settings(config)) as connection:
        _registered(connection, edge)
        old = _wanted(connection, edge, version)
        assert old is not None
        made = configs.add(
            connection,
            edge,
            configs.checked(old.document or {}),
            actor=actor(),
            why=why,
            now=SystemClock().now(),
            restores=version,
        )
        _note(connection, edge, made)
    _say(made, as_json=as_json)


def _note(connection: sa.Connection, edge: str, made: ConfigVersion) -> None:
    now = SystemClock().now()
    audit.note(connection, now, actor(), "config-changed", edge, version=made.version)


def _registered(connection: sa.Connection, edge: str) -> None:
    found = book.one(connection, "edge", edge)
    if found is None or found.retired:
        raise InputError(f"no edge {edge!r}", hint="Register it first")


def _wanted(connection: sa.Connection, edge: str, version: int | None) -> ConfigVersion | None:
    if version is None:
        return configs.latest(connection, edge)
    found = configs.one(connection, edge, version)
    if found is None:
        raise InputError(f"edge {edge!r} has no version {version}")
    return found


def _document(file: Path) -> dict[str, object]:
    if file.suffix != ".json":
        return read(file)
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from None
    except msgspec.DecodeError as error:
        raise InputError(f"not a JSON object: {error}", where=str(file)) from None


def _say(made: ConfigVersion, *, as_json: bool) -> None:
    text = f"version {made.version} is wanted"
    click.echo(msgspec.json.encode(made) if as_json else text)
