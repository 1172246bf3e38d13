"""`linli export`: what is known, as files for other systems."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from ingest.accounts.account import Viewer
from ingest.app import create_app
from ingest.audit import book as audit
from ingest.services.exports import Exports
from ingest.settings import load_settings
from ingest.store.choose import database_of
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option
from linli.clock import SystemClock
from linli.errors import StoreError

_OUT = click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file to write"
)


@click.group(short_help="Files for other systems.")
def command() -> None:
    """Write what is known into files for other systems, also while the ingest runs."""


@command.command(epilog="Example: linli export fiware --config ingest.toml --out community.jsonld")
@_OUT
@config_option
def fiware(config: Path, out: Path) -> None:
    """Write devices and open incidents as NGSI-LD entities of FIWARE's Smart Data Models."""
    now = SystemClock().now()

    def text(found: Exports, viewer: Viewer) -> str:
        made = found.fiware(viewer, now)
        return json.dumps(made, ensure_ascii=False, indent=1) + "\n"

    _write(config, out, "fiware", text)


@command.command(epilog="Example: linli export incidents --out incidents.csv")
@_OUT
@config_option
def incidents(config: Path, out: Path) -> None:
    """Write the newest 10,000 incidents as a table of which a spreadsheet runs nothing."""
    _write(config, out, "incidents.csv", lambda found, viewer: found.incidents(viewer))


@command.command(epilog="Example: linli export devices --out devices.csv")
@_OUT
@config_option
def devices(config: Path, out: Path) -> None:
    """Write all devices as a table of which a spreadsheet runs nothing."""
    now = SystemClock().now()
    _write(config, out, "devices.csv", lambda found, viewer: found.devices(viewer, now))


def _write(config: Path, out: Path, what: str, text: Callable[[Exports, Viewer], str]) -> None:
    settings = load_settings(config)
    database_of(settings).prepare()
    viewer = Viewer(account="cli", name=actor().partition(":")[2], role="admin", kind="cli")
    made = text(Exports(create_app(settings).state.services), viewer)
    try:
        out.write_text(made, encoding="utf-8", newline="")
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(out)) from None
    with state(settings) as connection:
        audit.note(connection, SystemClock().now(), viewer.actor, "exported", what)
    click.echo(f"{out}: {len(made.encode())} bytes")
