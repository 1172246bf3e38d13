"""`linli ingest node join | shut-out`: let a box in by a code, or shut it out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ingest.services.joining import JoiningService
from ingest.settings import load_settings
from ingest.store.choose import database_of
from linli.cli.ingest.folder import operator
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock


@click.command(
    "join",
    epilog="Examples: linli ingest node join c001-n02 --area b03 --label 三号楼 · "
    "linli ingest node join c001-n01",
)
@click.argument("name", metavar="NODE")
@click.option("--area", help="Building of a new box, such as b03")
@click.option("--label", help="What people call a new box  [default: its id]")
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True)
@config_option
@json_option
def node_join(
    name: str, area: str | None, label: str | None, hours: int, config: Path, *, as_json: bool
) -> None:
    """Make a code by which one box joins once, and print it, this once.

    For a registered box: who uses it takes its place and its history; the old one is shut out.
    """
    service = _service(config)
    made = service.invite(
        operator(), name, SystemClock().now(), area=area, label=label, hours=hours
    )
    click.echo(json.dumps({"node": name, "code": made.secret}) if as_json else made.secret)


@click.command("shut-out", epilog="Example: linli ingest node shut-out c001-n01 --yes")
@click.argument("name", metavar="NODE")
@click.option("--yes", is_flag=True, help="Do it without asking")
@config_option
def node_shut_out(name: str, config: Path, *, yes: bool) -> None:
    """End a box's key, and have `linli broker keep` end its certificates or password."""
    if not yes:
        click.confirm(f"Shut {name} out? It can send and read nothing any more", abort=True)
    _service(config).shut_out(operator(), name, SystemClock().now())
    click.echo(f"{name}: its key has ended; `linli broker keep` ends the rest")


def _service(config: Path) -> JoiningService:
    settings = load_settings(config)
    database = database_of(settings)
    database.prepare()
    reader, writer = database.reader("state"), database.writer("state")
    return JoiningService(reader, writer, settings.broker, settings.site.id)
